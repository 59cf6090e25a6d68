// What keeps strokes when nodes, disks and messages are lost: refilling, anti-entropy, gossip's repair.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "scene.h"

namespace inkmesh::sim {
namespace {

const Channel kDrawing = "drawing_abc123";

TEST(LostDisk, IsRefilledFromPeers) {
  Scene scene(calm(3, 2, 2));
  std::vector<SimClient*> authors;
  for (NodeIndex node = 0; node < 3; ++node) {
    authors.push_back(&scene.world.client("author" + std::to_string(node), node));
    for (int i = 0; i < 300; ++i)
      authors.back()->publish("drawing_" + std::to_string(i % 30));
  }
  for (const SimClient* author : authors)
    ASSERT_TRUE(scene.acknowledged(*author, 10_s));
  ASSERT_TRUE(scene.comes_together(10_s));
  for (NodeIndex node = 0; node < 3; ++node) {
    scene.world.node(node).crash(true);
    scene.world.lose_disk(node);
    scene.world.run_for(1_s);
    scene.world.node(node).start();
    // Nobody has anything open: what comes back comes by anti-entropy alone.
    ASSERT_TRUE(scene.comes_together(10_s)) << node;
    EXPECT_GT(scene.world.node(node).store().usage().strokes, 0U);
  }
}

TEST(LostDisk, ThatWasRefilledByHalfDoesNotCountAsWhole) {
  Scene scene(calm(3, 2, 2));
  const auto draw_at = [&scene](const std::string& author, NodeIndex node, const Channel& channel) {
    SimClient& client = scene.world.client(author, node);
    client.set_stay(true);
    for (int i = 0; i < 20; ++i)
      client.publish(channel);
    return scene.acknowledged(client, 5_s);
  };
  // Of one channel only nodes 0 and 2 are homes, of the other 0 and 1.
  Channel of_two;
  Channel of_one;
  for (int i = 0; of_two.empty() || of_one.empty(); ++i) {
    const Channel channel = "drawing_" + std::to_string(i);
    std::vector<NodeIndex> homes = scene.world.homes(channel);
    std::sort(homes.begin(), homes.end());
    if (homes == std::vector<NodeIndex>{0, 2}) of_two = channel;
    if (homes == std::vector<NodeIndex>{0, 1}) of_one = channel;
  }
  ASSERT_TRUE(draw_at("ann", 0, of_two));
  ASSERT_TRUE(draw_at("ben", 0, of_one));
  scene.world.node(2).crash(true);
  scene.world.node(0).crash(true);
  scene.world.lose_disk(0);
  scene.world.node(0).start();
  scene.world.run_for(5_s);
  EXPECT_GT(scene.world.node(0).store().usage().strokes, 0U) << "node 1 has handed over what it holds";
  scene.world.node(0).crash(false);
  scene.world.node(0).start();
  SimClient& reader = scene.world.client("reader", 0);
  reader.set_stay(true);
  reader.subscribe(of_two);
  scene.world.run_for(5_s);
  EXPECT_FALSE(reader.subscription(of_two).complete) << "node 2 alone has it";
  scene.world.node(2).start();
  ASSERT_TRUE(scene.world.run_until_true([&] { return reader.subscription(of_two).complete; }, 5_s));
  EXPECT_EQ(reader.subscription(of_two).strokes.size(), 20U);
  EXPECT_TRUE(scene.holds());
}

TEST(DamagedRecords, AreRefilledFromPeersAndNeverServed) {
  Scene scene(calm(3, 2, 2));
  const std::vector<NodeIndex> homes = scene.world.homes(kDrawing);
  SimClient& author = scene.world.client("author", homes[0]);
  for (int i = 0; i < 100; ++i)
    author.publish(kDrawing);
  ASSERT_TRUE(scene.acknowledged(author, 5_s));
  ASSERT_TRUE(scene.comes_together(5_s));
  scene.world.run_for(5_s);
  const Origin origin = scene.world.node(homes[0]).origin();
  for (const Seq seq : {Seq{1}, Seq{40}, Seq{41}, Seq{100}}) {
    ASSERT_TRUE(scene.world.node(homes[0]).store().damage(kDrawing, origin, seq));
  }
  SimClient& reader = scene.world.client("reader", homes[0]);
  reader.subscribe(kDrawing);
  ASSERT_TRUE(scene.comes_together(10_s));
  EXPECT_EQ(reader.subscription(kDrawing).strokes.size(), 100U);
  EXPECT_EQ(scene.world.node(homes[0]).store().damaged(), 0U);
}

TEST(Gossip, ThatIsLostIsRepaired) {
  Scene scene(calm(3, 1, 1));
  scene.world.network().set_gossip_loss(1000);
  SimClient& reader = scene.world.client("reader", 2);
  for (int i = 0; i < 50; ++i)
    reader.subscribe("drawing_" + std::to_string(i));
  scene.world.run_for(300_ms);
  scene.world.network().set_gossip_loss(0);
  scene.world.run_for(2_s);
  for (const NodeIndex node : {0U, 1U})
    EXPECT_EQ(scene.peer(node, 2).interest_channels, 50U);
  scene.world.network().set_gossip_loss(1000);
  for (int i = 0; i < 50; ++i)
    reader.unsubscribe("drawing_" + std::to_string(i));
  scene.world.run_for(300_ms);
  scene.world.network().set_gossip_loss(0);
  scene.world.run_for(2_s);
  for (const NodeIndex node : {0U, 1U})
    EXPECT_EQ(scene.peer(node, 2).interest_channels, 0U);
  EXPECT_TRUE(scene.holds());
}

/// Two nodes that are homes of all channels hold the same, but for the last stroke of `differing` of them.
struct Compared {
  Compared(unsigned channels, unsigned differing) : world(calm(2, 2, 2)) {
    const Origin origin = make_origin("ws1", "00000000");
    for (unsigned i = 0; i < channels; ++i) {
      const Channel channel = "drawing_" + std::to_string(i);
      std::uint64_t chain = 0;
      for (Seq seq = 1; seq <= 2; ++seq) {
        const std::string data = "{\"n\":" + std::to_string(seq) + "}";
        world.checker().sent(channel, "ann", seq, data);
        const auto stroke = std::make_shared<const Stroke>(
            Stroke{channel, origin, seq, 1'763'000'000'000'000 + seq, "ann", seq, data, false});
        world.checker().told(stroke);
        chain = chain_hash(chain, *stroke);
        const Append append{seq, 1, {Append::Item{stroke, chain}}};
        world.node(0).store().append({&append});
        if (seq == 1 || i >= differing) world.node(1).store().append({&append});
      }
    }
    world.start();
    together = world.run_until_true(
        [&] { return world.node(1).store().usage().strokes == std::uint64_t{2} * channels; }, 15_s);
    for (NodeIndex node = 0; node < 2; ++node) {
      for (const PeerStatus& peer : world.node(node).core().status().peers)
        bytes += peer.antientropy_bytes;
    }
  }
  World world;
  bool together = false;
  std::uint64_t bytes = 0;
};

TEST(AntiEntropy, CostsWhatDiffersNotWhatIsStored) {
  const Compared small(1000, 5);
  const Compared large(10'000, 5);
  const Compared unlike(10'000, 1000);
  ASSERT_TRUE(small.together);
  ASSERT_TRUE(large.together);
  ASSERT_TRUE(unlike.together);
  RecordProperty("bytes_1000_5", std::to_string(small.bytes));
  RecordProperty("bytes_10000_5", std::to_string(large.bytes));
  RecordProperty("bytes_10000_1000", std::to_string(unlike.bytes));
  EXPECT_GT(large.bytes, 0U);
  EXPECT_LT(large.bytes, 64U * 1024);
  // Ten times the store: at most one more level of the tree.
  EXPECT_LT(large.bytes, 3 * small.bytes);
  EXPECT_GT(unlike.bytes, 10 * large.bytes);
}

}  // namespace
}  // namespace inkmesh::sim
