// What keeps strokes when nodes, disks and messages are lost: stand-ins, refilling, anti-entropy, gossip's repair.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "scene.h"

namespace inkmesh::sim {
namespace {

const Channel kDrawing = "drawing_abc123";

/// The disk holds so many strokes of the drawing.
std::uint64_t held(Scene& scene, NodeIndex node) {
  std::uint64_t strokes = 0;
  const Cursor all = scene.world.checker().stored(kDrawing);
  for (const auto& [origin, seq] : all.seqs()) {
    strokes += scene.world.node(node).store().head(kDrawing, origin);
  }
  return strokes;
}

TEST(StandIns, TakeAHomesPlaceBeforeItIsDeclaredDeadAndHandBack) {
  Scene scene(calm(4, 2, 2));
  const std::vector<NodeIndex> homes = scene.world.homes(kDrawing);
  SimClient& author = scene.world.client("author", homes[0]);
  author.set_stay(true);
  author.publish(kDrawing);
  ASSERT_TRUE(scene.acknowledged(author, 1_s));

  scene.world.node(homes[1]).crash(true);
  author.publish(kDrawing);
  // 250 ms of silence, a look, a way there and back.
  ASSERT_TRUE(scene.acknowledged(author, 700_ms));
  EXPECT_NE(scene.peer(homes[0], homes[1]).state, "down") << "it stood in later than it should";
  EXPECT_EQ(scene.world.node(homes[0]).core().status().standins, 1U);
  for (int i = 0; i < 20; ++i)
    author.publish(kDrawing);
  ASSERT_TRUE(scene.acknowledged(author, 3_s));

  scene.world.node(homes[1]).start();
  ASSERT_TRUE(scene.comes_together(10_s));
  EXPECT_EQ(held(scene, homes[1]), 22U);
  EXPECT_TRUE(
      scene.world.run_until_true([&] { return scene.world.node(homes[0]).core().status().standins == 0; }, 5_s));
}

TEST(StandIns, AreSoughtOnOurSideOfAPartition) {
  // Whichever the node is that a home is left with: the others, cut off and not known to be, must not be waited for.
  for (NodeIndex left = 0; left < 6; ++left) {
    Scene scene(calm(6, 2, 2));
    const NodeIndex home = scene.world.homes(kDrawing)[0];
    if (left == home) continue;
    SimClient& author = scene.world.client("author", home);
    author.set_stay(true);
    ASSERT_TRUE(scene.world.run_until_true([&] { return author.connected(); }, 1_s));
    for (NodeIndex node = 0; node < 6; ++node) {
      for (NodeIndex cut = 0; cut < 6; ++cut) {
        if ((node == home || node == left) == (cut == home || cut == left)) continue;
        scene.world.network().cut(node, cut);
      }
    }
    author.publish(kDrawing);
    EXPECT_TRUE(scene.acknowledged(author, 1_s)) << scene.world.node(left).id();
    scene.world.network().heal_all();
    EXPECT_TRUE(scene.comes_together(10_s));
  }
}

TEST(StandIns, AreFoundForARetryOfWhatIsOnItsWayToTheStore) {
  Options options = calm(3, 2, 2);
  options.commit_us_min = 300_ms;
  options.commit_us_max = 300_ms + 1;
  Scene scene(options);
  const std::vector<NodeIndex> homes = scene.world.homes(kDrawing);
  SimClient& author = scene.world.client("author", homes[0]);
  author.publish(kDrawing);
  // Stored at the origin, and being stored at the other home.
  scene.world.run_for(400_ms);
  scene.world.node(homes[0]).crash(true);
  author.reconnect(homes[1]);
  scene.world.run_for(50_ms);
  ASSERT_TRUE(author.connected());
  ASSERT_EQ(scene.world.node(homes[1]).store().usage().strokes, 0U);
  EXPECT_TRUE(scene.acknowledged(author, 4_s));
  EXPECT_TRUE(scene.holds());
  scene.world.node(homes[0]).start();
  EXPECT_TRUE(
      scene.world.run_until_true([&] { return scene.world.node(homes[1]).core().status().standins == 0; }, 10_s));
}

TEST(StandIns, AreFoundForARetryBeforeTheHomeIsKnownToBeDown) {
  Options options = calm(3, 2, 2);
  options.commit_us_min = options.commit_us_max = 100_ms;
  Scene scene(options);
  const std::vector<NodeIndex> homes = scene.world.homes(kDrawing);
  SimClient& author = scene.world.client("author", homes[0]);
  author.publish(kDrawing);
  // Stored at the origin, and being stored at the other home, of which nothing is expected yet.
  scene.world.run_for(150_ms);
  scene.world.node(homes[0]).crash(true);
  author.reconnect(homes[1]);
  ASSERT_TRUE(scene.world.run_until_true([&] { return author.connected(); }, 20_ms));
  ASSERT_EQ(scene.world.node(homes[1]).store().usage().strokes, 0U);
  EXPECT_TRUE(scene.acknowledged(author, 800_ms));
  EXPECT_NE(scene.peer(homes[1], homes[0]).state, "down");
  EXPECT_TRUE(scene.holds());
}

TEST(StandIns, AreSoughtThoughTheHomeSpeaksOfOthersStrokes) {
  // It draws on and tells what it has, and hears nothing: whenever that comes, our own stroke waits no longer.
  for (SimUs phase = 0; phase < 500_ms; phase += 50_ms) {
    Scene scene(calm(4, 2, 2));
    const std::vector<NodeIndex> homes = scene.world.homes(kDrawing);
    SimClient& busy = scene.world.client("busy", homes[1]);
    SimClient& author = scene.world.client("author", homes[0]);
    for (SimClient* client : {&busy, &author})
      client->set_stay(true);
    const auto draw_on = [&](SimUs until) {
      for (; scene.world.now() < until; scene.world.run_for(20_ms))
        busy.publish(kDrawing);
    };
    draw_on(scene.world.now() + 500_ms + phase);
    scene.world.network().cut(homes[0], homes[1]);
    author.publish(kDrawing);
    draw_on(scene.world.now() + 450_ms);
    EXPECT_EQ(author.outbox(), 0U) << phase;
    EXPECT_TRUE(scene.holds());
  }
}

TEST(Copies, ThatNobodyTellsOfAreFetchedForWhoWaits) {
  Options options = calm(3, 2, 2);
  options.commit_us_min = options.commit_us_max = 100_ms;
  Scene scene(options);
  const std::vector<NodeIndex> homes = scene.world.homes(kDrawing);
  const NodeIndex reader_at = scene.stranger(kDrawing);
  SimClient& reader = scene.world.client("reader", reader_at);
  reader.set_stay(true);
  reader.subscribe(kDrawing);
  ASSERT_TRUE(scene.live(reader, kDrawing));
  // On its way to one store when its origin dies: the home that is left hears of it, and can't pull it yet.
  scene.world.network().cut(homes[0], homes[1]);
  SimClient& author = scene.world.client("author", homes[0]);
  author.publish(kDrawing);
  ASSERT_TRUE(scene.world.run_until_true([&] { return reader.subscription(kDrawing).strokes.size() == 1; }, 1_s));
  ASSERT_EQ(held(scene, reader_at), 0U);
  scene.world.node(homes[0]).crash(false);
  author.reconnect(homes[1]);
  ASSERT_TRUE(scene.acknowledged(author, 800_ms));
  EXPECT_TRUE(author.acks().back().duplicate);
  EXPECT_NE(scene.peer(homes[1], homes[0]).state, "down");
  EXPECT_TRUE(scene.holds());
}

TEST(Copies, AreAskedOfWhoeverMayHaveOne) {
  // Nothing goes to the other home, nor to its stand-in: who has the drawing open has the second copy, as the origin
  // knew.
  Scene scene(calm(4, 2, 2));
  const std::vector<NodeIndex> homes = scene.world.homes(kDrawing);
  std::vector<NodeIndex> others;
  for (NodeIndex node = 0; node < 4; ++node) {
    if (node != homes[0] && node != homes[1]) others.push_back(node);
  }
  for (const NodeIndex node : others) {
    SimClient& reader = scene.world.client("reader" + std::to_string(node), node);
    reader.set_stay(true);
    reader.subscribe(kDrawing);
    ASSERT_TRUE(scene.live(reader, kDrawing));
  }
  scene.world.node(homes[1]).crash(true);
  SimClient& author = scene.world.client("author", homes[0]);
  author.publish(kDrawing);
  ASSERT_TRUE(
      scene.world.run_until_true([&] { return held(scene, others[0]) == 1 && held(scene, others[1]) == 1; }, 1_s));
  scene.world.node(homes[0]).crash(true);
  author.reconnect(others[0]);
  // A way there and back, no home's silence.
  EXPECT_TRUE(scene.acknowledged(author, 100_ms));
  EXPECT_TRUE(scene.holds());
}

TEST(StandIns, AreFoundForAHomeThatIsBackAndCannotBeReached) {
  // Whenever its new life is heard of, meanwhile.
  for (SimUs later = 0; later < 700_ms; later += 25_ms) {
    Scene scene(calm(3, 2, 2));
    const std::vector<NodeIndex> homes = scene.world.homes(kDrawing);
    SimClient& author = scene.world.client("author", homes[0]);
    author.set_stay(true);
    ASSERT_TRUE(scene.world.run_until_true([&] { return author.connected(); }, 1_s));
    scene.world.node(homes[1]).crash(false);
    scene.world.network().cut(homes[0], homes[1]);
    scene.world.node(homes[1]).start();
    scene.world.run_for(later);
    author.publish(kDrawing);
    EXPECT_TRUE(scene.acknowledged(author, 1_s)) << later / 1000 << " ms after its start";
    scene.world.network().heal_all();
    EXPECT_TRUE(scene.comes_together(10_s));
  }
}

TEST(StandIns, HandBackWhatTheirDeadOriginCannot) {
  Scene scene(calm(4, 2, 2));
  const std::vector<NodeIndex> homes = scene.world.homes(kDrawing);
  SimClient& author = scene.world.client("author", homes[0]);
  scene.world.node(homes[1]).crash(true);
  for (int i = 0; i < 20; ++i)
    author.publish(kDrawing);
  ASSERT_TRUE(scene.acknowledged(author, 3_s));
  // The origin and its disk are gone; only a stand-in knows, which is neither home nor interested.
  scene.world.node(homes[0]).crash(true);
  scene.world.lose_disk(homes[0]);
  scene.world.run_for(500_ms);
  scene.world.node(homes[1]).start();
  scene.world.run_for(2_s);
  scene.world.node(homes[0]).start();
  ASSERT_TRUE(scene.comes_together(10_s));
  EXPECT_EQ(held(scene, homes[0]), 20U);
  EXPECT_EQ(held(scene, homes[1]), 20U);
}

TEST(StandIns, AreReplacedWhenTheyDie) {
  Scene scene(calm(5, 2, 2));
  const std::vector<NodeIndex> homes = scene.world.homes(kDrawing);
  SimClient& author = scene.world.client("author", homes[0]);
  author.set_stay(true);
  scene.world.node(homes[1]).crash(true);
  for (int i = 0; i < 10; ++i)
    author.publish(kDrawing);
  ASSERT_TRUE(scene.acknowledged(author, 3_s));
  std::vector<NodeIndex> standing;
  for (NodeIndex node = 0; node < 5; ++node) {
    if (node != homes[0] && node != homes[1] && held(scene, node) != 0) standing.push_back(node);
  }
  ASSERT_EQ(standing.size(), 1U);

  scene.world.node(standing[0]).crash(true);
  scene.world.lose_disk(standing[0]);
  for (int i = 0; i < 10; ++i)
    author.publish(kDrawing);
  ASSERT_TRUE(scene.acknowledged(author, 5_s));
  // Not only the new strokes: the old ones have a second copy again, before any home is back.
  ASSERT_TRUE(scene.world.run_until_true(
      [&] {
        std::uint64_t whole = 0;
        for (NodeIndex node = 0; node < 5; ++node)
          whole += held(scene, node) == 20 ? 1 : 0;
        return whole >= 2;
      },
      10_s));
  scene.world.node(homes[1]).start();
  scene.world.node(standing[0]).start();
  ASSERT_TRUE(scene.comes_together(10_s));
  EXPECT_EQ(held(scene, homes[1]), 20U);
}

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
