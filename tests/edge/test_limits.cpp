#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "edge/address.h"
#include "edge/rate.h"
#include "edge/wheel.h"

namespace inkmesh::edge {
namespace {

TEST(TokenBucket, GivesABurstThenTheRate) {
  const Rate rate{10, 5};
  TokenBucket bucket;
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(bucket.take(rate, 1'000));
  EXPECT_FALSE(bucket.take(rate, 1'000));
  EXPECT_EQ(bucket.wait_ms(rate, 1'000), 100U);
  EXPECT_FALSE(bucket.take(rate, 1'099));
  EXPECT_TRUE(bucket.take(rate, 1'100));
  EXPECT_FALSE(bucket.take(rate, 1'100));
}

TEST(TokenBucket, NeverHoldsMoreThanABurst) {
  const Rate rate{1'000'000, 3};
  TokenBucket bucket;
  for (const MonotonicMs now : {5'000ULL, 50'000'000ULL}) {
    for (int i = 0; i < 3; ++i)
      EXPECT_TRUE(bucket.take(rate, now));
    EXPECT_FALSE(bucket.take(rate, now));
  }
}

TEST(TokenBucket, OverALongTimeGivesExactlyTheRate) {
  const Rate rate{7, 7};
  TokenBucket bucket;
  int given = 0;
  for (MonotonicMs now = 1'000; now < 101'000; now += 3)
    given += bucket.take(rate, now) ? 1 : 0;
  EXPECT_NEAR(given, 700 + 7, 1);
}

TEST(Wheel, BringsUpEachEntryOnceAtOrJustAfterItsTime) {
  Wheel wheel(10'000);
  std::vector<std::pair<ConnId, MonotonicMs>> up;
  MonotonicMs now = 10'000;
  const auto run_to = [&](MonotonicMs until) {
    for (; now <= until; now += 10)
      wheel.advance(now, [&](ConnId conn, std::uint64_t) { up.emplace_back(conn, now); });
  };
  wheel.add(1, 10'300);
  wheel.add(2, 10'101);
  wheel.add(3, 9'000);
  run_to(12'000);
  ASSERT_EQ(up.size(), 3U);
  EXPECT_EQ(up[0].first, 3U);
  EXPECT_EQ(up[1], (std::pair<ConnId, MonotonicMs>(2, 10'150)));
  EXPECT_EQ(up[2], (std::pair<ConnId, MonotonicMs>(1, 10'300)));
}

TEST(Wheel, CutsWhatLiesFurtherThanItsHorizonAndTakesNewEntriesWhileItTurns) {
  Wheel wheel(0);
  wheel.add(1, 10'000'000);
  int seen = 0;
  wheel.advance(60'000, [&](ConnId conn, std::uint64_t) {
    ++seen;
    if (seen < 3) wheel.add(conn, 1'000'000);
  });
  EXPECT_EQ(seen, 1);
  wheel.advance(200'000, [&](ConnId, std::uint64_t) { ++seen; });
  EXPECT_EQ(seen, 2);
}

IpAddress ip(const char* text) {
  const auto parsed = parse_ip(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(IpAddress{});
}

TEST(Address, IsReadInEveryFormThatProxiesWrite) {
  EXPECT_EQ(ip("192.0.2.1"), ip("192.0.2.1:8080"));
  EXPECT_EQ(ip("192.0.2.1"), ip("::ffff:192.0.2.1"));
  EXPECT_EQ(ip("2001:db8::1"), ip("[2001:db8::1]:443"));
  EXPECT_EQ(ip("2001:db8::1"), ip("[2001:db8::1]"));
  for (const char* bad :
       {"", "unknown", "1.2.3", "1.2.3.4.5", "[::1", "::g", "1.2.3.4 ", "999.1.1.1", "1.2.3.4:", "1.2.3.4:http",
        "1.2.3.4:65536", "1.2.3.4:80x", "1.2.3.4:-1", "[::1]80", "[::1]:", "[::1]:x"}) {
    EXPECT_FALSE(parse_ip(bad)) << bad;
  }
  EXPECT_FALSE(parse_ip(std::string("1.2.3.4\0", 8)));
  EXPECT_FALSE(parse_ip(std::string("::1\0x", 5)));
}

TEST(TrustedProxies, BelievesOnlyWhatTrustedHopsSay) {
  const TrustedProxies proxies({"10.0.0.0/8", "192.0.2.7", "2001:db8::/32"});
  EXPECT_TRUE(proxies.contains(ip("10.255.1.2")));
  EXPECT_TRUE(proxies.contains(ip("2001:db8:ffff::1")));
  EXPECT_FALSE(proxies.contains(ip("11.0.0.1")));
  EXPECT_FALSE(proxies.contains(ip("2001:db9::1")));

  EXPECT_EQ(proxies.client_of(ip("203.0.113.9"), "1.1.1.1"), ip("203.0.113.9")) << "the peer itself is not trusted";
  EXPECT_EQ(proxies.client_of(ip("10.0.0.1"), "1.1.1.1, 198.51.100.4"), ip("198.51.100.4")) << "the rest is hearsay";
  EXPECT_EQ(proxies.client_of(ip("10.0.0.1"), "198.51.100.4, 10.0.0.9 ,192.0.2.7"), ip("198.51.100.4"));
  EXPECT_EQ(proxies.client_of(ip("10.0.0.1"), ""), ip("10.0.0.1"));
  EXPECT_EQ(proxies.client_of(ip("10.0.0.1"), "nonsense"), ip("10.0.0.1"));
  EXPECT_EQ(proxies.client_of(ip("10.0.0.1"), "10.0.0.3, 10.0.0.2"), ip("10.0.0.3"));
}

TEST(TrustedProxies, RefusesWhatIsNeitherAddressNorNetwork) {
  for (const char* bad : {"proxy.example", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::1/129", ""}) {
    EXPECT_THROW(TrustedProxies({bad}), std::runtime_error) << bad;
  }
}

TEST(AddressCounts, HoldEachAddressToItsLimit) {
  AddressCounts counts(2);
  EXPECT_TRUE(counts.enter(ip("192.0.2.1")));
  EXPECT_TRUE(counts.enter(ip("192.0.2.1")));
  EXPECT_FALSE(counts.enter(ip("192.0.2.1")));
  EXPECT_TRUE(counts.enter(ip("192.0.2.2")));
  counts.leave(ip("192.0.2.1"));
  EXPECT_TRUE(counts.enter(ip("192.0.2.1")));
}

TEST(AddressCounts, TakeAnIpv6LineForOneAddress) {
  AddressCounts counts(1);
  EXPECT_TRUE(counts.enter(ip("2001:db8:0:1::1")));
  EXPECT_FALSE(counts.enter(ip("2001:db8:0:1:ffff::2")));
  EXPECT_TRUE(counts.enter(ip("2001:db8:0:2::1")));
}

}  // namespace
}  // namespace inkmesh::edge
