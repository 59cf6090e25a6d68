#include "ack_watch.h"

#include <utility>

#include "sim_node.h"

namespace inkmesh::sim {

void AckWatch::given(NodeIndex node, const Publish& publish) {
  if (options_.ack_us == 0) return;
  const Key key{node, nodes_[node]->life(), publish.conn, publish.id};
  const std::string name = publish.client + "/" + std::to_string(publish.op);
  given_[key] = Given{agenda_.now(), publish.channel, name, publish.retry, false};
  agenda_.after(publish.retry ? options_.retry_ack_us : options_.ack_us, [this, key] { look(key); });
}

void AckWatch::answered(NodeIndex node, ConnId conn, RequestId request) {
  const auto found = given_.find({node, nodes_[node]->life(), conn, request});
  if (found != given_.end()) found->second.answered = true;
}

unsigned AckWatch::helpers(NodeIndex node, SimUs since) const {
  unsigned helpers = 0;
  for (NodeIndex other = 0; other < nodes_.size(); ++other) {
    if (other == node || !nodes_[other]->well_since(since) || !nodes_[node]->same_list(*nodes_[other])) continue;
    helpers += network_.whole_since(node, other, since) && network_.whole_since(other, node, since) ? 1 : 0;
  }
  return helpers;
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
  const unsigned helpers = this->helpers(node, since);
  if (helpers + 1 < options_.ack) return;
  ++owed_;
  if (given.answered) return;
  checker_.violation(given.channel, nodes_[node]->id() + " has not answered " + given.name +
                                        (given.again ? ", sent again," : "") + " for " +
                                        std::to_string((agenda_.now() - given.at) / 1000) + " ms, and could reach " +
                                        std::to_string(helpers) + " nodes");
}

}  // namespace inkmesh::sim
