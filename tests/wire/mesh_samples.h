// Random mesh messages, and whether two are the same in every field.
#pragma once

#include "inkmesh/mesh_message.h"
#include "random_values.h"

namespace inkmesh::test {

/// A message of each type, in the variant's order.
std::vector<LinkMessage> one_of_each(Random& random);

StrokeRun random_run(Random& random, std::size_t strokes_max);
Frame random_frame(Random& random);
GossipMessage random_gossip(Random& random);

bool same(const Frame& a, const Frame& b);
bool same(const GossipMessage& a, const GossipMessage& b);

}  // namespace inkmesh::test
