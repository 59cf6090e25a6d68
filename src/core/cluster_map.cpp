#include "core/cluster_map.h"

#include <algorithm>
#include <utility>

#include "core/invariant.h"
#include "core/turn.h"
#include "inkmesh/stroke.h"

namespace inkmesh::core {

ClusterMap::ClusterMap(std::vector<NodeId> ids, const NodeId& self, std::uint32_t replicas, std::uint32_t ack)
    : ids_(std::move(ids)), replicas_(replicas), ack_(ack) {
  std::sort(ids_.begin(), ids_.end());
  replicas_ = std::min<std::size_t>(replicas_, ids_.size());
  const auto found = find(self);
  require(found.has_value(), "the node's id is in the node list");
  self_ = *found;
  require(ack_ >= 1 && ack_ <= ids_.size(), "ack is between 1 and the cluster's size");
  generation_ = mix(replicas_ * 1000 + ack_);
  for (const NodeId& id : ids_) {
    hashes_.push_back(channel_hash(id));
    generation_ = mix(generation_ ^ hashes_.back());
  }
}

std::optional<NodeIx> ClusterMap::find(std::string_view id) const {
  const auto it = std::lower_bound(ids_.begin(), ids_.end(), id);
  if (it == ids_.end() || *it != id) return std::nullopt;
  return static_cast<NodeIx>(it - ids_.begin());
}

std::vector<NodeIx> ClusterMap::order(std::uint64_t channel_hash) const {
  std::vector<std::pair<std::uint64_t, NodeIx>> weights;
  weights.reserve(ids_.size());
  for (NodeIx node = 0; node < ids_.size(); ++node)
    weights.emplace_back(mix(channel_hash ^ hashes_[node]), node);
  std::sort(weights.begin(), weights.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  std::vector<NodeIx> order;
  order.reserve(weights.size());
  for (const auto& [weight, node] : weights)
    order.push_back(node);
  return order;
}

std::vector<NodeIx> ClusterMap::homes(std::uint64_t channel_hash) const {
  std::vector<NodeIx> homes = order(channel_hash);
  homes.resize(replicas_);
  return homes;
}

std::vector<NodeIx> ClusterMap::likely_holders(std::uint64_t channel_hash) const {
  std::vector<NodeIx> holders = order(channel_hash);
  if (!small()) holders.resize(replicas_ == 0 ? 0 : std::min(holders.size(), replicas_ + kFirstStandIns));
  holders.erase(std::remove(holders.begin(), holders.end(), self_), holders.end());
  return holders;
}

}  // namespace inkmesh::core
