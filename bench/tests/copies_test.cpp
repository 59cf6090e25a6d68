// How often a stroke has to go to another node: what is measured between nodes is held against it.
#include "load/copies.h"

#include <gtest/gtest.h>

#include <numeric>

#include "load/plans.h"

namespace inkmesh::bench {
namespace {

std::vector<std::uint32_t> copies(const MeshCase& wanted, std::uint32_t homes) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < wanted.drawings; ++i)
    names.push_back("drawing-" + std::to_string(i));
  return copies_by_member(mesh(wanted), names, wanted.nodes, homes);
}

std::uint32_t sum(const std::vector<std::uint32_t>& all) {
  return std::accumulate(all.begin(), all.end(), 0U);
}

TEST(CopiesTest, GoNowhereWhereAllAreAtOneNodeAndNobodyElseStoresThem) {
  const auto all = copies({.drawings = 30, .together = true}, 0);
  ASSERT_EQ(all.size(), 90U);
  EXPECT_EQ(sum(all), 0U);
}

TEST(CopiesTest, GoToEveryNodeWhereSomebodyLooksOn) {
  const auto all = copies({.drawings = 30}, 0);
  EXPECT_EQ(sum(all), 90U * 2);
}

TEST(CopiesTest, GoToHomesToo) {
  // With two homes among three nodes, each author is at one of them or not: one copy or two.
  const auto all = copies({.drawings = 300, .together = true}, 2);
  for (const auto one : all)
    EXPECT_TRUE(one == 1 || one == 2);
  EXPECT_NEAR(sum(all) / 900.0, 4.0 / 3, 0.1);
}

TEST(CopiesTest, AreNoneOfThoseWhoDoNotDraw) {
  const auto plan = fanout({.subscribers = 2, .publish_at = 0, .subscribe_at = 1});
  EXPECT_EQ(copies_by_member(plan, {"drawing"}, 3, 0), (std::vector<std::uint32_t>{0, 0, 1}));
}

}  // namespace
}  // namespace inkmesh::bench
