#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "edge/outbox.h"

namespace inkmesh::edge {
namespace {

using Box = Outbox<std::string>;

std::vector<std::string> next(const Box& box, std::size_t frames_max, std::size_t bytes_max) {
  std::vector<std::string> out;
  box.next(frames_max, bytes_max, [&](const std::string& frame) { out.push_back(frame); });
  return out;
}

TEST(Outbox, ShowsFramesInTheirOrderUpToTheLimits) {
  Box box;
  for (const char* frame : {"a", "b", "c", "d"})
    box.push(frame, 10, 1);
  EXPECT_EQ(next(box, 3, 100), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(next(box, 3, 100), (std::vector<std::string>{"a", "b", "c"})) << "nothing has left";
  EXPECT_EQ(box.sent(30), 0U);
  EXPECT_TRUE(box.waiting());
  EXPECT_EQ(next(box, 3, 100), (std::vector<std::string>{"d"}));
  EXPECT_EQ(box.sent(10), 0U);
  EXPECT_TRUE(box.empty());

  for (const char* frame : {"a", "b", "c"})
    box.push(frame, 40, 1);
  EXPECT_EQ(next(box, 10, 100), (std::vector<std::string>{"a", "b"})) << "120 bytes would be over the limit";
}

TEST(Outbox, ShowsAtLeastOneFrameHoweverLarge) {
  Box box;
  box.push("large", 1'000'000, 1);
  box.push("small", 1, 1);
  EXPECT_EQ(next(box, 10, 100), (std::vector<std::string>{"large"}));
}

TEST(Outbox, WhatLeavesInTheMiddleOfAFrameIsTakenOutAndInFlight) {
  Box box;
  for (const char* frame : {"a", "b", "c"})
    box.push(frame, 10, 1);
  EXPECT_EQ(box.sent(14), 4U) << "of b";
  EXPECT_EQ(box.take_report(), 1U);
  EXPECT_EQ(box.bytes(), 20U) << "all of b is unsent until it has left";
  EXPECT_EQ(box.take(), "b");
  EXPECT_TRUE(box.in_flight());
  EXPECT_FALSE(box.empty());
  EXPECT_EQ(box.bytes(), 20U);
  box.written();
  EXPECT_FALSE(box.in_flight());
  EXPECT_EQ(box.bytes(), 10U);
  EXPECT_EQ(next(box, 10, 100), (std::vector<std::string>{"c"}));
}

TEST(Outbox, ReportsCostOnlyOnceItHasLeftAndOnlyOnce) {
  Box box;
  box.push("a", 10, 7);
  box.push("answer", 10, 0);
  box.push("b", 10, 5);
  EXPECT_EQ(box.bytes(), 30U);
  EXPECT_EQ(box.uncounted_bytes(), 10U);
  EXPECT_EQ(box.sent(0), 0U);
  EXPECT_EQ(box.unreported(), 0U);
  EXPECT_EQ(box.sent(20), 0U);
  EXPECT_EQ(box.bytes(), 10U);
  EXPECT_EQ(box.uncounted_bytes(), 0U);
  EXPECT_EQ(box.take_report(), 7U);
  EXPECT_EQ(box.take_report(), 0U);
  EXPECT_EQ(box.take(), "b");
  EXPECT_EQ(box.take_report(), 0U);
  box.written();
  EXPECT_EQ(box.take_report(), 5U);
}

TEST(Outbox, ClearForgetsWhatWaitsAndKeepsWhatIsInFlight) {
  Box box;
  box.push("a", 10, 1);
  box.push("b", 20, 0);
  EXPECT_EQ(box.take(), "a");
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
  std::vector<std::size_t> sizes;
  std::size_t pushed_cost = 0;
  std::size_t reported = 0;
  // Of what is next, some leaves, perhaps a part of a frame.
  const auto send_some = [&](std::size_t frames_max, std::size_t bytes_max) {
    if (box.in_flight()) return;
    const auto some = next(box, frames_max, bytes_max);
    std::size_t bytes = 0;
    for (const std::string& frame : some)
      bytes += sizes[static_cast<std::size_t>(std::stoul(frame))];
    if (some.empty()) return;
    const std::size_t left = random() % 2 == 0 ? bytes : random() % bytes;
    const std::size_t before = box.bytes();
    const std::size_t part = box.sent(left);
    ASSERT_EQ(before - box.bytes() + part, left);
    for (std::size_t whole = before - box.bytes(), at = 0; whole > 0; ++at) {
      out.push_back(some[at]);
      whole -= sizes[static_cast<std::size_t>(std::stoul(some[at]))];
    }
    if (left < bytes) out.push_back(box.take());
  };
  for (int i = 0; i < 20'000; ++i) {
    switch (random() % 3) {
      case 0: {
        const std::size_t burst = random() % 40;
        for (std::size_t k = 0; k < burst; ++k) {
          const std::size_t bytes = 1 + random() % 300;
          const std::size_t cost = random() % 4 == 0 ? 0 : bytes;
          in.push_back(std::to_string(in.size()));
          sizes.push_back(bytes);
          box.push(in.back(), bytes, cost);
          pushed_cost += cost;
        }
        break;
      }
      case 1:
        send_some(1 + random() % 30, 1 + random() % 5'000);
        break;
      default: {
        if (box.in_flight()) box.written();
        reported += box.take_report();
      }
    }
    ASSERT_LE(box.uncounted_bytes(), box.bytes());
  }
  while (!box.empty()) {
    if (box.in_flight()) box.written();
    send_some(100, 100'000);
  }
  reported += box.take_report();
  EXPECT_EQ(out, in);
  EXPECT_EQ(reported, pushed_cost);
  EXPECT_EQ(box.bytes(), 0U);
  EXPECT_EQ(box.uncounted_bytes(), 0U);
}

}  // namespace
}  // namespace inkmesh::edge
