// People draw, others look on: the workload of which fanout, mesh, latency, slow and ingest are cases.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "load/fleet.h"
#include "load/histogram.h"
#include "load/ledger.h"
#include "load/workload.h"

namespace inkmesh::bench {

struct Member {
  std::uint32_t node = 0;
  std::uint32_t channel = 0;
  bool reads = false;
  bool draws = false;
  bool silent = false;  ///< subscribes, then stops reading until nobody draws any more; must get everything then
};

struct DrawingPlan {
  std::vector<Member> members;
  std::uint32_t channels = 1;
  /// Open loop: strokes a second of all authors together, evenly spaced, the authors taking turns. 0: closed loop.
  double rate = 0;
  /// Closed loop: how many strokes of an author are under way. The next leaves when one has come back: to the author
  /// where it reads, else to its channel's last reader, else as an acknowledgement.
  std::uint32_t window = 1;
};

class Drawing final : public Listener {
 public:
  Drawing(const Setting& setting, DrawingPlan plan);
  Result run();

  void ready(Connection& connection) override;
  void subscribed(Connection& connection, std::uint64_t now) override;
  void acked(Connection& connection, std::uint64_t now) override;
  void delivered(Connection& connection, const Mark& mark, std::uint64_t now) override;
  void lost(Connection& connection, const std::string& why) override;

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Role {
    Member member;
    std::uint32_t publisher = kNone;
    std::uint32_t subscriber = kNone;
    bool subscribed = false;
    std::vector<std::uint64_t> unacked;  ///< when its strokes left, from `acked` on, as a ring
    std::size_t acked = 0;
    std::size_t sent = 0;
  };
  struct Author {
    std::uint32_t connection = kNone;
    std::uint32_t paced_by = kNone;  ///< the connection whose deliveries let it go on; kNone: its acknowledgements
  };

  void place_members();
  void open_all();
  void draw(Connection& author, std::uint64_t due, std::uint64_t now);
  void draw_until(std::uint64_t end);
  void draw_due(std::uint64_t now);
  void wait_for_stragglers();
  void let_them_read();
  bool all_arrived() const;
  bool measured(std::uint64_t due) const {
    return due >= begin_ns_ && due < end_ns_;
  }
  Result result(const Moment& begin, const Moment& end, std::uint64_t delivered) const;
  void add_traffic(std::uint64_t link_bytes, std::uint64_t gossip_bytes, double seconds, JsonObject& figures) const;

  const Setting& setting_;
  const DrawingPlan plan_;
  Fleet fleet_;
  Ledger ledger_;
  std::vector<Role> roles_;      // by connection
  std::vector<Author> authors_;  // by publisher
  std::vector<std::string> channel_names_;
  std::vector<std::uint32_t> copies_;  // of a stroke at other nodes, by connection; empty: not known
  std::size_t unsubscribed_ = 0;

  bool drawing_ = false;
  std::uint64_t start_ns_ = 0;
  std::uint64_t begin_ns_ = ~std::uint64_t{0};
  std::uint64_t end_ns_ = ~std::uint64_t{0};
  std::uint64_t turns_taken_ = 0;  // strokes of the open loop's schedule that have left

  Histogram latency_;
  Histogram ack_latency_;
  Histogram lateness_;  // of the generator behind its own schedule
  std::uint64_t strokes_measured_ = 0;
  std::uint64_t stroke_bytes_measured_ = 0;
  std::uint64_t copies_measured_ = 0;
  std::uint64_t all_copies_ = 0;
  std::uint64_t acks_ = 0;
  std::uint64_t acks_measured_ = 0;
  std::uint64_t lost_silent_ = 0;
  std::uint64_t caught_up_ns_ = 0;  // until those had everything who did not read
  std::string stroke_;
};

}  // namespace inkmesh::bench
