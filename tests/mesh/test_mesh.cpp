#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <thread>

#include "mesh_bench.h"
#include "node/mailbox.h"

namespace inkmesh::mesh {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

TEST(Mesh, TellsWhenAPeerIsConnected) {
  Bench bench({"ws1", "ws2", "ws3"});
  EXPECT_TRUE(bench.until([&] {
    return bench.connects("ws1", "ws2") == 1 && bench.connects("ws1", "ws3") == 1 &&
           bench.connects("ws2", "ws1") == 1 && bench.connects("ws3", "ws2") == 1;
  }));
  EXPECT_EQ(bench.disconnects("ws1", "ws2"), 0U);
}

TEST(Mesh, GossipReachesEveryPeerAndNotItsSender) {
  Bench bench({"ws1", "ws2", "ws3"});
  ASSERT_TRUE(bench.gossip_arrives("ws1", "ws2"));
  ASSERT_TRUE(bench.gossip_arrives("ws1", "ws3"));
  EXPECT_EQ(bench.heartbeats("ws1", "ws1"), 0U);
  EXPECT_GT(bench.mesh("ws1").stats().gossip_bytes_sent, 0U);
  EXPECT_GT(bench.mesh("ws3").stats().gossip_bytes_received, 0U);
}

TEST(Mesh, FramesArriveWholeAndInOrder) {
  constexpr std::uint64_t kFrames = 2'000;
  Bench bench({"ws1", "ws2"});
  ASSERT_TRUE(bench.until([&] { return bench.connects("ws1", "ws2") == 1; }));
  for (std::uint64_t n = 1; n <= kFrames; ++n)
    bench.mesh("ws1").send(SendFrame{"ws2", frame_of("ws1", n, n % 3000)});
  ASSERT_TRUE(bench.until([&] { return bench.numbers("ws2", "ws1").size() == kFrames; }));
  std::vector<std::uint64_t> expected(kFrames);
  std::iota(expected.begin(), expected.end(), 1U);
  EXPECT_EQ(bench.numbers("ws2", "ws1"), expected);
  EXPECT_EQ(bench.mesh("ws1").stats().peers[0].send_failed, 0U);
  EXPECT_EQ(bench.mesh("ws1").stats().peers[0].bytes_sent, bench.mesh("ws2").stats().peers[0].bytes_received);
}

TEST(Mesh, AFrameOfTheLargestSizeArrives) {
  Bench bench({"ws1", "ws2"});
  ASSERT_TRUE(bench.until([&] { return bench.connects("ws1", "ws2") == 1; }));
  Frame frame = frame_of("ws1", 1);
  frame.messages.assign(63, SignalMessage{"drawing_a", "ann", '"' + std::string(60'000, 'x') + '"'});
  bench.mesh("ws1").send(SendFrame{"ws2", frame});
  EXPECT_TRUE(bench.until([&] { return bench.numbers("ws2", "ws1").size() == 1; }));
}

TEST(Mesh, TheDeathOfAPeerIsToldAndItsReturn) {
  Bench bench({"ws1", "ws2"});
  ASSERT_TRUE(bench.until([&] { return bench.connects("ws1", "ws2") == 1; }));
  for (std::size_t life = 1; life <= 3; ++life) {
    bench.stop("ws2");
    ASSERT_TRUE(bench.until([&] { return bench.disconnects("ws1", "ws2") == life; }, milliseconds(3000)));
    bench.start("ws2");
    ASSERT_TRUE(bench.until([&] { return bench.connects("ws1", "ws2") == life + 1; }, milliseconds(3000)));
    // What is sent from then on arrives, and gossip flows both ways again.
    bench.mesh("ws1").send(SendFrame{"ws2", frame_of("ws1", life)});
    ASSERT_TRUE(bench.until([&] { return bench.numbers("ws2", "ws1").size() == 1; }));
    ASSERT_TRUE(bench.gossip_arrives("ws2", "ws1"));
    ASSERT_TRUE(bench.gossip_arrives("ws1", "ws2"));
  }
}

TEST(Mesh, WhatIsSentWhileAPeerIsAwayIsNotKeptForIt) {
  Bench bench({"ws1", "ws2"});
  ASSERT_TRUE(bench.until([&] { return bench.connects("ws1", "ws2") == 1; }));
  bench.stop("ws2");
  ASSERT_TRUE(bench.until([&] { return bench.disconnects("ws1", "ws2") == 1; }));
  for (std::uint64_t n = 1; n <= 10; ++n)
    bench.mesh("ws1").send(SendFrame{"ws2", frame_of("ws1", n)});
  bench.start("ws2");
  ASSERT_TRUE(bench.until([&] { return bench.connects("ws1", "ws2") == 2; }));
  bench.mesh("ws1").send(SendFrame{"ws2", frame_of("ws1", 11)});
  ASSERT_TRUE(bench.until([&] { return !bench.numbers("ws2", "ws1").empty(); }));
  EXPECT_EQ(bench.numbers("ws2", "ws1"), std::vector<std::uint64_t>{11});
}

TEST(Mesh, AnotherThreadWakesThePollThroughItsDescriptor) {
  Bench bench({"ws1"});
  const node::Wake wake;
  node::Mailbox<int> mailbox(wake, {4});
  std::thread producer([&] { mailbox.push(42); });
  std::vector<int> items;
  std::vector<Event> events;
  const auto start = steady_clock::now();
  bench.mesh("ws1").watch(wake.fd());
  while (items.empty()) {
    bench.mesh("ws1").poll(60'000, events);
    wake.clear();
    mailbox.take(items);
  }
  producer.join();
  EXPECT_EQ(items.front(), 42);
  EXPECT_LT(steady_clock::now() - start, milliseconds(30'000));
}

TEST(Mesh, PollEndsAtItsTime) {
  Bench bench({"ws1"});
  std::vector<Event> events;
  // One that begins with something to do ends at once.
  bench.mesh("ws1").poll(50, events);
  const auto start = steady_clock::now();
  bench.mesh("ws1").poll(50, events);
  EXPECT_GE(steady_clock::now() - start, milliseconds(45));
  EXPECT_LT(steady_clock::now() - start, milliseconds(500));
  EXPECT_TRUE(events.empty());
}

TEST(Mesh, AnAddressInUseIsNamed) {
  Bench bench({"ws1"});
  try {
    Mesh second(bench.config, "ws1");
    FAIL() << "bound twice";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("tcp://127.0.0.1:" + std::to_string(bench.settings("ws1").gossip.listen.port)));
  }
}

TEST(Mesh, ANodeThatIsNotInTheListIsRefused) {
  const ClusterConfig config = cluster_of({"ws1"});
  EXPECT_THROW(Mesh(config, "ws9"), std::runtime_error);
}

TEST(Mesh, LinksRunOverIpv6) {
  ClusterConfig config = cluster_of({"ws1", "ws2"});
  for (NodeSettings& node : config.nodes) {
    node.gossip.listen.host = node.gossip.advertise.host = "::1";
    node.mesh.listen.host = node.mesh.advertise.host = "::1";
  }
  Bench bench({});
  bench.config = config;
  try {
    bench.start("ws1");
  } catch (const std::runtime_error& error) {
    GTEST_SKIP() << "no IPv6 here: " << error.what();
  }
  bench.start("ws2");
  EXPECT_TRUE(bench.until([&] { return bench.connects("ws1", "ws2") == 1; }));
  EXPECT_TRUE(bench.gossip_arrives("ws1", "ws2"));
}

TEST(Mesh, LinksRunOverHostNames) {
  ClusterConfig config = cluster_of({"ws1", "ws2"});
  for (NodeSettings& node : config.nodes) {
    node.gossip.listen.host = node.gossip.advertise.host = "localhost";
    node.mesh.listen.host = node.mesh.advertise.host = "localhost";
  }
  Bench bench({});
  bench.config = config;
  bench.start("ws1");
  bench.start("ws2");
  EXPECT_TRUE(bench.until([&] { return bench.connects("ws1", "ws2") == 1; }));
  EXPECT_TRUE(bench.gossip_arrives("ws1", "ws2"));
}

}  // namespace
}  // namespace inkmesh::mesh
