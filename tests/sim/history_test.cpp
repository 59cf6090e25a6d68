// How a broken promise is explained: what its history keeps, folds and leaves out, and how its run is made simpler.
#include "history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "shrink.h"

namespace inkmesh::sim {
namespace {

const Channel kDrawing = "drawing_1";

Result broken(const std::string& text, const std::string& topic = {}) {
  Result result;
  result.violation = Checker::Violation{9_s, kDrawing, text, topic};
  return result;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(History, KeepsWhatTheViolationNames) {
  Result result = broken("ws2 still has, when all is done, bytes of strokes in memory: 216, the first ws2~a:3");
  result.concerned = {{"ws2~a", 3}};
  result.history = {{1_s, {}, "ws1 crashes"},
                    {2_s, kDrawing, "ws2 -> append #1 g1 drawing_1 ws2~a:2..4"},
                    {3_s, kDrawing, "ws2 -> append #2 g1 drawing_1 ws2~a:5"},
                    {4_s, "drawing_2", "ws2 -> append #3 g1 drawing_2 ws2~a:3"},
                    {5_s, {}, "ws2 crashes"}};
  const std::string text = history(result, {});
  EXPECT_TRUE(has(text, "ws2~a:2..4")) << text;
  EXPECT_TRUE(has(text, "ws2 crashes")) << text;
  EXPECT_FALSE(has(text, "ws1 crashes")) << "none of its lines is about that node\n" << text;
  EXPECT_FALSE(has(text, "ws2~a:5")) << text;
  EXPECT_FALSE(has(text, "drawing_2")) << text;
  EXPECT_EQ(lines_of(text), 3U) << text;
}

TEST(History, ShowsFaultsOfNodesThatItsLinesAreAbout) {
  Result result = broken("ack of c1/1 at ws1~a:1 says 2 copies, there are 1");
  result.concerned = {{"ws1~a", 1}};
  result.history = {{1_s, kDrawing, "ws1 -> to ws2 #1: [run drawing_1 ws1~a:1]"},
                    {2_s, {}, "== ws2 loses its disk"},
                    {3_s, {}, "== ws3 loses its disk"}};
  const std::string text = history(result, {});
  EXPECT_TRUE(has(text, "ws2 loses")) << text;
  EXPECT_FALSE(has(text, "ws3 loses")) << text;
}

TEST(History, SaysOnceWhatGoesOnInTheSameWay) {
  Result result = broken("30 s after the faults: c1 at ws1; answered live incomplete");
  for (unsigned i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i);
    const SimUs at = i * 250_ms;
    result.history.push_back({at, kDrawing, "ws1 -> to ws2 #" + n + ": [pull #7" + n + " drawing_1 past ws2~a:3]"});
    result.history.push_back(
        {at, kDrawing, "ws2 -> to ws1 #" + n + ": [pull-done #7" + n + " drawing_1 heads ws2~a:3]"});
  }
  const std::string text = history(result, {});
  EXPECT_TRUE(has(text, "... 77 more like these ...")) << text;
  EXPECT_TRUE(has(text, "9750.0 ms")) << "the last one shows how long it went on\n" << text;
  EXPECT_EQ(lines_of(text), 5U) << text;
}

TEST(History, IsOfItsTopicOnly) {
  Result result = broken("c3 at ws2 is not told of c5 at ws1, who is there", "presence");
  result.history = {{1_s, kDrawing, "ws2 -> append #1 g1 drawing_1 ws2~a:1"},
                    {2_s, kDrawing, "ws1 -> to ws2 #1: [presence-delta drawing_1 from v1 +1 -0]"},
                    {3_s, kDrawing, "ws1 <- subscribe c5 #1 drawing_1 full"}};
  const std::string text = history(result, {});
  EXPECT_FALSE(has(text, "append")) << text;
  EXPECT_TRUE(has(text, "presence-delta")) << text;
  EXPECT_TRUE(has(text, "subscribe c5")) << text;
}

/// Nobody answers within a microsecond.
Options hasty() {
  Options options = calm(3, 2, 2);
  options.ack_us = options.ack_calm_us = 1;
  options.crash_every_us = 700_ms;
  options.channels = 3;
  options.ops = 60;
  return options;
}

TEST(Shrink, LeavesOutWhatAFailureDoesNotNeed) {
  const Options options = hasty();
  const Shrunk shrunk = shrink(options, 300);
  ASSERT_TRUE(shrunk.reproduced);
  EXPECT_EQ(shrunk.options.crash_every_us, 0U);
  EXPECT_EQ(shrunk.options.channels, 1U);
  EXPECT_LT(shrunk.options.ops, 10U);
  const Result result = run(shrunk.options, true);
  ASSERT_TRUE(result.violation);
  EXPECT_EQ(kind_of(*result.violation), kind_of(*run(options).violation));
  EXPECT_LT(lines_of(history(result, {})), 40U);
}

TEST(Shrink, SaysWhenThereIsNothingToReproduceOrToLeaveOut) {
  const Shrunk holds = shrink(calm(2, 2, 2), 10);
  EXPECT_FALSE(holds.reproduced);
  EXPECT_TRUE(has(describe(holds), "keep every promise")) << describe(holds);
  const Shrunk simplest = shrink(shrink(hasty(), 300).options, 300);
  EXPECT_EQ(simplest.left_out, 0U);
  EXPECT_TRUE(has(describe(simplest), "cannot be made simpler")) << describe(simplest);
  const Shrunk short_of_runs = shrink(hasty(), 3);
  EXPECT_TRUE(short_of_runs.gave_up);
  EXPECT_TRUE(has(describe(short_of_runs), "as many as it had")) << describe(short_of_runs);
}

}  // namespace
}  // namespace inkmesh::sim
