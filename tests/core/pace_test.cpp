#include "core/pace.h"

#include <gtest/gtest.h>

namespace inkmesh::core {
namespace {

/// How many of `tries` are done without a wait, one every `every_us`, each worth `worth_us`; whoever must wait does.
int at_once(Pace& pace, int tries, std::uint64_t every_us, std::uint64_t worth_us, std::uint64_t& now_us) {
  int done = 0;
  for (int i = 0; i < tries; ++i) {
    now_us += every_us;
    const std::uint64_t wait_us = pace.wait_us(now_us);
    if (wait_us == 0) ++done;
    now_us += wait_us;
    pace.take(now_us, worth_us);
  }
  return done;
}

TEST(Pace, WhatIsSeldomIsDoneAtOnce) {
  Pace pace(10'000);
  std::uint64_t now_us = 1'000'000;
  EXPECT_EQ(at_once(pace, 1'000, 2'000, 1'500, now_us), 1'000);
}

TEST(Pace, WhatIsFrequentIsDoneAsOftenAsItIsWorth) {
  Pace pace(10'000);
  std::uint64_t now_us = 1'000'000;
  const std::uint64_t begin_us = now_us;
  at_once(pace, 1'000, 100, 2'000, now_us);
  EXPECT_NEAR(static_cast<double>(now_us - begin_us), 1'000 * 2'000.0, 15'000.0);
}

TEST(Pace, AQuietTimeIsKeptUpToItsBound) {
  Pace pace(10'000);
  std::uint64_t now_us = 60'000'000;
  // 10 ms pay for five, and the first one waits for nothing.
  EXPECT_EQ(at_once(pace, 100, 0, 2'000, now_us), 6);
  now_us += 4'000;
  EXPECT_EQ(at_once(pace, 100, 0, 2'000, now_us), 2);
}

TEST(Pace, NobodyWaitsForMoreThanTheLastOneWasWorth) {
  Pace pace(0);
  std::uint64_t now_us = 5'000;
  at_once(pace, 10, 0, 3'000, now_us);
  EXPECT_LE(pace.wait_us(now_us), 3'000U);
  for (int i = 0; i < 10; ++i)
    pace.take(now_us, 3'000);
  EXPECT_LE(pace.wait_us(now_us), 3'000U) << "who does not wait owes no more than the last one";
}

}  // namespace
}  // namespace inkmesh::core
