// Authors who wait: a publish is acknowledged once it is committed on `ack` nodes.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "core/cluster_map.h"
#include "core/links.h"
#include "core/log.h"
#include "core/membership.h"
#include "core/turn.h"
#include "inkmesh/event.h"

namespace inkmesh::core {

class Acks {
 public:
  Acks(Turn& turn, const ClusterMap& cluster, const Log& log, const Membership& membership, Links& links,
       std::size_t waiting_max)
      : turn_(turn), cluster_(cluster), log_(log), membership_(membership), links_(links), waiting_max_(waiting_max) {}

  /// `known` is where the stroke stands; `duplicate` when it stood there before this publish.
  void wait(ChannelLog& log, const Publish& publish, const KnownOp& known, bool duplicate);

  /// A head moved, here or at a peer: tells those whose strokes now have enough copies.
  void check(ChannelLog& log, OriginLog& origin_log);

  /// Some author waits for more copies of that origin's strokes.
  static bool waits_for(const ChannelLog& log, const Origin& origin);
  /// Some author waits who sent again what stood in the channel already.
  bool waits_again(ChannelLog& log) const {
    return asked_.count(&log) != 0;
  }

  /// Strokes of ours that were not stored: their authors get an error.
  void refuse(OriginLog& origin_log, Seq seq, AppendError error);

  /// Asks those who may hold it, for retries of strokes that other origins numbered.
  void tick();

  std::uint64_t waiting() const {
    return waiting_;
  }

 private:
  static constexpr MonotonicMs kAskAgainMs = 250;

  std::size_t copies(const OriginLog& origin_log, Seq seq) const;
  struct Asked {
    std::set<Origin> origins;
    MonotonicMs ms = 0;  ///< when, last
  };
  void ask_holders(const ChannelLog& log, Asked& asked);
  /// Too many wait: those who have waited longest are told to ask again, whatever keeps their strokes from getting
  /// copies. A stroke that was lost for good never gets any.
  void send_oldest_away();
  void forget_asked(ChannelLog& log, const OriginLog& origin_log);

  Turn& turn_;
  const ClusterMap& cluster_;
  const Log& log_;
  const Membership& membership_;
  Links& links_;
  /// Channels with waiters for strokes that this node may not hear of by itself.
  std::map<ChannelRef, Asked> asked_;
  const std::size_t waiting_max_;
  std::uint64_t waiting_ = 0;
  std::uint64_t last_order_ = 0;
};

}  // namespace inkmesh::core
