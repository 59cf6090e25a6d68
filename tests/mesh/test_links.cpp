// What a link does for longer than a moment: silence, backlogs, many messages, guests who are none, the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <numeric>
#include <thread>

#include "mesh/connection.h"
#include "mesh/limits.h"
#include "mesh/zmtp.h"
#include "mesh_bench.h"
#include "raw_peer.h"
#include "wire/mesh_codec.h"

namespace inkmesh::mesh {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string message(const std::string& body) {
  return std::string(zmtp::MessageHeader(body.size()).view()) + body;
}
std::string spoken(const Frame& frame) {
  return message(wire::encode(frame));
}
std::vector<std::uint64_t> up_to(std::uint64_t last) {
  std::vector<std::uint64_t> numbers(last);
  std::iota(numbers.begin(), numbers.end(), 1U);
  return numbers;
}

class Links : public ::testing::Test {
 protected:
  bool all_up() {
    return bench_.until([&] { return bench_.connects("ws1", "ws2") == 1 && bench_.connects("ws2", "ws1") == 1; });
  }
  void poll_for(milliseconds time) {
    const auto end = steady_clock::now() + time;
    bench_.until([&] { return steady_clock::now() > end; });
  }
  /// At ws1's inbox; a dealer as far as its opening tells.
  RawPeer guest() {
    RawPeer peer(bench_.settings("ws1").mesh.listen);
    EXPECT_TRUE(peer.connected());
    EXPECT_TRUE(peer.say(zmtp::opening(zmtp::Role::dealer)));
    return peer;
  }

