// Who gets what, how soon, and what stays bounded.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "inkmesh/types.h"
#include "scene.h"

namespace inkmesh::sim {
namespace {

const Channel kDrawing = "drawing_abc123";

TEST(Interest, ANodeWithoutItGetsNothingWhenThereAreNoHomes) {
  Scene scene(calm(4, 0, 1));
  SimClient& near = scene.world.client("near", 0);
  SimClient& far = scene.world.client("far", 1);
  SimClient& elsewhere = scene.world.client("elsewhere", 2);
  near.subscribe(kDrawing);
  far.subscribe(kDrawing);
  elsewhere.subscribe("drawing_other");
  scene.world.run_for(2_s);
  SimClient& author = scene.world.client("author", 0);
  for (int i = 0; i < 100; ++i)
    author.publish(kDrawing);
  ASSERT_TRUE(scene.comes_together(5_s));
  // Long enough for every repair that there is.
  scene.world.run_for(30_s);
  EXPECT_EQ(far.subscription(kDrawing).strokes.size(), 100U);
  for (NodeIndex from = 0; from < 4; ++from) {
    for (const NodeIndex to : {2U, 3U}) {
      if (from == to) continue;
      EXPECT_EQ(scene.world.network().strokes_sent(from, to), 0U) << from << " to " << to;
      EXPECT_EQ(scene.peer(from, to).forwarded_interest + scene.peer(from, to).forwarded_durability, 0U);
    }
  }
  EXPECT_EQ(scene.world.network().strokes_sent(0, 1), 100U) << "each once, to the one that is interested";
}

TEST(Interest, ANodeWithoutItGetsNothingFromTheFirstMomentOn) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Options options = calm(3, 0, 1);
    options.seed = seed;
    World world(options);
    world.start();
    SimClient& reader = world.client("reader", 1);
    reader.subscribe(kDrawing);
    SimClient& author = world.client("author", 0);
    for (int i = 0; i < 100; ++i) {
      author.publish(kDrawing);
      world.run_for(10_ms);
    }
    ASSERT_TRUE(world.run_until_true([&] { return reader.subscription(kDrawing).strokes.size() == 100; }, 3_s));
    world.run_for(10_s);
    EXPECT_EQ(world.network().strokes_sent(0, 2) + world.network().strokes_sent(1, 2), 0U);
  }
}

TEST(Interest, EachStrokeCrossesALinkOnce) {
  Scene scene(calm(5, 2, 2));
  std::vector<SimClient*> readers;
  for (NodeIndex node = 0; node < 5; ++node) {
    readers.push_back(&scene.world.client("reader" + std::to_string(node), node));
    readers.back()->subscribe(kDrawing);
  }
  scene.world.run_for(2_s);
  SimClient& author = scene.world.client("author", 3);
  for (int i = 0; i < 100; ++i) {
    author.publish(kDrawing);
    scene.world.run_for(3_ms);
  }
  ASSERT_TRUE(scene.comes_together(5_s));
  scene.world.run_for(30_s);
  for (NodeIndex from = 0; from < 5; ++from) {
    for (NodeIndex to = 0; to < 5; ++to) {
      if (from == to) continue;
      EXPECT_EQ(scene.world.network().strokes_sent(from, to), from == 3 ? 100U : 0U) << from << " to " << to;
    }
  }
}

TEST(Peers, ADeadOneIsKnownWithinThreeSecondsAndAReturnedOneAtOnce) {
  for (const bool machine : {false, true}) {
    SCOPED_TRACE(machine ? "its machine vanished" : "its process ended");
    Scene scene(calm(4, 2, 2));
    for (NodeIndex of = 0; of < 3; ++of)
      ASSERT_EQ(scene.peer(of, 3).state, "up");
    scene.world.node(3).crash(machine);
    const auto all_say = [&](const std::string& state) {
      for (NodeIndex of = 0; of < 3; ++of) {
        if (scene.peer(of, 3).state != state) return false;
      }
      return true;
    };
    ASSERT_TRUE(scene.world.run_until_true([&] { return all_say("down"); }, 3_s));
    scene.world.run_for(5_s);
    scene.world.node(3).start();
    EXPECT_TRUE(scene.world.run_until_true([&] { return all_say("up"); }, 1_s));
    EXPECT_TRUE(scene.holds());
  }
}

TEST(FullStore, AnswersStorageFullWhileReadsGoOn) {
  Scene scene(calm(3, 2, 2));
  SimClient& author = scene.world.client("author", 0);
  author.set_stay(true);
  for (int i = 0; i < 50; ++i)
    author.publish(kDrawing);
  ASSERT_TRUE(scene.acknowledged(author, 5_s));
  store::MemoryStore& store = scene.world.node(0).store();
  store.set_map_bytes(store.usage().used_bytes + 10);
  scene.world.node(0).check_fill();
  scene.world.run_for(100_ms);
  author.publish(kDrawing);
  ASSERT_TRUE(scene.world.run_until_true([&] { return !author.errors().empty(); }, 1_s));
  EXPECT_EQ(author.errors().back().code, ErrorCode::storage_full);
  EXPECT_GT(author.errors().back().retry_ms, 0U);
  SimClient& reader = scene.world.client("reader", 0);
  reader.subscribe(kDrawing);
  ASSERT_TRUE(scene.live(reader, kDrawing));
  EXPECT_EQ(reader.subscription(kDrawing).strokes.size(), 50U);
  // What others draw is refused by the disk too, and seen all the same.
  SimClient& other = scene.world.client("other", 1);
  other.publish(kDrawing);
  ASSERT_TRUE(scene.world.run_until_true([&] { return reader.subscription(kDrawing).strokes.size() == 51; }, 1_s));
  store.set_map_bytes(UINT64_MAX);
  scene.world.node(0).check_fill();
  ASSERT_TRUE(scene.comes_together(10_s));
  EXPECT_EQ(reader.subscription(kDrawing).strokes.size(), 52U);
}

TEST(SlowReaders, FiftyOfThemAreReadToFromTheLogWithinTheirWindow) {
  Options options = calm(2, 2, 2);
  options.outbox_bytes = std::size_t{512} << 10;
  options.data_bytes_max = 800;
  Scene scene(options);
  std::vector<SimClient*> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(&scene.world.client("slow" + std::to_string(i), 0));
    // A tenth of what is drawn.
    slow.back()->set_us_per_kib(5_ms);
    slow.back()->subscribe(kDrawing);
  }
  SimClient& quick = scene.world.client("quick", 0);
  quick.subscribe(kDrawing);
  scene.world.run_for(1_s);
  SimClient& author = scene.world.client("author", 1);
  for (int i = 0; i < 4000; ++i)
    author.publish(kDrawing, 800);
  ASSERT_TRUE(scene.acknowledged(author, 10_s));
  ASSERT_TRUE(scene.world.run_until_true([&] { return quick.subscription(kDrawing).strokes.size() == 4000; }, 1_s))
      << "the quick are not held up by the slow";
  EXPECT_GT(scene.world.node(0).core().status().lagging_subscriptions, 0U);
  ASSERT_TRUE(scene.comes_together(60_s));
  for (const SimClient* reader : slow)
    EXPECT_EQ(reader->subscription(kDrawing).strokes.size(), 4000U);
  EXPECT_LE(scene.world.node(0).edge().unwritten_max(), options.outbox_bytes + kBatchBytesMax);
}

}  // namespace
}  // namespace inkmesh::sim
