// Publishes that are sent again to a node that is not caught up on the channel: those who may know them are asked
// first.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "core/channel_log.h"
#include "core/cluster_map.h"
#include "core/links.h"
#include "core/membership.h"
#include "core/turn.h"
#include "inkmesh/event.h"

namespace inkmesh::core {

class Retries {
 public:
  Retries(Turn& turn, const ClusterMap& cluster, Membership& membership, Links& links, std::size_t held_max,
          std::uint64_t first_request)
      : turn_(turn),
        cluster_(cluster),
        membership_(membership),
        links_(links),
        held_max_(held_max),
        last_request_(first_request) {}

  /// Holds the publish while those who may know it are asked. False when none is there to ask, or too many are held
  /// already.
  bool hold(const ChannelLog& log, Publish publish);

  /// A publish whose question is answered, or was not in time.
  struct Released {
    std::vector<Publish> publishes;  ///< of the same (channel, client, op)
    std::optional<KnownOp> known;
  };
  std::optional<Released> on_answer(NodeIx peer, const OpAnswer& answer);
  /// Those that have waited long enough, or for nobody any more.
  std::vector<Released> tick();
  /// The link to the peer is new: what it was asked may have been lost with the former one.
  void linked(NodeIx peer);

  std::size_t held() const {
    return held_.size();
  }

 private:
  /// Its author is owed an answer within a second, and once it is numbered it takes a home's silence and a stand-in's
  /// commit to have its copies. What somebody knows who keeps silent for longer may get a second copy.
  static constexpr MonotonicMs kWaitMs = 300;

  using Key = std::tuple<Channel, ClientName, Op>;
  struct Held {
    std::vector<Publish> publishes;  ///< of the same key, at least one
    std::vector<NodeIx> homes;
    std::set<NodeIx> awaited;
    MonotonicMs until_ms = 0;
  };

  using ByRequest = std::map<std::uint64_t, Held>;

  static Key key_of(const Publish& publish) {
    return {publish.channel, publish.client, publish.op};
  }
  bool may_answer(NodeIx peer, const std::vector<NodeIx>& homes) const;
  void ask(NodeIx peer, std::uint64_t request, const Publish& publish);
  /// Takes it out; gives the one after it.
  ByRequest::iterator release(ByRequest::iterator it, Released& released);

  Turn& turn_;
  const ClusterMap& cluster_;
  Membership& membership_;
  Links& links_;
  const std::size_t held_max_;
  ByRequest held_;
  std::map<Key, std::uint64_t> requests_;
  std::uint64_t last_request_;  ///< begins anywhere: an answer to a former life's question must find none of ours
};

}  // namespace inkmesh::core
