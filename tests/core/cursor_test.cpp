#include "inkmesh/cursor.h"

#include <gtest/gtest.h>

namespace inkmesh {
namespace {

const Origin kA = "ws1~5k2m9x1q";
const Origin kB = "ws2~h80c3jzt";

TEST(Cursor, AnAbsentOriginStandsAtZeroAndZeroIsNotKept) {
  Cursor cursor(Cursor::Map{{kA, 3}, {kB, 0}});
  EXPECT_EQ(cursor.size(), 1U);
  EXPECT_EQ(cursor.at(kB), 0U);
  cursor.set(kA, 0);
  EXPECT_TRUE(cursor.empty());
}

TEST(Cursor, RaiseNeverGoesBack) {
  Cursor cursor;
  cursor.raise(kA, 5);
  cursor.raise(kA, 2);
  EXPECT_EQ(cursor.at(kA), 5U);
}

TEST(Cursor, MergeIsTheLeastUpperBound) {
  const Cursor a(Cursor::Map{{kA, 5}});
  const Cursor b(Cursor::Map{{kA, 3}, {kB, 7}});
  Cursor ab = a;
  ab.merge(b);
  Cursor ba = b;
  ba.merge(a);
  EXPECT_EQ(ab, ba);
  EXPECT_EQ(ab, Cursor(Cursor::Map{{kA, 5}, {kB, 7}}));
  EXPECT_TRUE(ab.covers(a));
  EXPECT_TRUE(ab.covers(b));
  EXPECT_FALSE(a.covers(b));
  EXPECT_FALSE(b.covers(a));
  EXPECT_TRUE(a.covers(Cursor{}));
}

TEST(Cursor, IsMadeOfOriginsInAnyOrderAndTheLastWordOnEachCounts) {
  const Cursor cursor(Cursor::Map{{kB, 1}, {kA, 2}, {kB, 7}, {"x~00000000", 3}, {"x~00000000", 0}});
  EXPECT_EQ(cursor.seqs(), (Cursor::Map{{kA, 2}, {kB, 7}}));
}

TEST(Cursor, KeepsItsOriginsInOrderHoweverTheyCome) {
  Cursor cursor;
  cursor.set(kB, 2);
  cursor.raise(kA, 1);
  cursor.raise("a~00000000", 0);
  EXPECT_EQ(cursor.seqs(), (Cursor::Map{{kA, 1}, {kB, 2}}));
  cursor.merge(Cursor(Cursor::Map{{"a~00000000", 4}, {kB, 1}, {"x~00000000", 3}}));
  EXPECT_EQ(cursor.seqs(), (Cursor::Map{{"a~00000000", 4}, {kA, 1}, {kB, 2}, {"x~00000000", 3}}));
  EXPECT_FALSE(cursor.covers(Cursor(Cursor::Map{{kA, 1}, {"k~00000000", 1}})));
  EXPECT_TRUE(cursor.covers(Cursor(Cursor::Map{{"a~00000000", 4}, {"x~00000000", 2}})));
}

}  // namespace
}  // namespace inkmesh
