// Interest: the set of channels that a node's clients have open; ours, versioned for gossip, and every peer's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/cluster_map.h"
#include "core/turn.h"
#include "inkmesh/mesh_message.h"

namespace inkmesh::core {

class Interest {
 public:
  Interest(Turn& turn, const ClusterMap& cluster, std::size_t hints_max);

  // ---- ours: counted by channel, announced on 0 -> 1 and 1 -> 0 only -----------------------------------------------

  /// True on the edge 0 -> 1.
  bool opened(std::uint64_t channel);
  /// True on the edge 1 -> 0.
  bool closed(std::uint64_t channel);
  std::size_t size() const {
    return counts_.size();
  }
  bool ours(std::uint64_t channel) const {
    return counts_.count(channel) != 0;
  }
  std::uint64_t version() const {
    return version_;
  }
  std::uint64_t digest() const {
    return digest_;
  }
  InterestFull full() const;
  /// What changed in the turn, as the next version; nothing when nothing did.
  std::optional<InterestDelta> flush();

  // ---- the peers' --------------------------------------------------------------------------------------------------

  /// All is unknown again, until its first set comes. When a delta of a known set is lost, the peer counts as
  /// interested in everything until the set is known again.
  void forget(NodeIx peer);
  /// Its set was known at least once since.
  bool heard(NodeIx peer) const {
    return peers_[peer].heard;
  }

  struct Change {
    bool ask = false;                   ///< a gap: ask for the full set
    std::vector<std::uint64_t> opened;  ///< channels that the peer has newly open
    std::vector<std::uint64_t> closed;
  };
  Change apply(NodeIx peer, const InterestDelta& delta);
  Change apply(NodeIx peer, const InterestFull& full);
  /// A heartbeat's word on the version and digest; asks again at most twice a second.
  Change check(NodeIx peer, std::uint64_t version, std::uint64_t digest);
  /// A pull said so before the gossip did. Past the bound the peer counts as interested in everything until its set is
  /// known again.
  Change hint(NodeIx peer, std::uint64_t channel);

  bool interested(NodeIx peer, std::uint64_t channel) const;
  /// All peers that are, ascending: until the next call, or change of a peer's set.
  const std::vector<NodeIx>& interested(std::uint64_t channel) const;
  /// Peers that are not heard() of yet, ascending; and this node.
  const std::vector<NodeIx>& unheard() const {
    return unheard_;
  }
  bool known(NodeIx peer) const {
    return peers_[peer].known;
  }
  std::size_t size(NodeIx peer) const {
    return peers_[peer].channels.size();
  }
  std::size_t hints(NodeIx peer) const {
    return peers_[peer].hints.size();
  }
  /// Lets go of old hints.
  void tick();

 private:
  static constexpr MonotonicMs kHintMs = 2000;
  static constexpr MonotonicMs kAskAgainMs = 400;

  struct Peer {
    bool heard = false;
    bool known = false;
    std::uint64_t version = 0;
    std::uint64_t digest = 0;
    MonotonicMs asked_ms = 0;
    std::unordered_set<std::uint64_t> channels;
    std::map<std::uint64_t, MonotonicMs> hints;
  };

  void set_known(NodeIx node);
  void set_unknown(NodeIx node);
  Change ask(Peer& peer);
  void list(NodeIx node, std::uint64_t channel);
  void unlist(NodeIx node, std::uint64_t channel);

  Turn& turn_;
  const std::size_t hints_max_;
  std::unordered_map<std::uint64_t, std::uint32_t> counts_;
  std::map<std::uint64_t, bool> changed_;  ///< in this turn: whether it was open at its beginning
  std::uint64_t version_ = 0;
  std::uint64_t digest_ = 0;
  std::vector<Peer> peers_;
  /// The peers' sets and hints once more, by channel: ascending, none empty.
  std::unordered_map<std::uint64_t, std::vector<NodeIx>> by_channel_;
  std::vector<NodeIx> unheard_;                 ///< ascending
  std::vector<NodeIx> vague_;                   ///< heard of and not known: interested in everything; ascending
  mutable std::vector<NodeIx> with_the_vague_;  ///< the last answer, where it is not a list of `by_channel_`
};

}  // namespace inkmesh::core
