#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "mesh/addresses.h"

namespace inkmesh::mesh {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

TEST(Addresses, PutIpv6IntoBrackets) {
  EXPECT_EQ(endpoint_of({"10.0.0.1", 7001}), "tcp://10.0.0.1:7001");
  EXPECT_EQ(endpoint_of({"fe80::1", 7001}), "tcp://[fe80::1]:7001");
  EXPECT_EQ(endpoint_of({"ws1.example.org", 7001}), "tcp://ws1.example.org:7001");
}

TEST(Addresses, NumericHostsAreBoundAsTheyAre) {
  EXPECT_THAT(bind_endpoints({"0.0.0.0", 7001}), ElementsAre("tcp://0.0.0.0:7001"));
  EXPECT_THAT(bind_endpoints({"::1", 7001}), ElementsAre("tcp://[::1]:7001"));
}

TEST(Addresses, NamesAreBoundAtEveryAddressTheyHave) {
  const auto endpoints = bind_endpoints({"localhost", 7001});
  EXPECT_THAT(endpoints, Contains("tcp://127.0.0.1:7001"));
  EXPECT_THAT(endpoints, Not(Contains("tcp://localhost:7001")));
}

TEST(Addresses, AnUnknownNameSaysSo) {
  EXPECT_THROW(bind_endpoints({"no-such-host.invalid", 7001}), std::runtime_error);
}

TEST(Addresses, NamesWithIpv4AreLookedUpAsIpv4) {
  EXPECT_FALSE(connects_by_ipv6({"localhost", 7001}));
  EXPECT_FALSE(connects_by_ipv6({"127.0.0.1", 7001}));
  EXPECT_TRUE(connects_by_ipv6({"::1", 7001}));
}

}  // namespace
}  // namespace inkmesh::mesh
