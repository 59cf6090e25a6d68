#include "core/interest.h"

#include <gtest/gtest.h>

namespace inkmesh::core {
namespace {

struct InterestTest : testing::Test {
  Effects effects;
  Turn turn;
  ClusterMap cluster{{"ws1", "ws2"}, "ws1", 2, 2};
  Interest interest{turn, cluster, 2};

  InterestTest() {
    at(1000);
  }
  void at(MonotonicMs ms) {
    turn.begin(Now{ms, 0}, effects);
  }
};

constexpr NodeIx kPeer = 1;

TEST_F(InterestTest, IsAnnouncedOnTheEdgesOnly) {
  EXPECT_TRUE(interest.opened(7));
  EXPECT_FALSE(interest.opened(7));
  const auto opened = interest.flush();
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->from, 0U);
  EXPECT_EQ(opened->opened, std::vector<std::uint64_t>{7});
  EXPECT_FALSE(interest.closed(7));
  EXPECT_FALSE(interest.flush());
  EXPECT_TRUE(interest.closed(7));
  EXPECT_EQ(interest.flush()->closed, std::vector<std::uint64_t>{7});
  EXPECT_EQ(interest.digest(), 0U);
}

TEST_F(InterestTest, OpenedAndClosedInOneTurnSaysNothing) {
  interest.opened(7);
  interest.closed(7);
  EXPECT_FALSE(interest.flush());
  EXPECT_EQ(interest.version(), 0U);
}

TEST_F(InterestTest, AFullSetInsideATurnLeavesTheTurnToItsDelta) {
  interest.opened(1);
  interest.flush();
  interest.opened(2);
  interest.closed(1);
  const InterestFull full = interest.full();
  EXPECT_EQ(full.version, 1U);
  EXPECT_EQ(full.channels, std::vector<std::uint64_t>{1});
}

TEST_F(InterestTest, APeerIsNotHeardUntilItsFirstSetIsKnown) {
  EXPECT_FALSE(interest.heard(kPeer));
  EXPECT_FALSE(interest.interested(kPeer, 42));
  interest.check(kPeer, 0, 0);
  EXPECT_TRUE(interest.heard(kPeer));
  EXPECT_FALSE(interest.interested(kPeer, 42));
  interest.forget(kPeer);
  EXPECT_FALSE(interest.heard(kPeer));
}

TEST_F(InterestTest, DeltasThatFollowAreTakenAndAGapAsksForAll) {
  EXPECT_EQ(interest.apply(kPeer, InterestDelta{0, {5}, {}}).opened, std::vector<std::uint64_t>{5});
  EXPECT_TRUE(interest.interested(kPeer, 5));
  EXPECT_TRUE(interest.apply(kPeer, InterestDelta{2, {9}, {}}).ask);
  EXPECT_TRUE(interest.interested(kPeer, 1234)) << "what it has open is not known now";
  const auto change = interest.apply(kPeer, InterestFull{3, {9}});
  EXPECT_EQ(change.opened, std::vector<std::uint64_t>{9});
  EXPECT_EQ(change.closed, std::vector<std::uint64_t>{5});
  EXPECT_FALSE(interest.interested(kPeer, 5));
}

TEST_F(InterestTest, AHeartbeatWithAnotherDigestAsksForAllTwiceASecondAtMost) {
  interest.apply(kPeer, InterestDelta{0, {5}, {}});
  EXPECT_FALSE(interest.check(kPeer, 1, mix(5)).ask);
  EXPECT_TRUE(interest.check(kPeer, 1, mix(6)).ask);
  EXPECT_FALSE(interest.check(kPeer, 1, mix(6)).ask);
  at(2000);
  EXPECT_TRUE(interest.check(kPeer, 1, mix(6)).ask);
  interest.apply(kPeer, InterestFull{1, {6}});
  EXPECT_TRUE(interest.interested(kPeer, 6));
  EXPECT_FALSE(interest.interested(kPeer, 5));
}

TEST_F(InterestTest, ByChannelAreThoseThatAreByPeer) {
  const std::vector<NodeIx> nobody;
  const std::vector<NodeIx> peer{kPeer};
  interest.apply(kPeer, InterestDelta{0, {5, 6}, {}});
  EXPECT_EQ(interest.interested(5), peer);
  EXPECT_EQ(interest.interested(7), nobody);
  interest.apply(kPeer, InterestDelta{1, {7}, {5}});
  EXPECT_EQ(interest.interested(5), nobody);
  EXPECT_EQ(interest.interested(7), peer);
  interest.apply(kPeer, InterestDelta{3, {}, {7}});
  EXPECT_EQ(interest.interested(1234), peer) << "what it has open is not known now";
  EXPECT_EQ(interest.interested(7), peer);
  interest.apply(kPeer, InterestFull{4, {8}});
  EXPECT_EQ(interest.interested(1234), nobody);
  EXPECT_EQ(interest.interested(7), nobody);
  EXPECT_EQ(interest.interested(8), peer);
  interest.hint(kPeer, 9);
  EXPECT_EQ(interest.interested(9), peer);
  at(4000);
  interest.tick();
  EXPECT_EQ(interest.interested(9), nobody);
  EXPECT_EQ(interest.unheard(), std::vector<NodeIx>{0});
  interest.forget(kPeer);
  EXPECT_EQ(interest.interested(8), nobody);
  EXPECT_EQ(interest.unheard(), (std::vector<NodeIx>{0, kPeer}));
}

TEST_F(InterestTest, AHintHoldsUntilGossipMustHaveSaidIt) {
  interest.check(kPeer, 0, 0);
  EXPECT_EQ(interest.hint(kPeer, 8).opened, std::vector<std::uint64_t>{8});
  EXPECT_TRUE(interest.hint(kPeer, 8).opened.empty());
  EXPECT_TRUE(interest.interested(kPeer, 8));
  at(4000);
  interest.tick();
  EXPECT_FALSE(interest.interested(kPeer, 8));
}

TEST_F(InterestTest, PastTheBoundOfHintsAPeerCountsAsInterestedInEverything) {
  interest.check(kPeer, 0, 0);
  interest.hint(kPeer, 8);
  interest.hint(kPeer, 9);
  EXPECT_TRUE(interest.hint(kPeer, 10).ask);
  EXPECT_EQ(interest.hints(kPeer), 2U);
  EXPECT_TRUE(interest.interested(kPeer, 10));
  interest.apply(kPeer, InterestFull{1, {8, 9, 10}});
  EXPECT_TRUE(interest.interested(kPeer, 10));
  EXPECT_FALSE(interest.interested(kPeer, 11));
}

}  // namespace
}  // namespace inkmesh::core
