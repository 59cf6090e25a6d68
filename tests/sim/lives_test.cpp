// What operators fear: stores that were set back, node lists that change or differ, two processes in one name, clocks
// far ahead.
#include <gtest/gtest.h>

#include <algorithm>

#include "scene.h"

namespace inkmesh::sim {
namespace {

const Channel kDrawing = "drawing_1";
constexpr std::int64_t kYearMs = std::int64_t{365} * 86'400'000;

void draw(SimClient& client, int strokes) {
  for (int i = 0; i < strokes; ++i)
    client.publish(kDrawing);
}

/// Ten more strokes, which everyone has.
testing::AssertionResult drawn_everywhere(Scene& scene, SimClient& author) {
  draw(author, 10);
  if (auto acknowledged = scene.acknowledged(author, 5_s); !acknowledged) return acknowledged;
  return scene.comes_together(10_s);
}

/// Node 2's store is set back while node 0 is away: it is hollow until everyone was met.
void expect_noticed(Scene& scene, const store::MemoryStore::Backup& backup, const char* why) {
  scene.world.node(2).crash(false);
  scene.world.node(2).store().restore(backup);
  scene.world.node(0).crash(false);
  scene.world.node(2).start();
  scene.world.run_for(3_s);
  EXPECT_TRUE(scene.world.node(2).core().status().hollow) << why;
  scene.world.node(0).start();
  scene.world.run_for(3_s);
  EXPECT_FALSE(scene.world.node(2).core().status().hollow) << "everyone was met";
  EXPECT_TRUE(scene.comes_together(5_s));
}

TEST(OldBackup, IsNoticedByThoseWhoMetTheLifeThatItLacks) {
  Scene scene(calm(3, 3, 2));
  SimClient& ann = scene.world.client("ann", 0);
  ASSERT_TRUE(drawn_everywhere(scene, ann));
  const auto backup = scene.world.node(2).store().backup();
  scene.world.node(2).crash(false);
  scene.world.node(2).start();
  scene.world.run_for(3_s);
  ASSERT_FALSE(scene.world.node(2).core().status().hollow);

  expect_noticed(scene, *backup, "node 1 has met a life of which the backup knows nothing");
}

TEST(OldBackup, IsNotForgottenByAReturnToTheOldList) {
  Scene scene(calm(3, 3, 2));
  SimClient& ann = scene.world.client("ann", 0);
  ASSERT_TRUE(drawn_everywhere(scene, ann));
  const auto backup = scene.world.node(2).store().backup();
  scene.world.node(2).crash(false);
  scene.world.node(2).start();
  scene.world.run_for(3_s);

  scene.world.node(2).crash(false);
  scene.world.node(2).store().restore(*backup);
  scene.world.node(0).crash(false);
  scene.world.node(2).set_list({"ws2", "ws3"});
  scene.world.node(2).start();
  scene.world.run_for(3_s);
  ASSERT_TRUE(scene.world.node(2).core().status().hollow) << "it is under another list";

  scene.world.node(2).crash(false);
  scene.world.node(2).set_list({"ws1", "ws2", "ws3"});
  scene.world.node(2).start();
  scene.world.run_for(3_s);
  EXPECT_TRUE(scene.world.node(2).core().status().hollow) << "the mark under that list is older than the backup's news";
  scene.world.node(0).start();
  scene.world.run_for(3_s);
  EXPECT_FALSE(scene.world.node(2).core().status().hollow) << "everyone was met";
}

TEST(OldBackup, OfTheLastLifeIsNoticedByWhatTheNodeWroteAfterIt) {
  Scene scene(calm(3, 3, 2));
  SimClient& ann = scene.world.client("ann", 2);
  ASSERT_TRUE(drawn_everywhere(scene, ann));
  const auto backup = scene.world.node(2).store().backup();
  ASSERT_TRUE(drawn_everywhere(scene, ann));

  expect_noticed(scene, *backup, "node 1 has what node 2 wrote after the backup");
}

TEST(OldBackup, AKillIsNotTakenForIt) {
  Scene scene(calm(3, 3, 2));
  SimClient& ann = scene.world.client("ann", 2);
  ASSERT_TRUE(drawn_everywhere(scene, ann));
  draw(ann, 10);
  scene.world.node(2).crash_at_commit();
  scene.world.run_for(1_s);
  scene.world.node(2).crash(false);
  scene.world.node(0).crash(false);
  scene.world.node(2).start();
  scene.world.run_for(3_s);
  EXPECT_FALSE(scene.world.node(2).core().status().hollow);
}

/// A month is thirty days of which each is a few seconds: every clock jumps to the next one, and a node has a new life.
TEST(AwayForAMonth, ANodeGetsWhatItMissedAndHandsOverWhatItAloneHeld) {
  constexpr NodeIndex away = 2;
  constexpr std::int64_t day_ms = 86'400'000;
  Scene scene(calm(5, 2, 2));
  World& world = scene.world;
  SimClient& ann = world.client("ann", 0);
  SimClient& bob = world.client("bob", away);
  draw(ann, 20);
  draw(bob, 20);
  ASSERT_TRUE(scene.acknowledged(ann, 5_s));
  ASSERT_TRUE(scene.acknowledged(bob, 5_s));
  for (NodeIndex node = 0; node < world.size(); ++node) {
    if (node == away) continue;
    world.network().cut(node, away);
    world.network().cut(away, node);
  }
  draw(bob, 5);
  world.run_for(2_s);
  const std::uint64_t alone = world.node(away).store().usage().strokes;
  world.node(away).crash(false);
  world.node(away).set_absent(true);
  for (std::int64_t day = 1; day <= 30; ++day) {
    for (NodeIndex node = 0; node < world.size(); ++node)
      world.node(node).set_clock_offset(day * day_ms);
    const auto reborn = static_cast<NodeIndex>(day % 5 == away ? 1 : day % 5);
    world.node(reborn).crash(false);
    if (day == 15) world.lose_disk(reborn);
    world.node(reborn).start();
    world.run_for(2_s);
    for (int i = 0; i < 8; ++i)
      ann.publish("drawing_" + std::to_string(i));
    ASSERT_TRUE(world.run_until_true([&] { return ann.outbox() == 0; }, 20_s)) << day;
  }
  const std::uint64_t before = world.node(away).store().usage().strokes;
  ASSERT_EQ(before, alone);
  world.network().heal_all();
  world.node(away).set_absent(false);
  world.node(away).start();
  EXPECT_TRUE(scene.acknowledged(bob, 10_s)) << "what it took in while it was cut off";
  EXPECT_TRUE(scene.comes_together(20_s));
  EXPECT_FALSE(world.node(away).core().status().hollow);
}

TEST(NodeList, OneThatJoinsGetsWhatItIsAHomeOf) {
  Options options = calm(4, 2, 2);
  World world(options);
  const std::vector<NodeId> three{"ws1", "ws2", "ws3"};
  const std::vector<NodeId> four{"ws1", "ws2", "ws3", "ws4"};
  for (NodeIndex node = 0; node < 4; ++node)
    world.node(node).set_list(three);
  world.node(3).set_absent(true);
  world.start();
  world.run_for(3_s);
  SimClient& ann = world.client("ann", 0);
  for (int i = 0; i < 200; ++i)
    ann.publish("drawing_" + std::to_string(i % 40));
  ASSERT_TRUE(world.run_until_true([&] { return ann.outbox() == 0; }, 10_s));

  world.node(3).set_list(four);
  world.node(3).set_absent(false);
  world.node(3).start();
  world.run_for(2_s);
  EXPECT_TRUE(world.node(0).core().status().lists_differ) << "somebody speaks who is not on its list";
  EXPECT_TRUE(world.node(3).core().status().lists_differ);
  for (NodeIndex node = 0; node < 3; ++node) {
    world.node(node).set_list(four);
    world.node(node).crash(false);
    world.node(node).start();
    world.run_for(1_s);
  }
  EXPECT_EQ(world.come_together(15_s, 50_ms).text, "");
  world.check_end();
  EXPECT_FALSE(world.failed());
  world.run_for(6_s);
  for (NodeIndex node = 0; node < 4; ++node) {
    EXPECT_FALSE(world.node(node).core().status().lists_differ) << node;
    EXPECT_FALSE(world.node(node).core().status().hollow) << node;
  }
  EXPECT_GT(world.node(3).store().usage().strokes, 0U);
}

TEST(NodeList, WhatLeftWithANodeIsHandedToTheNewHomes) {
  Scene scene(calm(4, 2, 2));
  SimClient& ann = scene.world.client("ann", 0);
  for (int i = 0; i < 200; ++i)
    ann.publish("drawing_" + std::to_string(i % 40));
  ASSERT_TRUE(scene.acknowledged(ann, 10_s));
  scene.world.node(3).set_absent(true);
  scene.world.node(3).crash(false);
  scene.world.lose_disk(3);
  for (NodeIndex node = 0; node < 3; ++node) {
    scene.world.node(node).set_list({"ws1", "ws2", "ws3"});
    scene.world.node(node).crash(false);
    scene.world.node(node).start();
    scene.world.run_for(1_s);
  }
  EXPECT_TRUE(scene.comes_together(15_s));
}

TEST(Epochs, HundredsOfThemAreOneLongCursor) {
  constexpr unsigned lives = 400;
  Scene scene(calm(3, 2, 2));
  SimClient& reader = scene.world.client("reader", 2);
  reader.set_stay(true);
  reader.subscribe(kDrawing);
  SimClient& ann = scene.world.client("ann", 0);
  ann.set_stay(true);
  for (unsigned life = 0; life < lives; ++life) {
    draw(ann, 1);
    ASSERT_TRUE(scene.acknowledged(ann, 5_s)) << life;
    if (life == lives / 2) reader.stop();
    scene.world.node(0).crash(false);
    scene.world.node(0).start();
    scene.world.run_for(300_ms);
  }
  EXPECT_EQ(scene.world.node(2).core().status().channel_origins_max, lives);
  const std::size_t seen = reader.subscription(kDrawing).strokes.size();
  reader.start();
  ASSERT_TRUE(scene.comes_together(10_s));
  EXPECT_EQ(reader.subscription(kDrawing).strokes.size(), lives) << seen << " before it was away";
  EXPECT_EQ(reader.subscription(kDrawing).asked.size(), seen) << "each of them is an origin of its cursor";
}

TEST(Clocks, OneThatIsAYearAheadPullsNobodyAlong) {
  Scene scene(calm(3, 3, 2));
  SimClient& ann = scene.world.client("ann", 0);
  ann.set_stay(true);
  SimClient& ben = scene.world.client("ben", 1);
  ben.set_stay(true);
  ben.subscribe(kDrawing);
  ASSERT_TRUE(scene.live(ben, kDrawing));
  // Alone it can't know that its clock is wrong.
  for (NodeIndex other = 1; other < 3; ++other) {
    scene.world.network().cut(0, other);
    scene.world.network().cut(other, 0);
  }
  scene.world.run_for(3_s);
  scene.world.node(0).set_clock_offset(kYearMs);
  draw(ann, 3);
  scene.world.run_for(1_s);
  scene.world.node(0).set_clock_offset(0);
  scene.world.network().heal_all();
  ASSERT_TRUE(scene.acknowledged(ann, 10_s));
  draw(ben, 1);
  draw(ann, 1);
  ASSERT_TRUE(scene.acknowledged(ben, 5_s));
  ASSERT_TRUE(scene.acknowledged(ann, 5_s));
  ASSERT_TRUE(scene.comes_together(5_s));
  TimeUs first_of_ann = 0;
  TimeUs of_ben = 0;
  for (const StrokePtr& stroke : ben.subscription(kDrawing).strokes) {
    if (stroke->client == "ann" && first_of_ann == 0) first_of_ann = stroke->ts;
    if (stroke->client == "ben") of_ben = stroke->ts;
  }
  ASSERT_NE(of_ben, 0U);
  EXPECT_GT(first_of_ann, of_ben + TimeUs{300} * 86'400'000'000) << "what was drawn then keeps its time";
}

}  // namespace
}  // namespace inkmesh::sim
