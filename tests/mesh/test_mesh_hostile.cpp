// What the mesh does with peers that never read, and with bytes from strangers.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <zmq.hpp>

#include "mesh/addresses.h"
#include "mesh/limits.h"
#include "mesh_bench.h"
#include "raw_peer.h"
#include "wire/mesh_codec.h"

namespace inkmesh::mesh {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kAtOnce = milliseconds(2000);

/// A raw socket of the test's own, closed without lingering.
zmq::socket_t raw(zmq::context_t& context, zmq::socket_type type) {
  zmq::socket_t socket(context, type);
  socket.set(zmq::sockopt::linger, 0);
  return socket;
}

Frame large_frame(std::uint64_t number) {
  Frame frame = frame_of("ws1", number);
  frame.messages.assign(16, SignalMessage{"drawing_a", "ann", '"' + std::string(60'000, 'x') + '"'});
  return frame;
}

/// ws1 is a mesh; ws2's ROUTER is the test's, and reads when the test wants it to.
class DeafPeer : public ::testing::Test {
 protected:
  DeafPeer() : bench_({}) {
    bench_.config = cluster_of({"ws1", "ws2"});
    router_ = raw(context_, zmq::socket_type::router);
    router_.set(zmq::sockopt::rcvhwm, 4);
    // The kernel's own buffers grow with the machine's settings: left alone, they took 100 MB and hid the queue's
    // bound.
    router_.set(zmq::sockopt::rcvbuf, 64 * 1024);
    router_.bind(endpoint_of(bench_.settings("ws2").mesh.listen));
    bench_.start("ws1");
  }

  bool connected(std::size_t times) {
    return bench_.until([&] { return bench_.connects("ws1", "ws2") == times; });
  }

  /// Sends until a frame is refused; gives how many were taken.
  std::uint64_t fill() {
    const auto start = steady_clock::now();
    std::uint64_t sent = 0;
    while (bench_.mesh("ws1").stats().peers[0].send_failed == 0 && sent < 1000) {
      bench_.mesh("ws1").send(SendFrame{"ws2", large_frame(++sent)});
    }
    EXPECT_LT(steady_clock::now() - start, kAtOnce * 5) << "send() blocked";
    return sent - 1;
  }

  zmq::context_t context_;
  zmq::socket_t router_;
  Bench bench_;
};

TEST_F(DeafPeer, AFullQueueDropsAndTellsAndNeverBlocks) {
  ASSERT_TRUE(connected(1));
  const std::uint64_t taken = fill();
  EXPECT_LT(taken, 100U) << "the queue has no bound in bytes";
  EXPECT_GT(taken, 4U);
  std::vector<Event> events;
  bench_.mesh("ws1").poll(60'000, events);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<PeerDisconnected>(events[0]).peer, "ws2");

  // While it stays full, nothing is taken and nothing more is told.
  bench_.mesh("ws1").send(SendFrame{"ws2", frame_of("ws1", 1)});
  events.clear();
  bench_.mesh("ws1").poll(10, events);
  EXPECT_TRUE(events.empty());
}

TEST_F(DeafPeer, ADrainedQueueIsAConnectionAgain) {
  ASSERT_TRUE(connected(1));
  fill();
  zmq::message_t part;
  ASSERT_TRUE(bench_.until([&] {
    while (router_.recv(part, zmq::recv_flags::dontwait)) {
    }
    return bench_.connects("ws1", "ws2") == 2;
  }));
  EXPECT_EQ(bench_.disconnects("ws1", "ws2"), 1U);
  bench_.mesh("ws1").send(SendFrame{"ws2", frame_of("ws1", 4711)});
  bool arrived = false;
  ASSERT_TRUE(bench_.until([&] {
    while (router_.recv(part, zmq::recv_flags::dontwait)) {
      const auto frame = wire::decode_frame({static_cast<const char*>(part.data()), part.size()});
      arrived = arrived || (frame && frame->number == 4711);
    }
    return arrived;
  }));
}

TEST_F(DeafPeer, TheEndWaitsForNobody) {
  ASSERT_TRUE(connected(1));
  fill();
  const auto start = steady_clock::now();
  bench_.stop("ws1");
  EXPECT_LT(steady_clock::now() - start, kAtOnce);
}

/// A peer's listening socket, with a timeout on everything.
int listen_at(const Address& address) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{10, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(address.port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool ok = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 && listen(fd, 8) == 0;
  return ok ? fd : -1;
}

/// The handshake of a ROUTER, spoken by hand (ZMTP 3.1, NULL mechanism).
bool shake_hands(int fd) {
  using namespace std::string_literals;
  const std::string greeting = "\xff\0\0\0\0\0\0\0\1\x7f\3\1NULL"s + std::string(64 - 16, '\0');
  const std::string metadata = "\5READY\13Socket-Type\0\0\0\6ROUTER"s;
  const std::string ready = "\4"s + static_cast<char>(metadata.size()) + metadata;
  char received[256];
  return send(fd, greeting.data(), greeting.size(), MSG_NOSIGNAL) == 64 && recv(fd, received, 64, MSG_WAITALL) == 64 &&
         send(fd, ready.data(), ready.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(ready.size()) &&
         recv(fd, received, sizeof received, 0) > 0;
}

TEST(MeshSilence, CutsAPeerThatSaysNothingAnyMore) {
  Bench bench({});
  bench.config = cluster_of({"ws1", "ws2"});
  const int listener = listen_at(bench.settings("ws2").mesh.listen);
  ASSERT_GE(listener, 0);
  bench.start("ws1");
  int connection = -1;
  std::thread peer([&] {
    connection = accept(listener, nullptr, nullptr);
    EXPECT_TRUE(shake_hands(connection));
  });
  EXPECT_TRUE(bench.until([&] { return bench.connects("ws1", "ws2") == 1; }));
  peer.join();
  const auto start = steady_clock::now();
  EXPECT_TRUE(bench.until([&] { return bench.disconnects("ws1", "ws2") == 1; }));
  EXPECT_LT(steady_clock::now() - start, milliseconds(3000)) << "known within three seconds";
  close(connection);
  close(listener);
}

TEST(MeshEnd, IsBoundedWhereNoPeerEverCame) {
  Bench bench({});
  bench.config = cluster_of({"ws1", "ws2", "ws3"});
  bench.start("ws1");
  bench.mesh("ws1").send(SendFrame{"ws2", frame_of("ws1", 1)});
  const auto start = steady_clock::now();
  bench.stop("ws1");
  EXPECT_LT(steady_clock::now() - start, kAtOnce);
}

/// Two meshes and a stranger who speaks ZeroMQ.
class Stranger : public ::testing::Test {
 protected:
  Stranger() : bench_({"ws1", "ws2"}), dealer_(raw(context_, zmq::socket_type::dealer)) {
    dealer_.connect(endpoint_of(bench_.settings("ws1").mesh.listen));
  }

  void say(const std::string& bytes) {
    dealer_.send(zmq::buffer(bytes), zmq::send_flags::none);
  }
  bool malformed(std::uint64_t count) {
    return bench_.until([&] { return bench_.mesh("ws1").stats().malformed == count; });
  }
  /// The mesh goes on as if nothing had been.
  void expect_unharmed() {
    ASSERT_TRUE(bench_.until([&] { return bench_.connects("ws2", "ws1") == 1; }));
    bench_.mesh("ws2").send(SendFrame{"ws1", frame_of("ws2", 1)});
    EXPECT_TRUE(bench_.until([&] { return bench_.numbers("ws1", "ws2").size() == 1; }));
    EXPECT_EQ(bench_.disconnects("ws1", "ws2"), 0U);
    EXPECT_TRUE(bench_.gossip_arrives("ws2", "ws1"));
  }

  zmq::context_t context_;
  Bench bench_;
  zmq::socket_t dealer_;
};

TEST_F(Stranger, GarbageIsCountedAndHarmless) {
  say("");
  say("garbage");
  say(std::string(1'000'000, '\xff'));
  std::string cut = wire::encode(frame_of("ws2", 1));
  cut.resize(cut.size() / 2);
  say(cut);
  EXPECT_TRUE(malformed(4));
  expect_unharmed();
}

TEST_F(Stranger, MorePartsThanOneAreMalformed) {
  const std::string good = wire::encode(frame_of("ws2", 1));
  for (int part = 0; part < 500; ++part)
    dealer_.send(zmq::buffer(good), zmq::send_flags::sndmore);
  say(good);
  EXPECT_TRUE(malformed(1));
  EXPECT_TRUE(bench_.all<FrameReceived>("ws1").empty());
  expect_unharmed();
}

TEST_F(Stranger, FramesOfNodesThatAreNotInTheListComeWithoutWhatTheySay) {
  say(wire::encode(frame_of("ws9", 1)));
  say(wire::encode(frame_of("ws1", 1)));
  EXPECT_TRUE(malformed(2));
  ASSERT_TRUE(bench_.until([&] { return bench_.all<FrameReceived>("ws1").size() == 2; }));
  for (const FrameReceived& received : bench_.all<FrameReceived>("ws1"))
    EXPECT_TRUE(received.frame.messages.empty()) << received.frame.node;
}

TEST_F(Stranger, AnotherVersionIsCountedApart) {
  std::string next = wire::encode(frame_of("ws2", 1));
  next.front() = static_cast<char>(wire::kMeshVersion + 1);
  say(next);
  EXPECT_TRUE(bench_.until([&] { return bench_.mesh("ws1").stats().other_version == 1; }));
  EXPECT_EQ(bench_.mesh("ws1").stats().malformed, 0U);
  EXPECT_EQ(bench_.mesh("ws1").stats().last_other_version, wire::kMeshVersion + 1);
  const auto told = bench_.all<OtherVersion>("ws1");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].peer, "ws2");
  EXPECT_EQ(told[0].version, wire::kMeshVersion + 1);
  expect_unharmed();
}

TEST_F(Stranger, AFrameBringsTheAddressThatItCameFrom) {
  say(wire::encode(frame_of("ws2", 1)));
  ASSERT_TRUE(bench_.until([&] { return bench_.all<FrameReceived>("ws1").size() == 1; }));
  EXPECT_EQ(bench_.all<FrameReceived>("ws1")[0].address, "127.0.0.1");
}

TEST_F(Stranger, AnOversizeMessageCutsItsSenderAndNobodyElse) {
  say("hello");
  ASSERT_TRUE(malformed(1));
  const std::string events = "inproc://stranger";
  ASSERT_EQ(zmq_socket_monitor(dealer_.handle(), events.c_str(), ZMQ_EVENT_DISCONNECTED), 0);
  zmq::socket_t monitor = raw(context_, zmq::socket_type::pair);
  monitor.connect(events);
  say(std::string(kMaxMessageBytes + 1, 'x'));
  zmq::message_t event;
  EXPECT_TRUE(bench_.until([&] { return monitor.recv(event, zmq::recv_flags::dontwait).has_value(); }));
  zmq_socket_monitor(dealer_.handle(), nullptr, 0);
  expect_unharmed();
  EXPECT_EQ(bench_.mesh("ws1").stats().malformed, 1U);
}

TEST_F(Stranger, ManyWhoTakeARoutingIdKeepNobodyOut) {
  std::vector<zmq::socket_t> squatters;
  for (const char* name : {"ws2", "ws1"}) {
    squatters.push_back(raw(context_, zmq::socket_type::dealer));
    squatters.back().set(zmq::sockopt::routing_id, name);
    squatters.back().connect(endpoint_of(bench_.settings("ws1").mesh.listen));
    squatters.back().send(zmq::str_buffer("mine"), zmq::send_flags::none);
  }
  ASSERT_TRUE(malformed(2));
  bench_.stop("ws2");
  bench_.start("ws2");
  ASSERT_TRUE(bench_.until([&] { return bench_.connects("ws2", "ws1") == 1; }));
  bench_.mesh("ws2").send(SendFrame{"ws1", frame_of("ws2", 1)});
  EXPECT_TRUE(bench_.until([&] { return bench_.numbers("ws1", "ws2").size() == 1; }));
}

TEST_F(Stranger, BytesThatAreNoZeroMqAreHarmless) {
  std::vector<RawPeer> strangers;
  for (const Address& address : {bench_.settings("ws1").mesh.listen, bench_.settings("ws1").gossip.listen}) {
    strangers.emplace_back(address);
    ASSERT_TRUE(strangers.back().connected());
    ASSERT_TRUE(strangers.back().say("GET / HTTP/1.1\r\nHost: ws1\r\n\r\n" + std::string(10'000, 'x')));
  }
  expect_unharmed();
}

TEST(MeshGossip, OfStrangersIsCountedAndHarmless) {
  Bench bench({});
  bench.config = cluster_of({"ws1", "ws2"});
  zmq::context_t context;
  zmq::socket_t publisher = raw(context, zmq::socket_type::pub);
  publisher.bind(endpoint_of(bench.settings("ws2").gossip.listen));
  bench.start("ws1");
  for (const std::string& bytes : {std::string("garbage"), wire::encode(heartbeat("ws9", 1)),
                                   wire::encode(heartbeat("ws1", 1)), wire::encode(frame_of("ws2", 1))}) {
    const std::uint64_t before = bench.mesh("ws1").stats().malformed;
    EXPECT_TRUE(bench.until([&] {
      publisher.send(zmq::buffer(bytes), zmq::send_flags::none);
      return bench.mesh("ws1").stats().malformed > before;
    }));
  }
  EXPECT_TRUE(bench.all<GossipReceived>("ws1").empty());
  EXPECT_TRUE(bench.until([&] {
    publisher.send(zmq::buffer(wire::encode(heartbeat("ws2", 1))), zmq::send_flags::none);
    return bench.heartbeats("ws1", "ws2") > 0;
  }));
}

}  // namespace
}  // namespace inkmesh::mesh
