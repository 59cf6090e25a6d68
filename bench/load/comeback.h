// People who draw on, whatever becomes of their node: each keeps cursors and an outbox as docs/protocol.md asks of a
// client, and goes to the next node at once when it loses its own. What is measured is how soon all is well again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "load/fleet.h"
#include "load/workload.h"

namespace inkmesh::bench {

struct ComebackCase {
  /// Whose loss is measured. A kill: all are at the first node. Else they are spread over all nodes.
  std::uint32_t clients = 50;
  std::uint32_t people = 5;  ///< of them in each drawing; after a kill, one more at each other node looks on and draws
  double rate = 4;           ///< strokes a second of each
  std::optional<pid_t> victim;  ///< the first node's process, killed once all draw; none: a line on stdin says "healed"
  double within_s = 30;
};

class Comeback final : public Listener {
 public:
  Comeback(const Setting& setting, const ComebackCase& wanted);
  Result run();

  void ready(Connection& connection) override;
  bool message(Connection& connection, std::string_view text, std::uint64_t now) override;
  void lost(Connection& connection, const std::string& why) override;
  void subscribed(Connection&, std::uint64_t) override {}
  void acked(Connection&, std::uint64_t) override {}
  void delivered(Connection&, const Mark&, std::uint64_t) override {}

 private:
  using Seqs = std::map<std::string, std::uint64_t, std::less<>>;
  struct Place {
    std::string origin;
    std::uint64_t seq = 0;
  };
  struct Sent {
    std::string data;
    bool before = false;  ///< on a connection that is lost: it goes with "retry"
  };
  struct Person {
    std::uint32_t drawing = 0;
    std::uint32_t slot = 0;  ///< within the drawing
    bool measured = false;
    bool live = false;
    bool opened = false;  ///< has subscribed once: there is a cursor
    bool away = false;    ///< has lost its node and has not been back
    Seqs cursor;
    std::uint64_t ops = 0;
    std::map<std::uint64_t, Sent> outbox;
    std::vector<Place> acks;                     ///< by op
    std::vector<std::vector<std::uint8_t>> got;  ///< copies, by slot and op
    std::uint64_t next_due_ns = 0;
    std::uint64_t first_op_elsewhere = 0;
    std::uint64_t last_op_before = 0;
    bool had_before = false;
    std::size_t left_before = 0;  ///< of the outbox as it was when its node was lost
    std::uint64_t live_ns = 0, ack_ns = 0, new_ack_ns = 0, outbox_ns = 0;  ///< the first after the fault; 0: not yet
    std::uint64_t last_got_ns = 0, last_ack_ns = 0;
  };
  struct Again {
    std::uint64_t due_ns;
    std::uint32_t index;
    int fd;
    std::uint64_t op;  ///< 0: the subscription
  };

  void open_all();
  void draw_until(std::uint64_t end_ns);
  void draw(std::uint32_t index, std::uint64_t now);
  void send_publish(Connection& connection, std::uint64_t op);
  void send_subscribe(Connection& connection);
  void send_due(std::uint64_t now);
  void read_strokes(Person& person, std::string_view text, std::uint64_t now);
  void read_ack(Connection& connection, std::string_view text, std::uint64_t now);
  void read_error(Connection& connection, std::string_view text, std::uint64_t now);
  bool all_back() const;
  std::string unsettled() const;
  void wait_for_the_word();
  void check(Result& outcome);
  std::string channel_of(std::uint32_t drawing) const {
    return setting_.prefix + "-drawing-" + std::to_string(drawing);
  }

  const Setting& setting_;
  const ComebackCase wanted_;
  Fleet fleet_;
  std::vector<Person> people_;                        // by connection
  std::vector<std::vector<std::uint32_t>> drawings_;  // the people of each, by slot
  std::deque<Again> again_;
  std::uint64_t fault_ns_ = 0;  // the kill, or the heal
  std::uint64_t attempts_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t second_copies_ = 0;
  std::uint64_t errors_ = 0;
  std::string broken_;  // the first breach of promise 1
  std::string message_;
  std::string stroke_;
};

}  // namespace inkmesh::bench
