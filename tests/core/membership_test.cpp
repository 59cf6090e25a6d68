// Which life of a peer is its present one.
#include "core/membership.h"

#include <gtest/gtest.h>

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
  ClusterMap cluster{{"me", "you"}, "me", 2, 2};
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

}  // namespace
}  // namespace inkmesh::core