  Bench bench_{{"ws1", "ws2"}};
};

TEST_F(Links, ThatAreQuietStay) {
  ASSERT_TRUE(all_up());
  poll_for(milliseconds(2 * kLinkTimeoutMs));
  EXPECT_EQ(bench_.disconnects("ws1", "ws2") + bench_.disconnects("ws2", "ws1"), 0U);
}

TEST_F(Links, SurviveALoopThatIsLate) {
  ASSERT_TRUE(all_up());
  for (int n = 0; n < 3; ++n) {
    std::this_thread::sleep_for(milliseconds(kLinkTimeoutMs * 3 / 4));
    poll_for(milliseconds(200));
  }
  EXPECT_EQ(bench_.disconnects("ws1", "ws2") + bench_.disconnects("ws2", "ws1"), 0U);
}

TEST_F(Links, ABacklogArrivesWholeAndInOrder) {
  ASSERT_TRUE(all_up());
  // Nobody polls meanwhile: past what the kernel takes, it waits in our queue.
  constexpr std::uint64_t kFrames = 400;
  for (std::uint64_t n = 1; n <= kFrames; ++n)
    bench_.mesh("ws1").send(SendFrame{"ws2", frame_of("ws1", n, 20'000 + 97 * n)});
  ASSERT_EQ(bench_.mesh("ws1").stats().peers[0].send_failed, 0U);
  ASSERT_TRUE(bench_.until([&] { return bench_.numbers("ws2", "ws1").size() == kFrames; }));
  EXPECT_EQ(bench_.numbers("ws2", "ws1"), up_to(kFrames));
}

TEST_F(Links, WhatIsQueuedArrivesThoughTheSenderEnds) {
  ASSERT_TRUE(all_up());
  constexpr std::uint64_t kFrames = 200;
  for (std::uint64_t n = 1; n <= kFrames; ++n)
    bench_.mesh("ws1").send(SendFrame{"ws2", frame_of("ws1", n, 20'000)});
  std::thread end([&] { bench_.meshes.at("ws1").reset(); });
  auto& receiver = bench_.mesh("ws2");
  const auto until = steady_clock::now() + std::chrono::seconds(5);
  while (bench_.numbers("ws2", "ws1").size() < kFrames && steady_clock::now() < until)
    receiver.poll(2, bench_.seen["ws2"]);
  end.join();
  bench_.meshes.erase("ws1");
  EXPECT_EQ(bench_.numbers("ws2", "ws1"), up_to(kFrames));
}

TEST_F(Links, ATurnTakesABoundedNumberOfMessages) {
  constexpr std::uint64_t kFrames = 3'000;
  const RawPeer peer = guest();
  std::string all;
  for (std::uint64_t n = 1; n <= kFrames; ++n)
    all += spoken({"ws2", "5k2m9x1q", 7, n, {}});
  ASSERT_LT(all.size(), 200'000U) << "one read";
  ASSERT_TRUE(peer.say(all));
  std::vector<Event> events;
  std::size_t most = 0;
  ASSERT_TRUE(bench_.until([&] {
    // The rest comes without waiting for more.
    if (!bench_.seen["ws1"].empty() && bench_.numbers("ws1", "ws2").size() < kFrames) {
      EXPECT_EQ(bench_.mesh("ws1").wait_ms(1000), 0);
    }
    events.clear();
    bench_.mesh("ws1").poll(2, events);
    most = std::max(most, events.size());
    bench_.seen["ws1"].insert(bench_.seen["ws1"].end(), events.begin(), events.end());
    return bench_.numbers("ws1", "ws2").size() >= kFrames;
  }));
  EXPECT_LE(most, 600U);
  EXPECT_EQ(bench_.numbers("ws1", "ws2"), up_to(kFrames));
}

TEST_F(Links, WhatCameBeforeTheEndIsHeard) {
  {
    const RawPeer peer = guest();
    std::string all;
    for (std::uint64_t n = 1; n <= 3; ++n)
      all += zmtp::ping(1000) + spoken(frame_of("ws2", n));
    ASSERT_TRUE(peer.say(all));
    // Closed, with our opening unread: answers to the pings find a connection that was reset.
  }
  ASSERT_TRUE(bench_.until([&] { return bench_.numbers("ws1", "ws2").size() == 3; }, milliseconds(3000)));
}

TEST_F(Links, WhoSaysNothingIsCut) {
  const RawPeer mute(bench_.settings("ws1").mesh.listen);
  const RawPeer dripping(bench_.settings("ws1").mesh.listen);
  const RawPeer silent = guest();
  const std::string greeting = zmtp::opening(zmtp::Role::dealer);
  std::size_t said = 0;
  auto next = steady_clock::now();
  EXPECT_TRUE(bench_.until(
      [&] {
        if (steady_clock::now() >= next && said < 30) {
          dripping.say(greeting.substr(said++, 1));
          next += milliseconds(200);
        }
        return mute.closed() && dripping.closed() && silent.closed();
      },
      milliseconds(kLinkTimeoutMs + 2 * kHeartbeatIntervalMs)));
}

TEST_F(Links, WhoAnswersPingsStays) {
  const RawPeer peer = guest();
  auto next = steady_clock::now();
  const auto end = next + milliseconds(2 * kLinkTimeoutMs);
  EXPECT_TRUE(bench_.until([&] {
    if (steady_clock::now() >= next) {
      EXPECT_TRUE(peer.say(zmtp::pong("")));
      next += milliseconds(400);
    }
    EXPECT_FALSE(peer.closed());
    return steady_clock::now() > end || HasFailure();
  }));
}

TEST_F(Links, StandWhenGuestsAreMany) {
  ASSERT_TRUE(all_up());
  bench_.mesh("ws2").send(SendFrame{"ws1", frame_of("ws2", 1)});
  ASSERT_TRUE(bench_.until([&] { return bench_.numbers("ws1", "ws2").size() == 1; }));
  std::vector<RawPeer> guests;
  for (int n = 0; n < 200; ++n) {
    guests.push_back(guest());
    bench_.mesh("ws1").poll(0, bench_.seen["ws1"]);
  }
  const auto open = [&] {
    return std::count_if(guests.begin(), guests.end(), [](const RawPeer& each) { return !each.closed(); });
  };
  EXPECT_TRUE(bench_.until([&] { return open() <= 40; })) << "oldest out";
  EXPECT_GE(open(), 30);
  bench_.mesh("ws2").send(SendFrame{"ws1", frame_of("ws2", 2)});
  EXPECT_TRUE(bench_.until([&] { return bench_.numbers("ws1", "ws2").size() == 2; }));
  EXPECT_EQ(bench_.disconnects("ws2", "ws1"), 0U);
}

TEST(LinksOfAnyFamily, TellAnIpv4AddressAsOne) {
  Bench bench({});
  bench.config = cluster_of({"ws1", "ws2"});
  bench.config.nodes[0].mesh.listen.host = "::";
  try {
    bench.start("ws1");
  } catch (const std::runtime_error& error) {
    GTEST_SKIP() << "no IPv6 here: " << error.what();
  }
  bench.start("ws2");
  ASSERT_TRUE(bench.until([&] { return bench.connects("ws2", "ws1") == 1; }));
  bench.mesh("ws2").send(SendFrame{"ws1", frame_of("ws2", 1)});
  ASSERT_TRUE(bench.until([&] { return bench.numbers("ws1", "ws2").size() == 1; }));
  EXPECT_EQ(bench.all<FrameReceived>("ws1")[0].address, "127.0.0.1");
}

TEST(LinksByName, TheEndDoesNotWaitForANameServer) {
  Bench bench({});
  bench.config = cluster_of({"ws1", "ws2"});
  bench.config.nodes[1].mesh.advertise.host = "no-such-host.invalid";
  bench.start("ws1");
  std::vector<Event> events;
  for (int n = 0; n < 20; ++n)
    bench.mesh("ws1").poll(20, events);
  EXPECT_TRUE(events.empty());
  const auto start = steady_clock::now();
  bench.stop("ws1");
  EXPECT_LT(steady_clock::now() - start, milliseconds(1000));
}

}  // namespace
}  // namespace inkmesh::mesh
