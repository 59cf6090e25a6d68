// What outlives a life of the node, beside the strokes: notes with the store, by which a node and its peers notice that
// a store is new, lost, or set back to an earlier time.
//
// Each node notes its own lives, and each peer's life that it meets. To a peer's new life it names the one before:
// where that one is not among the peer's own notes, the peer's store has lost it, and with it what it acknowledged
// then. A store that was set back within its last life has a trace of it; but others may have strokes of it that the
// store lacks, which it had flushed before anyone was told.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/cluster_map.h"
#include "core/turn.h"
#include "inkmesh/hollow.h"
#include "inkmesh/types.h"

namespace inkmesh::core {

class Lives {
 public:
  /// `notes`: of the former lives. `epoch`: this life's.
  Lives(Turn& turn, const ClusterMap& cluster, const std::map<std::string, std::string>& notes, const Epoch& epoch);

  /// Notes this life: before anything else goes to the store.
  void begin();

  /// Why the store does not count as whole. Empty: it was whole once, with this node list: it had been compared with
  /// every node.
  const std::optional<HollowBecause>& hollow() const {
    return hollow_;
  }
  void note_whole();
  void note_hollow(HollowBecause because);

  /// A new life of a peer.
  void met(NodeIx peer, const Epoch& epoch);
  /// The peer's life before its present one, as far as this node has met it; empty: it has not.
  const Epoch& former(NodeIx peer) const {
    return former_[peer];
  }

  /// True once for each former life of this node of which the store has no trace.
  bool lacks(const Epoch& life);

  /// True once, when the store lacks a stroke of that origin, and that is the life that it bears as its last.
  bool set_back_within(const Origin& origin);

 private:
  Turn& turn_;
  const ClusterMap& cluster_;
  std::string lives_;  ///< epochs, one after the other; the last is this life's
  Origin last_;        ///< of the life before this one on this store; empty: none, or it is known to be set back
  std::vector<Epoch> present_;
  std::vector<Epoch> former_;
  std::optional<HollowBecause> hollow_;
};

}  // namespace inkmesh::core
