// When a node that starts says that it takes clients.
#include <gtest/gtest.h>

#include <string>

#include "scene.h"

namespace inkmesh::sim {
namespace {

bool ready(const Scene& scene, NodeIndex node) {
  return scene.world.node(node).core().status().ready;
}

TEST(Starting, WaitsForNobodyWhoIsAway) {
  for (const unsigned nodes : {3U, 5U}) {
    Scene scene(calm(nodes, 2, 2));
    scene.world.node(1).crash(true);
    scene.world.run_for(3_s);
    scene.world.node(0).crash(false);
    scene.world.node(0).start();
    const SimUs began = scene.world.now();
    EXPECT_TRUE(scene.world.run_until_true([&] { return ready(scene, 0); }, 1200_ms)) << nodes;
    EXPECT_GT(scene.world.now() - began, 500_ms) << "whoever is there speaks twice a second";
  }
}

TEST(Starting, WaitsForNobodyWhoHasFallenSilent) {
  Scene scene(calm(3, 3, 2));
  scene.world.node(0).crash(false);
  scene.world.node(0).start();
  ASSERT_TRUE(scene.world.run_until_true([&] { return scene.peer(0, 1).state == "up"; }, 2_s));
  ASSERT_FALSE(scene.peer(0, 1).settled);
  scene.world.node(1).pause(scene.world.now() + 10_s);
  EXPECT_TRUE(scene.world.run_until_true([&] { return ready(scene, 0); }, 1500_ms));
  EXPECT_FALSE(scene.peer(0, 1).settled);
  EXPECT_EQ(scene.peer(0, 2).settled, true);
}

TEST(Starting, WaitsForWhatItMissed) {
  constexpr int kMissed = 400;
  Options options = calm(3, 3, 2);
  options.appends_per_commit_max = 1;
  options.commit_us_min = options.commit_us_max = 10_ms;
  options.ack_us = 0;  // the disk is slower than people are
  Scene scene(options);
  // One is away as well: who answers is waited for all the same.
  scene.world.node(0).crash(false);
  SimClient& author = scene.world.client("author", 1);
  author.set_stay(true);
  for (int i = 0; i < kMissed; ++i)
    author.publish("drawing_" + std::to_string(i % 200));
  ASSERT_TRUE(scene.acknowledged(author, 20_s));
  scene.world.node(2).crash(false);
  scene.world.node(0).start();
  ASSERT_TRUE(scene.world.run_until_true([&] { return ready(scene, 0); }, 4_s));
  EXPECT_EQ(scene.world.node(0).store().usage().strokes, std::uint64_t{kMissed});
}

}  // namespace
}  // namespace inkmesh::sim
