// Becoming interested: a stroke at another node between every two steps of announcing, pulling and going live.
#include <gtest/gtest.h>

#include <string>

#include "scene.h"

namespace inkmesh::sim {
namespace {

const Channel kDrawing = "drawing_abc123";
constexpr std::uint64_t kStepsMax = 3000;

struct Case {
  unsigned replicas = 0;
  bool author_is_home = false;
  bool gossip_lost = false;
  unsigned before = 0;  ///< strokes that are there already
  const char* name = "";
};

/// A cluster where `author` has drawn and `reader` is about to subscribe at a node that is neither home nor interested.
struct Joining {
  explicit Joining(const Case& given)
      : scene(calm(4, given.replicas, std::max(given.replicas, 1U))), reader_at(scene.stranger(kDrawing)) {
    NodeIndex author_at = (reader_at + 1) % 4;
    const std::vector<NodeIndex> homes = scene.world.homes(kDrawing);
    for (NodeIndex node = 0; node < 4; ++node) {
      const bool home = std::find(homes.begin(), homes.end(), node) != homes.end();
      if (node != reader_at && home == given.author_is_home) author_at = node;
    }
    author = &scene.world.client("author", author_at);
    for (unsigned i = 0; i < given.before; ++i)
      author->publish(kDrawing);
    reader = &scene.world.client("reader", reader_at);
    scene.world.run_for(1_s);
    if (given.gossip_lost) scene.world.network().set_gossip_loss(1000);
    reader->subscribe(kDrawing);
  }
  Scene scene;
  NodeIndex reader_at;
  SimClient* author = nullptr;
  SimClient* reader = nullptr;
};

class BecomingInterested : public testing::TestWithParam<Case> {};

TEST_P(BecomingInterested, MissesNothingThatIsDrawnBetweenAnyTwoSteps) {
  std::uint64_t steps = 0;
  {
    Joining run(GetParam());
    ASSERT_EQ(run.author->outbox(), 0U);
    const std::uint64_t first = run.scene.world.agenda().steps();
    ASSERT_TRUE(run.scene.live(*run.reader, kDrawing));
    // Some more, for what is still under way when the client is told.
    steps = run.scene.world.agenda().steps() - first + 40;
  }
  ASSERT_GT(steps, 45U);
  ASSERT_LT(steps, kStepsMax);
  for (std::uint64_t at = 0; at <= steps; ++at) {
    SCOPED_TRACE("after step " + std::to_string(at) + " of " + std::to_string(steps));
    Joining run(GetParam());
    World& world = run.scene.world;
    const std::uint64_t first = world.agenda().steps();
    ASSERT_TRUE(world.run_until_true([&] { return world.agenda().steps() - first >= at; }, 3_s));
    run.author->publish(kDrawing);
    const std::size_t all = GetParam().before + 1;
    const auto& subscription = run.reader->subscription(kDrawing);
    ASSERT_TRUE(world.run_until_true([&] { return subscription.strokes.size() >= all; }, 1_s))
        << run.reader->describe();
    world.network().set_gossip_loss(0);
    ASSERT_TRUE(run.scene.comes_together(3_s));
    ASSERT_EQ(subscription.strokes.size(), all) << "exactly once";
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, BecomingInterested,
                         testing::Values(Case{2, true, false, 12, "AHomeDraws"},
                                         Case{2, false, false, 12, "AStrangerDraws"},
                                         Case{1, true, false, 0, "TheOnlyHomeDrawsTheFirst"},
                                         Case{0, false, false, 12, "WithoutHomes"},
                                         Case{2, false, true, 3, "WhileGossipIsLost"}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace inkmesh::sim
