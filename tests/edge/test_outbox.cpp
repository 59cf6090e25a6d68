#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "edge/outbox.h"

namespace inkmesh::edge {
namespace {

using Box = Outbox<std::string>;

std::vector<std::string> fed(Box& box, std::size_t frames_max, std::size_t bytes_max) {
  std::vector<std::string> out;
  box.feed(frames_max, bytes_max, [&](const std::string& frame) { out.push_back(frame); });
  return out;
}

TEST(Outbox, GivesFramesInTheirOrderUpToTheLimits) {
  Box box;
  for (const char* frame : {"a", "b", "c", "d"})
    box.push(frame, 10, 1);
  EXPECT_EQ(fed(box, 3, 100), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(box.in_flight());
  EXPECT_TRUE(box.waiting());
  box.written();
  EXPECT_EQ(fed(box, 3, 100), (std::vector<std::string>{"d"}));
  box.written();
  EXPECT_TRUE(box.empty());

  for (const char* frame : {"a", "b", "c"})
    box.push(frame, 40, 1);
  EXPECT_EQ(fed(box, 10, 100), (std::vector<std::string>{"a", "b"})) << "120 bytes would be over the limit";
}

TEST(Outbox, GivesAtLeastOneFrameHoweverLarge) {
  Box box;
  box.push("large", 1'000'000, 1);
  box.push("small", 1, 1);
  EXPECT_EQ(fed(box, 10, 100), (std::vector<std::string>{"large"}));
}

TEST(Outbox, ReportsCostOnlyOnceItHasLeftAndOnlyOnce) {
  Box box;
  box.push("a", 10, 7);
  box.push("answer", 10, 0);
  box.push("b", 10, 5);
  EXPECT_EQ(box.bytes(), 30U);
  EXPECT_EQ(box.uncounted_bytes(), 10U);
  fed(box, 2, 100);
  EXPECT_EQ(box.unreported(), 0U);
  box.written();
  EXPECT_EQ(box.bytes(), 10U);
  EXPECT_EQ(box.uncounted_bytes(), 0U);
  EXPECT_EQ(box.take_report(), 7U);
  EXPECT_EQ(box.take_report(), 0U);
  fed(box, 2, 100);
  box.written();
  EXPECT_EQ(box.take_report(), 5U);
}

TEST(Outbox, ClearForgetsWhatWaitsAndKeepsWhatIsInFlight) {
  Box box;
  box.push("a", 10, 1);
  box.push("b", 20, 0);
  fed(box, 1, 100);
  box.clear();
  EXPECT_FALSE(box.waiting());
  EXPECT_EQ(box.bytes(), 10U);
  EXPECT_EQ(box.uncounted_bytes(), 0U);
  box.written();
  EXPECT_EQ(box.take_report(), 1U);
  EXPECT_EQ(box.bytes(), 0U);
}

TEST(Outbox, AddsUpUnderAnyMixOfCalls) {
  std::mt19937 random(7);
  Box box;
  std::vector<std::string> in;
  std::vector<std::string> out;
  std::size_t pushed_cost = 0;
  std::size_t reported = 0;
  std::size_t unsent = 0;
  for (int i = 0; i < 20'000; ++i) {
    switch (random() % 3) {
      case 0: {
        const std::size_t burst = random() % 40;
        for (std::size_t k = 0; k < burst; ++k) {
          const std::size_t bytes = 1 + random() % 300;
          const std::size_t cost = random() % 4 == 0 ? 0 : bytes;
          in.push_back(std::to_string(in.size()));
          box.push(in.back(), bytes, cost);
          pushed_cost += cost;
          unsent += bytes;
        }
        break;
      }
      case 1:
        if (!box.in_flight()) {
          const auto some = fed(box, 1 + random() % 30, 1 + random() % 5'000);
          out.insert(out.end(), some.begin(), some.end());
        }
        break;
      default: {
        const std::size_t before = box.bytes();
        if (box.in_flight()) box.written();
        unsent -= before - box.bytes();
        reported += box.take_report();
      }
    }
    ASSERT_EQ(box.bytes(), unsent);
    ASSERT_LE(box.uncounted_bytes(), box.bytes());
  }
  while (!box.empty()) {
    if (box.in_flight()) box.written();
    const auto some = fed(box, 100, 100'000);
    out.insert(out.end(), some.begin(), some.end());
  }
  reported += box.take_report();
  EXPECT_EQ(out, in);
  EXPECT_EQ(reported, pushed_cost);
  EXPECT_EQ(box.bytes(), 0U);
  EXPECT_EQ(box.uncounted_bytes(), 0U);
}

}  // namespace
}  // namespace inkmesh::edge
