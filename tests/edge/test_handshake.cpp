// From a TCP connection to an open WebSocket, and all the ways in which that may not come to pass.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <thread>

#include "edge_fixture.h"

namespace inkmesh::edge::test {
namespace {

using Clock = std::chrono::steady_clock;

std::string status_line(const std::string& head) {
  return head.substr(0, head.find("\r\n"));
}

class Handshake : public EdgeTest {
 protected:
  std::string answer_to(const std::string& request) {
    RawClient one = client();
    one.send_raw(request);
    return status_line(one.read_all());
  }
};

TEST_F(Handshake, IsTheOneOfTheRfc) {
  start();
  RawClient one = client();
  const std::string head = one.upgrade();
  EXPECT_EQ(status_line(head), "HTTP/1.1 101 Switching Protocols");
  EXPECT_NE(head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("Sec-WebSocket-Protocol"), std::string::npos);
}

TEST_F(Handshake, TakesOurSubprotocolAmongOthersAndNoOther) {
  start();
  EXPECT_NE(client()
                .upgrade("/ws", "Sec-WebSocket-Protocol: mqtt, inkmesh.v1\r\n")
                .find("Sec-WebSocket-Protocol: inkmesh.v1\r\n"),
            std::string::npos);
  EXPECT_EQ(status_line(client().upgrade("/ws", "Sec-WebSocket-Protocol: inkmesh.v2, mqtt\r\n")),
            "HTTP/1.1 400 Bad Request");
}

TEST_F(Handshake, OffersNoExtension) {
  start();
  const std::string head =
      client().upgrade("/ws", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
  EXPECT_EQ(status_line(head), "HTTP/1.1 101 Switching Protocols");
  EXPECT_EQ(head.find("Sec-WebSocket-Extensions"), std::string::npos) << head;
}

TEST_F(Handshake, RefusesWhatIsNoneOfOurs) {
  start();
  EXPECT_EQ(answer_to(upgrade_request("/other")), "HTTP/1.1 404 Not Found");
  const std::string good = upgrade_request();
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = good;
    changed.replace(changed.find(from), from.size(), to);
    return answer_to(changed);
  };
  EXPECT_EQ(with("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(with("Sec-WebSocket-Version: 13\r\n", ""), "HTTP/1.1 400 Bad Request") << "hixie-76";
  EXPECT_EQ(with("dGhlIHNhbXBsZSBub25jZQ==", "short"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(with("Host: localhost\r\n", ""), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(with("GET ", "POST "), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(with("\r\n\r\n", "\r\nContent-Length: 4\r\n\r\nabcd"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(answer_to("nonsense\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'x')),
            "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_F(Handshake, FramesSentWithTheRequestAreRead) {
  start();
  RawClient one = client();
  one.send_raw(upgrade_request() + client_frame(kFin | kText, R"({"type":"ping"})") + client_frame(kFin | kPing, "x"));
  one.read_head();
  EXPECT_EQ(one.read_text(), R"({"type":"pong"})");
}

TEST_F(Handshake, ThatIsSlowIsCutOffAfterThreeSeconds) {
  start();
  RawClient silent = client();
  RawClient half = client();
  RawClient dripping = client();
  const auto begin = Clock::now();
  half.send_raw(upgrade_request().substr(0, 60));
  std::thread drip([&] {
    for (const char c : upgrade_request("/ws", "X: " + std::string(2'000, 'x') + "\r\n")) {
      if (!dripping.send_raw(std::string(1, c))) return;
      std::this_thread::sleep_for(Millis(20));
      if (Clock::now() - begin > Millis(8'000)) return;
    }
  });
  EXPECT_TRUE(silent.closed_within(Millis(6'000)));
  EXPECT_GE(Clock::now() - begin, Millis(2'900));
  EXPECT_TRUE(half.closed_within(Millis(1'000)));
  EXPECT_TRUE(dripping.closed_within(Millis(1'000)));
  EXPECT_LE(Clock::now() - begin, Millis(kSanitized ? 8'000 : 4'500));
  drip.join();
  EXPECT_TRUE(eventually([&] { return edge->stats().handshakes == 0; }));
  EXPECT_TRUE(node.look([&] { return node.closed.empty(); }));
}

TEST_F(Handshake, HalfOpenConnectionsMakeRoomForOnesThatMeanIt) {
  settings.limits.handshakes = 40;
  start();
  std::vector<RawClient> half;
  for (int i = 0; i < 200; ++i)
    half.push_back(client());
  ASSERT_TRUE(eventually([&] { return edge->stats().accepted == 200; }));
  EXPECT_LE(edge->stats().handshakes, 40U);
  EXPECT_GE(edge->stats().refused, 160U);
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(client().open().round_trip());
}

TEST_F(Handshake, ConnectionsAreLimitedInAll) {
  settings.limits.connections = 3;
  start();
  std::vector<RawClient> open;
  for (int i = 0; i < 3; ++i)
    open.push_back(std::move(client().open()));
  EXPECT_EQ(status_line(client().upgrade()), "HTTP/1.1 503 Service Unavailable");
  open.pop_back();
  EXPECT_TRUE(eventually([&] { return client().upgrade().find(" 101 ") != std::string::npos; }));
}

TEST_F(Handshake, ConnectionsAreLimitedForEachAddress) {
  settings.limits.connections_per_address = 2;
  start();
  std::vector<RawClient> open;
  for (int i = 0; i < 2; ++i)
    open.push_back(std::move(client("127.0.0.5").open()));
  EXPECT_TRUE(client("127.0.0.5").closed_within(Millis(2'000)));
  EXPECT_TRUE(client("127.0.0.6").open().round_trip());
  open.pop_back();
  EXPECT_TRUE(eventually([&] { return client("127.0.0.5").upgrade().find(" 101 ") != std::string::npos; }));
}

TEST_F(Handshake, TheAddressBehindATrustedProxyIsTheOneThatCounts) {
  settings.limits.connections_per_address = 2;
  settings.trusted_proxies = {"127.0.0.9"};
  start();
  std::vector<RawClient> open;
  const auto through = [&](const char* from, const std::string& forwarded) {
    open.push_back(client(from));
    return status_line(open.back().upgrade("/ws", "X-Forwarded-For: " + forwarded + "\r\n"));
  };
  const std::string good = "HTTP/1.1 101 Switching Protocols";
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(through("127.0.0.9", "203.0.113.1"), good);
  EXPECT_EQ(through("127.0.0.9", "203.0.113.1"), "HTTP/1.1 429 Too Many Requests");
  EXPECT_EQ(through("127.0.0.9", "203.0.113.1, 203.0.113.2"), good) << "the rightmost counts";
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(through("127.0.0.8", "203.0.113." + std::to_string(50 + i)), good);
  EXPECT_TRUE(client("127.0.0.8").closed_within(Millis(2'000))) << "who is not trusted cannot hide behind the header";
}

TEST_F(Handshake, DescriptorsThatRunOutStopNothingForGoodAndNothingSpins) {
  if (kSanitized) GTEST_SKIP() << "UBSan looks at objects through pipes of its own, and reports those it cannot open";
  wish_shards(1);
  start();
  RawClient before = named("before");
  RawClient waiting = RawClient::unconnected();
  rlimit old{};
  getrlimit(RLIMIT_NOFILE, &old);
  std::vector<int> hoard;
  rlimit tight = old;
  tight.rlim_cur = static_cast<rlim_t>(waiting.fd()) + 20;
  setrlimit(RLIMIT_NOFILE, &tight);
  for (int fd = dup(0); fd >= 0; fd = dup(0))
    hoard.push_back(fd);
  waiting.connect_to(edge->port());
  const Millis cpu = cpu_used();
  std::this_thread::sleep_for(Millis(600));
  EXPECT_LT(cpu_used() - cpu, Millis(150));
  EXPECT_TRUE(before.round_trip());
  for (const int fd : hoard)
    close(fd);
  setrlimit(RLIMIT_NOFILE, &old);
  EXPECT_TRUE(waiting.open().round_trip());
}

TEST_F(Handshake, ThousandsOfHalfOpenConnectionsHarmNobody) {
  rlimit files_limit{};
  getrlimit(RLIMIT_NOFILE, &files_limit);
  rlimit raised = files_limit;
  raised.rlim_cur = raised.rlim_max;
  setrlimit(RLIMIT_NOFILE, &raised);
  // Both ends of each are ours.
  const std::size_t wanted = kSanitized ? 2'000 : 8'000;
  const std::size_t count = std::min<std::size_t>(wanted, (raised.rlim_max - 200) / 2);
  if (count < wanted) std::cout << "only " << count << " half-open connections: the descriptor limit is low\n";

  settings.limits.handshakes = 20'000;
  start();
  RawClient other = named("other");
  const std::size_t memory = resident_bytes();
  std::vector<RawClient> half;
  half.reserve(count);
  std::vector<Millis> trips;
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    half.push_back(client());
    half.back().send_raw("GET /ws HTTP/1.1\r\nHost: ");
    if (i % 500 == 0) trips.push_back(other.round_trip().value_or(Millis(60'000)));
  }
  const std::size_t grown = resident_bytes() - memory;
  std::cout << count << " half-open in " << std::chrono::duration_cast<Millis>(Clock::now() - begin).count() << " ms, "
            << grown / count << " bytes each with the client's end\n";
  std::sort(trips.begin(), trips.end());
  EXPECT_LT(trips[trips.size() / 2], Millis(kSanitized ? 500 : 100));
  EXPECT_LT(median_round_trip(other), Millis(kSanitized ? 500 : 100));
  EXPECT_TRUE(client().open().round_trip()) << "a newcomer while they are there";
  EXPECT_TRUE(eventually([&] { return edge->stats().handshakes == 0; })) << "all cut off in the end";
  setrlimit(RLIMIT_NOFILE, &files_limit);
}

}  // namespace
}  // namespace inkmesh::edge::test
