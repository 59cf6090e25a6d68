// The static node list: indices for ids, and rendezvous hashing of channels to nodes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "inkmesh/types.h"

namespace inkmesh::core {

/// A node's place in the sorted list.
using NodeIx = std::uint32_t;

class ClusterMap {
 public:
  ClusterMap(std::vector<NodeId> ids, const NodeId& self, std::uint32_t replicas, std::uint32_t ack);

  NodeIx self() const {
    return self_;
  }
  std::size_t size() const {
    return ids_.size();
  }
  const NodeId& id(NodeIx node) const {
    return ids_[node];
  }
  std::optional<NodeIx> find(std::string_view id) const;

  /// Homes of a channel: at most as many as there are nodes.
  std::size_t replicas() const {
    return replicas_;
  }
  /// On how many nodes a stroke must be committed before its author is told.
  std::size_t ack() const {
    return ack_;
  }
  /// A hash of the list, replicas and ack: nodes whose generations differ have different cluster files.
  std::uint64_t generation() const {
    return generation_;
  }

  /// All nodes by falling weight for a channel (highest random weight: Thaler and Ravishankar, 1998). The first
  /// replicas() are its homes, the next ones stand in for those that do not confirm.
  std::vector<NodeIx> order(std::uint64_t channel_hash) const;
  /// The first replicas() of order().
  std::vector<NodeIx> homes(std::uint64_t channel_hash) const;

  /// So few nodes that each of them is asked what it knows of a channel.
  bool small() const {
    return ids_.size() <= kSmallMax;
  }
  /// Who most likely has what was published a moment ago, though its origin is gone: in a small cluster all others,
  /// else the homes and those who stand in for them first.
  std::vector<NodeIx> likely_holders(std::uint64_t channel_hash) const;

 private:
  static constexpr std::size_t kSmallMax = 9;
  static constexpr std::size_t kFirstStandIns = 2;

  std::vector<NodeId> ids_;
  std::vector<std::uint64_t> hashes_;
  NodeIx self_ = 0;
  std::size_t replicas_;
  std::size_t ack_;
  std::uint64_t generation_ = 0;
};

}  // namespace inkmesh::core
