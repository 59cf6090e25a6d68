#include "core/cluster_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "inkmesh/stroke.h"

namespace inkmesh::core {
namespace {

std::vector<NodeId> nodes(std::size_t count) {
  std::vector<NodeId> ids;
  for (std::size_t i = 0; i < count; ++i)
    ids.push_back("ws" + std::to_string(i + 1));
  return ids;
}

TEST(ClusterMap, EveryNodeFindsTheSameHomes) {
  const ClusterMap one(nodes(5), "ws1", 2, 2);
  const ClusterMap other({"ws5", "ws3", "ws1", "ws2", "ws4"}, "ws4", 2, 2);
  EXPECT_EQ(one.generation(), other.generation());
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t hash = channel_hash("drawing_" + std::to_string(i));
    const auto homes = one.homes(hash);
    ASSERT_EQ(homes.size(), 2U);
    EXPECT_NE(homes[0], homes[1]);
    const auto theirs = other.homes(hash);
    for (std::size_t place = 0; place < 2; ++place)
      EXPECT_EQ(one.id(homes[place]), other.id(theirs[place]));
  }
}

TEST(ClusterMap, ChannelsSpreadEvenly) {
  const ClusterMap map(nodes(5), "ws1", 2, 2);
  std::map<NodeIx, int> count;
  for (int i = 0; i < 10'000; ++i) {
    for (const NodeIx home : map.homes(channel_hash("c" + std::to_string(i))))
      ++count[home];
  }
  for (const auto& [node, channels] : count) {
    EXPECT_GT(channels, 3'700) << map.id(node);
    EXPECT_LT(channels, 4'300) << map.id(node);
  }
}

TEST(ClusterMap, ANodeMoreMovesOnlyWhatItTakes) {
  const ClusterMap five(nodes(5), "ws1", 2, 2);
  const ClusterMap six(nodes(6), "ws1", 2, 2);
  for (int i = 0; i < 1'000; ++i) {
    const std::uint64_t hash = channel_hash("c" + std::to_string(i));
    std::set<NodeId> before;
    for (const NodeIx home : five.homes(hash))
      before.insert(five.id(home));
    for (const NodeIx home : six.homes(hash))
      EXPECT_TRUE(six.id(home) == "ws6" || before.count(six.id(home)) == 1);
  }
}

TEST(ClusterMap, MoreReplicasThanNodesMeansAll) {
  const ClusterMap map(nodes(3), "ws2", 16, 3);
  EXPECT_EQ(map.homes(1).size(), 3U);
}

TEST(ClusterMap, AnotherAckIsAnotherGeneration) {
  EXPECT_NE(ClusterMap(nodes(3), "ws1", 2, 1).generation(), ClusterMap(nodes(3), "ws1", 2, 2).generation());
}

}  // namespace
}  // namespace inkmesh::core
