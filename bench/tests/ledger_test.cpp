// A run that loses, repeats or reorders must not pass.
#include "load/ledger.h"

#include <gtest/gtest.h>

namespace inkmesh::bench {
namespace {

// One channel with two authors and two who look on, and a second channel.
class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    ann = ledger.add_publisher(0);
    bob = ledger.add_publisher(0);
    elsewhere = ledger.add_publisher(1);
    first = ledger.add_subscriber(0);
    second = ledger.add_subscriber(0);
    third = ledger.add_subscriber(1);
  }

  Ledger ledger;
  std::uint32_t ann, bob, elsewhere, first, second, third;
};

TEST_F(LedgerTest, AllThatWasOwedCame) {
  EXPECT_EQ(ledger.next_seq(ann), 1U);
  EXPECT_EQ(ledger.next_seq(ann), 2U);
  EXPECT_EQ(ledger.next_seq(bob), 1U);
  EXPECT_EQ(ledger.owed(), 6U);
  for (const auto reader : {first, second}) {
    EXPECT_TRUE(ledger.delivered(reader, ann, 1));
    EXPECT_TRUE(ledger.delivered(reader, bob, 1));
    EXPECT_FALSE(ledger.settled());
    EXPECT_TRUE(ledger.delivered(reader, ann, 2));
  }
  EXPECT_TRUE(ledger.settled());
  EXPECT_EQ(ledger.verdict(), "");
}

TEST_F(LedgerTest, WhoComesLaterIsOwedWhatFollows) {
  ledger.next_seq(elsewhere);
  ledger.delivered(third, elsewhere, 1);
  const auto later = ledger.add_subscriber(1);
  EXPECT_TRUE(ledger.settled());
  ledger.next_seq(elsewhere);
  ledger.delivered(third, elsewhere, 2);
  EXPECT_TRUE(ledger.delivered(later, elsewhere, 2));
  EXPECT_TRUE(ledger.settled());
  EXPECT_FALSE(ledger.delivered(later, elsewhere, 1));
  EXPECT_EQ(ledger.verdict(), "1 repeated");
}

TEST_F(LedgerTest, WhatDidNotComeIsLost) {
  ledger.next_seq(ann);
  ledger.delivered(first, ann, 1);
  EXPECT_FALSE(ledger.settled());
  EXPECT_EQ(ledger.verdict(), "1 lost");
}

TEST_F(LedgerTest, WhatWasPassedOverIsLost) {
  for (int i = 0; i < 3; ++i)
    ledger.next_seq(elsewhere);
  ledger.delivered(third, elsewhere, 1);
  EXPECT_FALSE(ledger.delivered(third, elsewhere, 3));
  EXPECT_EQ(ledger.verdict(), "1 lost");
}

TEST_F(LedgerTest, WhatCameLateWasReordered) {
  for (int i = 0; i < 3; ++i)
    ledger.next_seq(elsewhere);
  ledger.delivered(third, elsewhere, 2);
  ledger.delivered(third, elsewhere, 1);
  ledger.delivered(third, elsewhere, 3);
  EXPECT_EQ(ledger.verdict(), "1 out of order");
}

TEST_F(LedgerTest, WhatCameTwiceWasRepeated) {
  ledger.next_seq(elsewhere);
  ledger.delivered(third, elsewhere, 1);
  EXPECT_FALSE(ledger.delivered(third, elsewhere, 1));
  EXPECT_EQ(ledger.verdict(), "1 repeated");
}

TEST_F(LedgerTest, ARepeatDoesNotMakeUpForALoss) {
  ledger.next_seq(ann);
  ledger.delivered(first, ann, 1);
  ledger.delivered(first, ann, 1);
  EXPECT_FALSE(ledger.settled());
  EXPECT_EQ(ledger.verdict(), "1 lost, 1 repeated");
}

TEST_F(LedgerTest, NothingComesFromAnotherChannel) {
  ledger.next_seq(ann);
  EXPECT_FALSE(ledger.delivered(third, ann, 1));
  EXPECT_FALSE(ledger.delivered(third, 999, 1));
  EXPECT_EQ(ledger.verdict(), "2 lost, 2 of another channel or publisher");
}

}  // namespace
}  // namespace inkmesh::bench
