#include "ack_watch.h"

#include <utility>

#include "sim_node.h"

namespace inkmesh::sim {

void AckWatch::given(NodeIndex node, const Publish& publish) {
  if (options_.ack_us == 0) return;
  const Key key{node, nodes_[node]->life(), publish.conn, publish.id};
  given_[key] = Given{agenda_.now(), publish.channel, publish.client, publish.op, publish.retry, false, false};
  if (publish.retry) agenda_.after(options_.ack_us / 2, [this, key] { look_halfway(key); });
  agenda_.after(options_.ack_us, [this, key] { look(key); });
}

void AckWatch::answered(NodeIndex node, ConnId conn, RequestId request) {
  const auto found = given_.find({node, nodes_[node]->life(), conn, request});
  if (found != given_.end()) found->second.answered = true;
}

std::vector<NodeIndex> AckWatch::helpers(NodeIndex node, SimUs since) const {
  std::vector<NodeIndex> helpers;
  for (NodeIndex other = 0; other < nodes_.size(); ++other) {
    if (other == node || !nodes_[other]->well_since(since) || !nodes_[node]->same_list(*nodes_[other])) continue;
    if (network_.whole_since(node, other, since) && network_.whole_since(other, node, since)) helpers.push_back(other);
  }
  return helpers;
}

bool AckWatch::stands_elsewhere(const Given& given, NodeIndex node, std::vector<NodeIndex> helpers) const {
  helpers.push_back(node);
  bool stands = false;
  for (const auto& [origin, strokes] : checker_.channels().at(given.channel).strokes) {
    for (const StrokePtr& stroke : strokes) {
      if (!stroke || stroke->client != given.client || stroke->op != given.op) continue;
      stands = true;
      for (const NodeIndex reached : helpers) {
        if (nodes_[reached]->store().head(given.channel, origin) >= stroke->seq) return false;
      }
    }
  }
  return stands;
}

void AckWatch::look_halfway(const Key& key) {
  const auto found = given_.find(key);
  if (found == given_.end() || found->second.answered || found->second.at < options_.ack_calm_us) return;
  Given& given = found->second;
  const NodeIndex node = std::get<0>(key);
  given.out_of_reach = stands_elsewhere(given, node, helpers(node, given.at - options_.ack_calm_us));
}

void AckWatch::look(const Key& key) {
  const auto found = given_.find(key);
  const auto [node, life, conn, request] = key;
  if (found == given_.end()) return;
  const Given given = std::move(found->second);
  given_.erase(found);
  if (given.at < options_.ack_calm_us) return;
  const SimUs since = given.at - options_.ack_calm_us;
  if (nodes_[node]->life() != life || !nodes_[node]->well_since(since)) return;
  const std::vector<NodeIndex> helpers = this->helpers(node, since);
  if (helpers.size() + 1 < nodes_[node]->ack()) return;
  ++owed_;
  if (given.answered) return;
  if (given.again && (given.out_of_reach || stands_elsewhere(given, node, helpers))) return;
  std::string text = nodes_[node]->id() + " has not answered " + given.client + "/" + std::to_string(given.op) +
                     (given.again ? ", sent again," : "") + " for " +
                     std::to_string((agenda_.now() - given.at) / 1000) + " ms, and could reach";
  for (const NodeIndex helper : helpers)
    text += " " + nodes_[helper]->id();
  checker_.violation(given.channel, text + (helpers.empty() ? " itself" : ""));
}

}  // namespace inkmesh::sim
