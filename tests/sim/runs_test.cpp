// Whole runs: the same seed twice, and many seeds once.
#include <gtest/gtest.h>

#include <cstdio>

#include "history.h"
#include "options.h"
#include "run.h"
#include "shrink.h"

namespace inkmesh::sim {
namespace {

TEST(Runs, TheSameSeedGivesTheSameTrace) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const Options options = draw_options(seed);
    const Result first = run(options);
    const Result second = run(options);
    EXPECT_EQ(first.trace_hash, second.trace_hash) << describe(options);
    EXPECT_EQ(first.steps, second.steps) << describe(options);
  }
}

TEST(Runs, RecordingDoesNotChangeARun) {
  const Options options = draw_options(3);
  const Result recorded = run(options, true);
  EXPECT_EQ(recorded.trace_hash, run(options).trace_hash);
  EXPECT_FALSE(recorded.history.empty());
}

TEST(Runs, OtherSeedsGiveOtherTraces) {
  EXPECT_NE(run(draw_options(1)).trace_hash, run(draw_options(2)).trace_hash);
}

/// Each case holds a hundred seeds against every promise.
class Seeds : public testing::TestWithParam<int> {};

TEST_P(Seeds, KeepEveryPromise) {
  const auto first = static_cast<std::uint64_t>(GetParam());
  for (std::uint64_t seed = first; seed < first + 100; ++seed) {
    const Options options = draw_options(seed);
    const Result result = run(options);
    if (!result.violation) continue;
    const Shrunk shrunk = shrink(options, 100);
    ADD_FAILURE() << "inkmesh_sim --seed " << seed << ": " << result.violation->text << "\n"
                  << describe(shrunk) << "\n"
                  << describe(shrunk.options) << "\n"
                  << history(run(shrunk.options, true), {60, false});
    return;
  }
}

INSTANTIATE_TEST_SUITE_P(Swarm, Seeds, testing::Range(1, 600, 100));

TEST(Runs, ACheckerThatIsLiedToNotices) {
  // The checks themselves: an ack for what is on one disk only, and a stroke that nobody sent.
  Agenda agenda;
  Options options;
  options.ack = 2;
  store::MemoryStore one;
  store::MemoryStore two;
  const auto stroke = std::make_shared<Stroke>();
  *stroke = Stroke{"drawing", "ws1~00000000", 1, 5, "ann", 1, "{}", false};

  Checker nobody_sent(agenda, options);
  nobody_sent.told(stroke);
  EXPECT_TRUE(nobody_sent.first_violation());

  Checker short_of_copies(agenda, options);
  short_of_copies.watch(one);
  short_of_copies.watch(two);
  short_of_copies.sent("drawing", "ann", 1, "{}");
  short_of_copies.told(stroke);
  Append append{1, 1, {Append::Item{stroke, 1}}};
  ASSERT_EQ(one.append({&append}).result, store::WriteResult::ok);
  EXPECT_FALSE(short_of_copies.first_violation());
  short_of_copies.acked(SendAck{1, 1, "drawing", "ws1~00000000", 1, 5, 2, false}, "ann", 1, 2);
  ASSERT_TRUE(short_of_copies.first_violation());
  EXPECT_NE(short_of_copies.first_violation()->text.find("there are 1"), std::string::npos);

  Checker two_contents(agenda, options);
  two_contents.sent("drawing", "ann", 1, "{}");
  two_contents.told(stroke);
  const auto other = std::make_shared<Stroke>(*stroke);
  other->ts = 6;
  two_contents.told(other);
  EXPECT_TRUE(two_contents.first_violation());
}

}  // namespace
}  // namespace inkmesh::sim
