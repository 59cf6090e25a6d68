// Two processes under one id: whole cores, and a network in which frames for a node reach only who is at its address.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "inkmesh/core.h"

namespace inkmesh {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr MonotonicMs kStepMs = 10;
const std::vector<NodeId> kNodes{"ws1", "ws2", "ws3"};

struct Process {
  NodeId id;
  Epoch epoch;
  std::string address;
  std::unique_ptr<Core> core;  ///< none: it has ended
  bool paused = false;
  std::deque<Event> inbox;
  std::vector<std::string> said;
  std::vector<ConnId> sent_away;
  std::vector<SendError> errors;
  std::vector<SendAck> acks;
  std::vector<std::pair<NodeId, Event>> sent;  ///< to whom (empty: gossip), and what arrives there

  CoreStatus status() const {
    return core->status();
  }
  std::optional<TwinStatus> twin_of(const NodeId& peer) const {
    for (const PeerStatus& known : status().peers) {
      if (known.id == peer) return known.twin;
    }
    return std::nullopt;
  }
  Epoch epoch_of(const NodeId& peer) const {
    for (const PeerStatus& known : status().peers) {
      if (known.id == peer) return known.epoch;
    }
    return {};
  }
  std::string says() const {
    std::string all;
    for (const std::string& line : said)
      all += line + '\n';
    return all;
  }
};

class TwinsTest : public testing::Test {
 protected:
  TwinsTest() {
    for (const NodeId& id : kNodes)
      at_address[id] = &start(id, "10.0.0." + id.substr(2));
    run(3'000);
    for (const auto& process : processes)
      EXPECT_TRUE(process->status().ready) << process->id;
  }

  /// A new process; nobody finds it before it is at its node's address.
  Process& start(const NodeId& id, const std::string& address) {
    auto made = std::make_unique<Process>();
    made->id = id;
    made->epoch = epoch_from_bits(++epochs * 1'000'003);
    made->address = address;
    CoreSettings settings;
    settings.self = id;
    settings.epoch = made->epoch;
    settings.nodes = kNodes;
    settings.seed = epochs;
    made->core = std::make_unique<Core>(settings, std::vector<StoredHead>{});
    for (const NodeId& peer : kNodes) {
      if (peer != id) made->inbox.push_back(PeerConnected{peer});
    }
    processes.push_back(std::move(made));
    return *processes.back();
  }

  void move_address(const NodeId& id, Process* to) {
    at_address[id] = to;
    for (const auto& process : processes) {
      if (process->id == id || !process->core) continue;
      process->inbox.push_back(PeerDisconnected{id});
      if (to != nullptr) process->inbox.push_back(PeerConnected{id});
    }
  }

  void end(Process& process) {
    process.core.reset();
    if (at_address[process.id] == &process) move_address(process.id, nullptr);
  }

  Process& restart(Process& process) {
    end(process);
    Process& next = start(process.id, process.address);
    move_address(process.id, &next);
    return next;
  }

  void run(MonotonicMs ms) {
    for (const MonotonicMs until = now_ms + ms; now_ms < until; now_ms += kStepMs)
      step();
  }

  /// How long it takes until that is so, from now on; fails after `at_most_ms`.
  template <typename Condition>
  MonotonicMs until(MonotonicMs at_most_ms, Condition condition) {
    const MonotonicMs from = now_ms;
    while (!condition()) {
      if (now_ms - from > at_most_ms) {
        ADD_FAILURE() << "not within " << at_most_ms << " ms";
        break;
      }
      run(kStepMs);
    }
    return now_ms - from;
  }

  void step() {
    for (const auto& process : processes) {
      if (process->core && !process->paused) turn(*process);
    }
    for (const auto& process : processes) {
      for (auto& [to, event] : std::exchange(process->sent, {})) {
        if (late_packets != nullptr && process.get() == late_packets) kept.emplace_back(to, event);
        deliver(*process, to, event);
      }
    }
  }

  void turn(Process& process) {
    Effects effects;
    const Now now{now_ms, now_ms * 1000};
    for (Event& event : std::exchange(process.inbox, {}))
      process.core->step(std::move(event), now, effects);
    if (now_ms >= process.core->next_wakeup()) process.core->step(Tick{}, now, effects);
    process.core->end_turn(now, effects);
    for (Effect& effect : effects) {
      if (const auto* say = std::get_if<Say>(&effect)) process.said.push_back(say->text);
      if (const auto* away = std::get_if<SendAway>(&effect)) process.sent_away.push_back(away->conn);
      if (const auto* error = std::get_if<SendError>(&effect)) process.errors.push_back(*error);
      if (const auto* ack = std::get_if<SendAck>(&effect)) process.acks.push_back(*ack);
      if (const auto* append = std::get_if<Append>(&effect)) process.inbox.push_back(Committed{append->ticket});
      if (const auto* gossip = std::get_if<SendGossip>(&effect)) {
        process.sent.emplace_back(NodeId{}, GossipReceived{gossip->message});
      } else if (const auto* frame = std::get_if<SendFrame>(&effect)) {
        process.sent.emplace_back(frame->peer, FrameReceived{frame->frame, process.address});
      }
    }
  }

  /// Gossip comes from whoever is at the address, and reaches everyone; a frame comes from anyone, and reaches the
  /// process at the address.
  void deliver(const Process& from, const NodeId& to, const Event& event) {
    if (!to.empty()) {
      if (Process* there = at_address[to]; there != nullptr && there->core) there->inbox.push_back(event);
      return;
    }
    if (at_address[from.id] != &from && &from != late_packets) return;
    for (const auto& process : processes) {
      if (process->core && process->id != from.id) process->inbox.push_back(event);
    }
  }

  Process& node(std::size_t number) {
    return *processes[number - 1];
  }

  std::uint64_t epochs = 0;
  MonotonicMs now_ms = 100'000;
  std::vector<std::unique_ptr<Process>> processes;
  std::map<NodeId, Process*> at_address;
  Process* late_packets = nullptr;  ///< what it sends is kept as well
  std::vector<std::pair<NodeId, Event>> kept;
};

TEST_F(TwinsTest, OneThatIsNotAtTheAddressIsNamedAndTurnedAway) {
  Process& rightful = node(1);
  Process& twin = start("ws1", "10.0.0.9");
  const MonotonicMs named = until(2'000, [&] {
    return node(2).twin_of("ws1") && node(3).twin_of("ws1") && rightful.status().twin && twin.status().shut_out;
  });
  EXPECT_LE(named, 2'000U);
  for (Process* peer : {&node(2), &node(3)}) {
    EXPECT_EQ(peer->epoch_of("ws1"), rightful.epoch) << "it hears them";
    EXPECT_EQ(peer->twin_of("ws1")->epoch, twin.epoch);
    EXPECT_EQ(peer->twin_of("ws1")->address, "10.0.0.9");
    EXPECT_TRUE(peer->twin_of("ws1")->later);
    EXPECT_THAT(peer->says(), HasSubstr("two processes run as ws1: epoch " + rightful.epoch +
                                        " at 10.0.0.1, which this node listens to, and epoch " + twin.epoch +
                                        " at 10.0.0.9, started later, to which it does not. Stop one of the two"));
  }
  EXPECT_TRUE(rightful.status().ready);
  EXPECT_EQ(rightful.status().twin->address, "10.0.0.9");
  EXPECT_THAT(rightful.says(), HasSubstr("The others listen to this one, not to that. Stop one of the two"));
  EXPECT_THAT(rightful.says(), HasSubstr("has met this node as " + twin.epoch + ", which was another process"));
  EXPECT_THAT(rightful.says(), Not(HasSubstr("of which the store has no trace")));
  ASSERT_FALSE(twin.status().ready);
  EXPECT_THAT(twin.status().not_ready_reasons.front(),
              HasSubstr("twin: another process runs as ws1 at 10.0.0.1, started earlier"));

  run(30'000);
  EXPECT_FALSE(rightful.status().shut_out);
  EXPECT_TRUE(rightful.sent_away.empty());
  EXPECT_TRUE(twin.status().shut_out);
  EXPECT_EQ(node(2).epoch_of("ws1"), rightful.epoch);
  EXPECT_EQ(std::count_if(node(2).said.begin(), node(2).said.end(),
                          [](const std::string& line) { return line.find("two processes run") != std::string::npos; }),
            1)
      << "once a minute";

  end(twin);
  until(5'000, [&] { return !node(2).twin_of("ws1") && !node(3).twin_of("ws1") && !rightful.status().twin; });
  EXPECT_THAT(rightful.says(), HasSubstr("no other process runs as ws1 any more"));
  run(5'000);
  EXPECT_FALSE(rightful.status().hollow) << "what the twin may have confirmed has been fetched";
}

TEST_F(TwinsTest, WhenTheAddressMovesTheEarlierOneIsShutOutAndComesBack) {
  Process& earlier = node(1);
  earlier.inbox.push_back(ConnOpened{7, "ann"});
  run(kStepMs);
  Process& later = start("ws1", "10.0.0.9");
  move_address("ws1", &later);
  const MonotonicMs named =
      until(3'000, [&] { return node(2).twin_of("ws1") && later.status().twin && earlier.status().shut_out; });
  EXPECT_LE(named, 3'000U);
  EXPECT_EQ(node(2).epoch_of("ws1"), later.epoch);
  EXPECT_EQ(node(2).twin_of("ws1")->epoch, earlier.epoch);
  EXPECT_FALSE(node(2).twin_of("ws1")->later);
  ASSERT_FALSE(earlier.status().ready);
  EXPECT_THAT(earlier.says(), HasSubstr("another process runs as ws1: epoch " + later.epoch +
                                        " at 10.0.0.9, started later. The others listen to that one, not to this"));
  EXPECT_THAT(earlier.status().not_ready_reasons.front(), HasSubstr("at 10.0.0.9, started later"));
  run(100);
  EXPECT_THAT(earlier.sent_away, testing::ElementsAre(7));
  earlier.inbox.push_back(ConnOpened{8, "bob"});
  Publish publish;
  publish.conn = 8;
  publish.channel = "drawing_1";
  publish.client = "bob";
  publish.op = 1;
  publish.data = "1";
  earlier.inbox.push_back(publish);
  run(2 * kStepMs);
  EXPECT_THAT(earlier.sent_away, testing::ElementsAre(7, 8)) << "whoever comes is sent on";
  ASSERT_EQ(earlier.errors.size(), 1U);
  EXPECT_EQ(earlier.errors.front().code, ErrorCode::unavailable);
  run(5'000);
  EXPECT_TRUE(later.status().ready);

  end(later);
  run(5'000);
  EXPECT_TRUE(earlier.status().shut_out) << "nobody reaches it yet";
  EXPECT_THAT(earlier.status().not_ready_reasons.front(), HasSubstr("do not reach this one at the address"));
  move_address("ws1", &earlier);
  until(5'000, [&] { return earlier.status().ready && node(2).epoch_of("ws1") == earlier.epoch; });
  EXPECT_THAT(earlier.says(), HasSubstr("the others listen to this process again"));
  EXPECT_FALSE(earlier.status().twin);
  publish.conn = 9;
  publish.op = 2;
  earlier.inbox.push_back(ConnOpened{9, "bob"});
  earlier.inbox.push_back(publish);
  run(1'000);
  EXPECT_EQ(earlier.acks.size(), 1U);
  EXPECT_THAT(earlier.sent_away, testing::ElementsAre(7, 8));
}

TEST_F(TwinsTest, RestartsAreNoneThoughWhatFormerLivesSentComesLate) {
  Process* present = &node(1);
  std::vector<Process*> lives{present};
  late_packets = present;
  for (int life = 0; life < 6; ++life) {
    run(400);
    // What the former lives had sent goes on arriving, over and over, for as long as a slow network may take.
    for (const auto& [to, event] : std::vector(kept)) {
      for (Process* peer : {&node(2), &node(3)}) {
        if (to.empty() || to == peer->id) peer->inbox.push_back(event);
      }
    }
    present = &restart(*present);
    lives.push_back(present);
    late_packets = present;
  }
  for (int again = 0; again < 100; ++again) {
    for (const auto& [to, event] : std::vector(kept)) {
      for (Process* peer : {&node(2), &node(3)}) {
        if (to.empty() || to == peer->id) peer->inbox.push_back(event);
      }
    }
    run(100);
    for (Process* peer : {&node(2), &node(3)}) {
      ASSERT_FALSE(peer->twin_of("ws1"));
      ASSERT_EQ(peer->epoch_of("ws1"), present->epoch);
    }
    ASSERT_FALSE(present->status().twin);
    ASSERT_FALSE(present->status().shut_out);
  }
  EXPECT_TRUE(present->status().ready);
  EXPECT_THAT(present->says(), HasSubstr("of which the store has no trace")) << "it began with an empty one";
  EXPECT_THAT(present->says(), Not(HasSubstr("which was another process")));
}

TEST_F(TwinsTest, AFormerLifeThatARestartedPeerHearsLastIsNotTakenForThePresentOne) {
  late_packets = &node(1);
  run(1'000);
  const auto former = kept;
  late_packets = nullptr;
  Process& present = restart(node(1));
  run(2'000);
  Process& peer = restart(node(2));
  run(200);
  ASSERT_EQ(peer.epoch_of("ws1"), present.epoch);
  for (const auto& [to, event] : former) {
    if (to.empty() || to == "ws2") peer.inbox.push_back(event);
  }
  run(kStepMs);
  EXPECT_NE(peer.epoch_of("ws1"), present.epoch) << "it can't know";
  until(500, [&] { return peer.epoch_of("ws1") == present.epoch; });
  run(5'000);
  EXPECT_FALSE(peer.twin_of("ws1"));
  EXPECT_FALSE(present.status().shut_out);
  EXPECT_THAT(peer.says(), Not(HasSubstr("two processes")));
}

TEST_F(TwinsTest, OneThatStoodStillIsNone) {
  for (int again = 0; again < 3; ++again) {
    node(1).paused = true;
    run(4'000);
    node(1).paused = false;
    run(1'000);
  }
  for (Process* peer : {&node(2), &node(3)}) {
    EXPECT_FALSE(peer->twin_of("ws1"));
    EXPECT_EQ(peer->epoch_of("ws1"), node(1).epoch);
  }
  EXPECT_FALSE(node(1).status().shut_out);
  EXPECT_TRUE(node(1).status().ready);
}

TEST_F(TwinsTest, ThePeersListenToTheOtherOneWhenTheOneAtTheAddressStandsStill) {
  Process& rightful = node(1);
  Process& twin = start("ws1", "10.0.0.9");
  until(3'000, [&] { return twin.status().shut_out; });
  rightful.paused = true;
  until(4'000, [&] { return node(2).epoch_of("ws1") == twin.epoch; });
  run(5'000);
  EXPECT_TRUE(twin.status().shut_out) << "nobody reaches it at the address";
  rightful.paused = false;
  until(1'000, [&] { return node(2).epoch_of("ws1") == rightful.epoch; });
  run(3'000);
  EXPECT_TRUE(rightful.status().ready);
  EXPECT_TRUE(node(2).twin_of("ws1"));
}

}  // namespace
}  // namespace inkmesh
