#include "load/copies.h"

#include <set>

#include "core/cluster_map.h"
#include "inkmesh/stroke.h"

namespace inkmesh::bench {

std::vector<std::uint32_t> copies_by_member(const DrawingPlan& plan, const std::vector<std::string>& channel_names,
                                            std::uint32_t nodes, std::uint32_t homes) {
  std::vector<NodeId> ids;
  for (std::uint32_t node = 0; node < nodes; ++node)
    ids.push_back("ws" + std::to_string(node + 1));
  const core::ClusterMap cluster(ids, ids.front(), homes, 1);
  std::vector<std::set<NodeId>> holders(plan.channels);
  for (std::uint32_t channel = 0; channel < plan.channels; ++channel) {
    for (const auto home : cluster.homes(channel_hash(channel_names[channel])))
      holders[channel].insert(cluster.id(home));
  }
  for (const auto& member : plan.members) {
    if (member.reads) holders[member.channel].insert(ids[member.node % nodes]);
  }
  std::vector<std::uint32_t> copies;
  for (const auto& member : plan.members) {
    const auto& all = holders[member.channel];
    const auto others = static_cast<std::uint32_t>(all.size() - all.count(ids[member.node % nodes]));
    copies.push_back(member.draws ? others : 0);
  }
  return copies;
}

}  // namespace inkmesh::bench
