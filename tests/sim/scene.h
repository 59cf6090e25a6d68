// What the directed tests share: a cluster without faults of its own, and what they wait for.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "options.h"
#include "world.h"

namespace inkmesh::sim {

/// A cluster whose nodes know each other.
class Scene {
 public:
  explicit Scene(const Options& options) : world(options) {
    world.start();
    world.run_for(3_s);
  }

  /// No promise was broken so far.
  testing::AssertionResult holds() const {
    if (!world.failed()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << world.checker().first_violation()->channel << ": "
                                       << world.checker().first_violation()->text;
  }

  /// All comes together within that time; then everything is looked at once more.
  testing::AssertionResult comes_together(SimUs at_most) {
    const World::Apart apart = world.come_together(at_most, 10_ms);
    if (apart.empty()) world.check_end();
    if (!apart.empty() && !world.failed())
      return testing::AssertionFailure() << "still apart: " << apart.channel << " " << apart.text;
    return holds();
  }

  /// Every publish so far is acknowledged within that time.
  testing::AssertionResult acknowledged(const SimClient& client, SimUs at_most) {
    if (world.run_until_true([&] { return client.outbox() == 0; }, at_most)) return testing::AssertionSuccess();
    if (world.failed()) return holds();
    return testing::AssertionFailure() << client.describe();
  }

  /// The client's subscription is live within that time.
  testing::AssertionResult live(const SimClient& client, const Channel& channel, SimUs at_most = 3_s) {
    if (world.run_until_true([&] { return client.subscription(channel).live; }, at_most)) {
      return testing::AssertionSuccess();
    }
    if (world.failed()) return holds();
    return testing::AssertionFailure() << client.describe();
  }

  /// A node that is none of the channel's homes.
  NodeIndex stranger(const Channel& channel) const {
    const std::vector<NodeIndex> homes = world.homes(channel);
    for (NodeIndex node = 0; node < world.size(); ++node) {
      if (std::find(homes.begin(), homes.end(), node) == homes.end()) return node;
    }
    return 0;
  }

  PeerStatus peer(NodeIndex of, NodeIndex peer) const {
    for (const PeerStatus& status : world.node(of).core().status().peers) {
      if (status.id == world.node(peer).id()) return status;
    }
    return {};
  }

  World world;
};

}  // namespace inkmesh::sim
