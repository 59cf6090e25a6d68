// Who keeps a copy when a home cannot: stand-ins, and whoever has one already.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace inkmesh::sim
