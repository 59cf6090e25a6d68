#include "node/config/config_values.h"

#include <gtest/gtest.h>

#include <string>

namespace inkmesh::config {
namespace {

std::string read_back(const std::string& text) {
  const auto address = parse_address(text);
  return address ? format_address(*address) : "refused";
}

TEST(ConfigAddress, TakesIpv4Ipv6AndNames) {
  EXPECT_EQ(read_back("127.0.0.1:8081"), "127.0.0.1:8081");
  EXPECT_EQ(read_back("[::1]:8081"), "[::1]:8081");
  EXPECT_EQ(read_back("ws1.example.org:65535"), "ws1.example.org:65535");
  EXPECT_EQ(read_back("localhost:1"), "localhost:1");
  EXPECT_EQ(read_back("my_service-2:80"), "my_service-2:80");
}

TEST(ConfigAddress, EqualAddressesComeBackAsEqualText) {
  EXPECT_EQ(read_back("[2001:DB8:0:0:0:0:0:7]:80"), "[2001:db8::7]:80");
  EXPECT_EQ(read_back("WS1.Example.org:80"), "ws1.example.org:80");
  EXPECT_EQ(read_back("[::ffff:127.0.0.1]:80"), "127.0.0.1:80");
  EXPECT_EQ(read_back("[0:0:0:0:0:FFFF:7f00:1]:80"), "127.0.0.1:80");
  EXPECT_EQ(read_back("[0:0:0:0:0:0:0:1]:80"), "[::1]:80");
}

TEST(ConfigAddress, RefusesWhatIsNone) {
  for (const char* text : {"",
                           ":",
                           "8081",
                           "ws1",
                           "ws1:",
                           ":8081",
                           "ws1:0",
                           "ws1:65536",
                           "ws1:-1",
                           "ws1:+80",
                           "ws1:8o",
                           "::1:8081",
                           "[::1]",
                           "[::1]8081",
                           "[127.0.0.1]:80",
                           "[]:80",
                           "300.1.1.1:80",
                           "1.2.3:80",
                           "-ws:80",
                           "a..b:80",
                           "ws1.:80",
                           "ws 1:80",
                           "http://ws1:80",
                           "ws1:80/x",
                           "[::1%eth0]:80",
                           "127.0.0.1:0080",
                           "127.0.0.01:80",
                           "ws1:99999999999999999999"}) {
    EXPECT_EQ(read_back(text), "refused") << text;
  }
  EXPECT_EQ(read_back(std::string(64, 'a') + ":80"), "refused");
  EXPECT_EQ(read_back(std::string("127.0.0.1\0x:80", 15)), "refused");
  EXPECT_EQ(read_back(std::string("[::1\0]:80", 10)), "refused");
  EXPECT_FALSE(parse_ip(std::string("10.0.0.1\0", 9)));
  EXPECT_EQ(read_back(std::string(63, 'a') + ":80"), std::string(63, 'a') + ":80");
}

TEST(ConfigAddress, KnowsWildcards) {
  EXPECT_TRUE(is_wildcard({"0.0.0.0", 80}));
  EXPECT_TRUE(is_wildcard({"::", 80}));
  EXPECT_FALSE(is_wildcard({"127.0.0.1", 80}));
  EXPECT_EQ(read_back("[0:0:0:0:0:0:0:0]:80"), "[::]:80");
}

TEST(ConfigSize, IsANumberWithItsUnit) {
  EXPECT_EQ(parse_size("64GiB"), std::uint64_t{64} << 30);
  EXPECT_EQ(parse_size("512KiB"), std::uint64_t{512} << 10);
  EXPECT_EQ(parse_size("1TiB"), std::uint64_t{1} << 40);
  EXPECT_EQ(parse_size("4096B"), std::uint64_t{4096});
  for (const char* text :
       {"", "64", "GiB", "64GB", "64 GiB", "64gib", "-1GiB", "1.5GiB", "64G", "064GiB", "99999999999TiB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(ConfigSize, IsWrittenWithItsLargestUnit) {
  EXPECT_EQ(format_size(std::uint64_t{64} << 30), "64GiB");
  EXPECT_EQ(format_size(std::uint64_t{1536} << 10), "1536KiB");
  EXPECT_EQ(format_size(1), "1B");
  EXPECT_EQ(format_size(0), "0B");
}

TEST(ConfigNearest, FindsAMistypedWordAndNothingFarOff) {
  const std::vector<std::string> known = {"id", "client", "gossip", "mesh", "replicas"};
  EXPECT_EQ(nearest("clinet", known), "client");
  EXPECT_EQ(nearest("replica", known), "replicas");
  EXPECT_EQ(nearest("Mesh", known), "mesh");
  EXPECT_EQ(nearest("di", known), "id");
  EXPECT_EQ(nearest("name", known), "");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), known), "");
}

}  // namespace
}  // namespace inkmesh::config
