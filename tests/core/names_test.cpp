#include <gtest/gtest.h>

#include <set>
#include <string>

#include "inkmesh/types.h"

namespace inkmesh {
namespace {

TEST(Names, ChannelsAre1To128OfTheirAlphabet) {
  EXPECT_TRUE(valid_channel("drawing_abc123"));
  EXPECT_TRUE(valid_channel("A-Z.a:z_0-9"));
  EXPECT_TRUE(valid_channel(std::string(128, 'x')));
  EXPECT_FALSE(valid_channel(std::string(129, 'x')));
  EXPECT_FALSE(valid_channel(""));
  for (const char bad : std::string("~/ \n\0é", 7))
    EXPECT_FALSE(valid_channel(std::string(1, bad)));
}

TEST(Names, ClientsAreAtMost64) {
  EXPECT_TRUE(valid_client(std::string(64, 'c')));
  EXPECT_FALSE(valid_client(std::string(65, 'c')));
}

TEST(Names, AnOriginIsANodeATildeAndAnEpoch) {
  EXPECT_TRUE(valid_origin("ws1~5k2m9x1q"));
  EXPECT_FALSE(valid_origin("ws1~5k2m9x1"));
  EXPECT_FALSE(valid_origin("~5k2m9x1q"));
  EXPECT_FALSE(valid_origin("ws1~5K2M9X1Q"));
  EXPECT_FALSE(valid_origin("ws.1~5k2m9x1q"));
  EXPECT_EQ(node_of(make_origin("ws-1", "5k2m9x1q")), "ws-1");
}

TEST(Names, AnEpochIsEachOf40Bits) {
  std::set<Epoch> seen;
  for (unsigned bit = 0; bit < 40; ++bit) {
    const Epoch epoch = epoch_from_bits(std::uint64_t{1} << bit);
    EXPECT_TRUE(valid_origin(make_origin("n", epoch))) << epoch;
    seen.insert(epoch);
  }
  EXPECT_EQ(seen.size(), 40U);
  EXPECT_EQ(epoch_from_bits(std::uint64_t{1} << 40), epoch_from_bits(0));
}

}  // namespace
}  // namespace inkmesh
