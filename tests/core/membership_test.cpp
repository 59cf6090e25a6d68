// Which life of a peer is its present one, and whose strokes lie far ahead.
#include "core/membership.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "core/cluster_map.h"
#include "core/turn.h"
#include "inkmesh/effect.h"

namespace inkmesh::core {
namespace {

const Epoch kNew = "bbbbbbbb";
const Epoch kOld = "aaaaaaaa";

struct MembershipTest : testing::Test {
  Turn turn;
  Effects effects;
  ClusterMap cluster{{"me", "you"}, "me", 2, 1};
  Membership membership{turn, cluster};
  NodeIx you = *cluster.find("you");

  Membership::Heard heard(MonotonicMs ms, const Epoch& epoch) {
    turn.begin(Now{ms, 1'000'000}, effects);
    membership.tick();
    return membership.heard(you, epoch);
  }
};

TEST_F(MembershipTest, WhatAFormerLifeSaidIsLate) {
  EXPECT_EQ(heard(1000, kOld), Membership::Heard::reborn);
  EXPECT_EQ(heard(1100, kNew), Membership::Heard::reborn);
  EXPECT_EQ(heard(1200, kOld), Membership::Heard::ignored);
  EXPECT_EQ(heard(1300, kNew), Membership::Heard::known);
}

TEST_F(MembershipTest, ALifeThatSpeaksIsThePresentOneThoughALateWordOfAnotherCameAfterIt) {
  EXPECT_EQ(heard(1000, kNew), Membership::Heard::reborn);
  // Of a life that ended before ours began.
  EXPECT_EQ(heard(1010, kOld), Membership::Heard::reborn);
  MonotonicMs ms = 1500;
  for (; ms < 1010 + kDownMs + kHeartbeatMs && membership.peer(you).epoch != kNew; ms += kHeartbeatMs)
    heard(ms, kNew);
  EXPECT_EQ(membership.peer(you).epoch, kNew);
  EXPECT_EQ(heard(ms, kNew), Membership::Heard::known);
  EXPECT_EQ(heard(ms + 10, kOld), Membership::Heard::ignored);
}

TEST_F(MembershipTest, OfAnotherListItSaysWhatItsOwnIs) {
  heard(1000, kNew);
  effects.clear();
  Heartbeat beat;
  beat.list_generation = cluster.generation() + 1;
  beat.wall_us = 1'000'000;
  membership.heartbeat(you, beat);
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(std::get<Say>(effects[0]).text,
            "peer you runs with another node list, replicas or ack (here: 2 nodes, replicas 2, ack 1): give every node "
            "the same cluster.yaml");
}

struct StrokesAheadTest : MembershipTest {
  static constexpr TimeUs kHourUs = TimeUs{3'600} * 1'000'000;
  TimeUs wall_us = 1000 * kHourUs;

  void at(MonotonicMs ms) {
    effects.clear();
    turn.begin(Now{ms, wall_us}, effects);
  }
  std::size_t said() const {
    return effects.size();
  }
  std::string ahead() const {
    std::string text;
    for (const StrokesAhead& each : membership.strokes_ahead())
      text += each.node + " " + std::to_string(each.ahead_ms / 3'600'000) + " ";
    return text;
  }
};

TEST_F(StrokesAheadTest, EachNodeIsNamedThoughAnotherWasAMomentBefore) {
  at(1000);
  membership.ahead("you~aaaaaaaa", wall_us + 100 * kHourUs);
  EXPECT_EQ(said(), 1U);
  membership.ahead("them~aaaaaaaa", wall_us + 50 * kHourUs);
  EXPECT_EQ(said(), 2U);
  membership.ahead("you~bbbbbbbb", wall_us + 200 * kHourUs);
  membership.ahead("them~aaaaaaaa", wall_us + 30 * kHourUs);
  EXPECT_EQ(said(), 2U) << "once a minute";
  EXPECT_EQ(ahead(), "them 50 you 200 ");
  at(61'000);
  membership.ahead("you~aaaaaaaa", wall_us + 100 * kHourUs);
  EXPECT_EQ(said(), 1U);
}

TEST_F(StrokesAheadTest, OfManyNodesTheFurthestAreKept) {
  at(1000);
  membership.holds("far~aaaaaaaa", wall_us + 500 * kHourUs);
  for (std::size_t i = 0; i < kFurthestMax; ++i)
    membership.holds(make_origin("n" + std::to_string(i), "aaaaaaaa"), wall_us + (100 + i % 2) * kHourUs);
  membership.ahead("further~aaaaaaaa", wall_us + 600 * kHourUs);
  membership.ahead("near~aaaaaaaa", wall_us + 90 * kHourUs);
  EXPECT_EQ(membership.strokes_ahead().size(), kFurthestMax);
  EXPECT_EQ(ahead().substr(0, 20), "far 500 further 600 ");
  EXPECT_EQ(ahead().find("near"), std::string::npos);
}

}  // namespace
}  // namespace inkmesh::core
