#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/twins.h"

namespace inkmesh::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Twins, ARestartIsNone) {
  Twins twins;
  for (MonotonicMs now = 1; now < 60'000; now += 500)
    EXPECT_FALSE(twins.heard("ws1", now < 30'000 ? "aaaaaaaa" : "bbbbbbbb", now));
  EXPECT_THAT(twins.seen(60'000), IsEmpty());
}

TEST(Twins, NorIsWhatADeadProcessHadSent) {
  Twins twins;
  twins.heard("ws1", "aaaaaaaa", 1);
  twins.heard("ws1", "bbbbbbbb", 2);
  for (MonotonicMs now = 20'000; now < 28'000; now += 100)
    EXPECT_FALSE(twins.heard("ws1", "aaaaaaaa", now));
  EXPECT_FALSE(twins.heard("ws1", "aaaaaaaa", 90'000)) << "a straggler";
  EXPECT_THAT(twins.seen(90'000), IsEmpty());
}

TEST(Twins, TwoThatGoOnAreToldOnceAMinuteAndSeenUntilOneStops) {
  Twins twins;
  int told = 0;
  for (MonotonicMs now = 1'000; now < 100'000; now += 500) {
    EXPECT_FALSE(twins.heard("ws2", "cccccccc", now));
    twins.heard("ws1", "bbbbbbbb", now);
    const auto text = twins.heard("ws1", now < 5'000 ? "bbbbbbbb" : "dddddddd", now);
    const auto other = twins.heard("ws1", "bbbbbbbb", now);
    EXPECT_FALSE(text);
    if (!other) continue;
    ++told;
    EXPECT_THAT(*other, HasSubstr("two processes run as ws1 (epochs bbbbbbbb and dddddddd)"));
  }
  EXPECT_LE(told, 2);
  EXPECT_THAT(twins.seen(100'000), ElementsAre("ws1"));
  EXPECT_THAT(twins.seen(110'000), IsEmpty());
}

}  // namespace
}  // namespace inkmesh::node
