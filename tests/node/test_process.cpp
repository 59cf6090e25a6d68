#include <gtest/gtest.h>

#include "node/process.h"

namespace inkmesh::node {
namespace {

TEST(Process, KnowsItself) {
  const ProcessUsage usage = process_usage();
  EXPECT_GT(usage.resident_bytes, std::uint64_t{1} << 20);
  EXPECT_GE(usage.descriptors, 3U);
  EXPECT_LE(usage.descriptors, usage.descriptors_max);
  EXPECT_GT(usage.start_time_s, 1.7e9);
}

TEST(Process, RaisesItsDescriptorsToTheHardLimit) {
  const std::uint64_t raised = raise_descriptor_limit();
  EXPECT_EQ(raised, process_usage().descriptors_max);
  EXPECT_EQ(raise_descriptor_limit(), raised);
}

TEST(Process, LimitsThatFitStayAsTheyAre) {
  const LimitSettings wanted;
  const auto fitting = limits_within(1'048'576, wanted, 3);
  ASSERT_TRUE(fitting.has_value());
  EXPECT_EQ(fitting->connections, wanted.connections);
  EXPECT_EQ(fitting->handshakes, wanted.handshakes);
}

TEST(Process, LimitsThatDoNotFitAreLowered) {
  const auto fitting = limits_within(1'024, LimitSettings{}, 3);
  ASSERT_TRUE(fitting.has_value());
  EXPECT_LT(fitting->connections + fitting->handshakes, 1'024U - 128U);
  EXPECT_GT(fitting->connections, 600U);
  EXPECT_GT(fitting->handshakes, 60U);
}

TEST(Process, AsManyDescriptorsAsAreSaidToBeNeededAreEnough) {
  const LimitSettings wanted;
  const std::uint64_t needed = descriptors_needed(wanted, 3);
  EXPECT_EQ(limits_within(needed, wanted, 3)->connections, wanted.connections);
  EXPECT_LT(limits_within(needed - 1, wanted, 3)->connections, wanted.connections);
}

TEST(Process, TooFewDescriptorsAreRefused) {
  EXPECT_FALSE(limits_within(128, LimitSettings{}, 3).has_value());
  EXPECT_FALSE(limits_within(0, LimitSettings{}, 1).has_value());
}

TEST(Process, RandomBitsDiffer) {
  EXPECT_NE(random_bits(), random_bits());
}

}  // namespace
}  // namespace inkmesh::node
