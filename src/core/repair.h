// Damaged records: one that fails its checksum is fetched from a peer and written again, never served.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "core/cluster_map.h"
#include "core/links.h"
#include "core/membership.h"
#include "core/turn.h"
#include "inkmesh/event.h"

namespace inkmesh::core {

class Repairs {
 public:
  Repairs(Turn& turn, const ClusterMap& cluster, const Membership& membership, Links& links, std::size_t wanted_max)
      : turn_(turn), cluster_(cluster), membership_(membership), links_(links), wanted_max_(wanted_max) {}

  void damaged(const Channel& channel, const ReadDone::Damaged& record);
  void on_run(const StrokeRun& run);
  /// False when the ticket is not a repair's.
  bool committed(Ticket ticket);
  bool failed(Ticket ticket);
  void tick();

  std::uint64_t repaired() const {
    return repaired_;
  }
  std::size_t wanted() const {
    return wanted_.size();
  }

 private:
  static constexpr MonotonicMs kAgainMs = 500;

  using Record = std::tuple<Channel, Origin, Seq>;
  struct Wanted {
    MonotonicMs asked_ms = 0;
    std::size_t tries = 0;
    Ticket writing = 0;
  };

  void ask(const Record& record, Wanted& wanted);

  Turn& turn_;
  const ClusterMap& cluster_;
  const Membership& membership_;
  Links& links_;
  const std::size_t wanted_max_;
  std::map<Record, Wanted> wanted_;
  std::map<Ticket, std::vector<Record>> writing_;
  std::uint64_t repaired_ = 0;
};

}  // namespace inkmesh::core
