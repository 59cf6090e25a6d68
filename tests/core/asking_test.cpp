// Whom a node asks for a channel that it opens, and how many at once.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "inkmesh/core.h"

namespace inkmesh {
namespace {

constexpr std::size_t kPeers = 100;
const Channel kChannel = "drawing_1";
const Origin kOrigin = "ws0~aaaaaaaa";

/// A core without homes among a hundred peers, who say what a test has them say.
struct AskingTest : testing::Test {
  struct Asked {
    NodeId peer;
    Pull pull;
  };

  MonotonicMs ms = 1000;
  std::unique_ptr<Core> core;
  std::map<NodeId, std::uint64_t> numbers;
  std::vector<Asked> asked;  ///< and not answered
  std::vector<SendLive> lives;

  AskingTest() {
    CoreSettings settings;
    settings.self = "me";
    settings.epoch = "bbbbbbbb";
    settings.replicas = 0;
    settings.ack = 1;
    settings.nodes.push_back(settings.self);
    for (std::size_t i = 0; i < kPeers; ++i)
      settings.nodes.push_back(peer(i));
    core = std::make_unique<Core>(settings, std::vector<StoredHead>{});
    for (std::size_t i = 0; i < kPeers; ++i) {
      step(GossipReceived{GossipMessage{peer(i), "aaaaaaaa", Heartbeat{}}});
      step(PeerConnected{peer(i)});
    }
    end_turn();
  }

  static NodeId peer(std::size_t i) {
    return "ws" + std::to_string(i);
  }

  void step(Event event) {
    Effects effects;
    core->step(std::move(event), Now{ms, 1'000'000}, effects);
    take(effects);
  }
  void end_turn() {
    Effects effects;
    core->end_turn(Now{ms, 1'000'000}, effects);
    take(effects);
  }
  void take(Effects& effects) {
    for (Effect& effect : effects) {
      if (const auto* live = std::get_if<SendLive>(&effect)) lives.push_back(*live);
      const auto* sent = std::get_if<SendFrame>(&effect);
      if (sent == nullptr) continue;
      for (const LinkMessage& message : sent->frame.messages) {
        if (const auto* pull = std::get_if<Pull>(&message)) asked.push_back({sent->peer, *pull});
      }
    }
  }

  void open() {
    step(ConnOpened{1, "ann"});
    step(Subscribe{1, 1, kChannel, {}});
    end_turn();
  }

  void say(const NodeId& from, std::vector<LinkMessage> messages) {
    step(FrameReceived{Frame{from, "aaaaaaaa", 1, ++numbers[from], std::move(messages)}});
  }
  static StrokeRun run(const Origin& origin, Seq seq) {
    auto stroke = std::make_shared<Stroke>();
    stroke->channel = kChannel;
    stroke->origin = origin;
    stroke->seq = seq;
    stroke->ts = seq;
    stroke->client = "bob";
    stroke->op = seq;
    stroke->data = "1";
    return StrokeRun{{std::move(stroke)}, false};
  }
  void answer(const Asked& to, Seq head, bool more = false) {
    PullDone done{to.pull.request, kChannel, {}, more, true};
    if (head != 0) done.heads.set(kOrigin, head);
    std::vector<LinkMessage> messages;
    const Seq next = to.pull.cursor.at(kOrigin) + 1;
    if (next <= head) messages.emplace_back(run(kOrigin, next));
    messages.emplace_back(std::move(done));
    say(to.peer, std::move(messages));
  }
  /// Who is asked now says that it has nothing. How many they were.
  std::size_t answer_all_with_nothing() {
    const std::vector<Asked> now = std::exchange(asked, {});
    for (const Asked& each : now)
      answer(each, 0);
    end_turn();
    return now.size();
  }
};

TEST_F(AskingTest, EveryoneIsAskedMoreAtOnceTheLongerNobodyHasAnything) {
  open();
  std::vector<std::size_t> windows;
  while (!asked.empty())
    windows.push_back(answer_all_with_nothing());
  EXPECT_EQ(windows, (std::vector<std::size_t>{1, 2, 4, 8, 16, 32, 32, 5}));
  ASSERT_EQ(lives.size(), 1U);
  EXPECT_TRUE(lives.front().complete);
}

TEST_F(AskingTest, OneWhoHasMoreThanAnAnswerHoldsIsPulledFromAlone) {
  open();
  answer_all_with_nothing();
  answer_all_with_nothing();
  ASSERT_EQ(asked.size(), 4U);
  const std::vector<Asked> four = std::exchange(asked, {});
  // Two who hold the same three strokes, a stroke to an answer.
  answer(four[0], 3, true);
  answer(four[1], 3, true);
  answer(four[2], 0);
  answer(four[3], 0);
  end_turn();
  for (Seq have = 1; have < 3; ++have) {
    ASSERT_EQ(asked.size(), 1U) << have;
    EXPECT_EQ(asked[0].peer, four[0].peer);
    EXPECT_EQ(asked[0].pull.cursor.at(kOrigin), have);
    const Asked one = std::exchange(asked, {}).front();
    answer(one, 3, have == 1);
    end_turn();
  }
  // The other is asked for what it has past that.
  bool again = false;
  std::size_t others = 0;
  while (!asked.empty()) {
    const std::vector<Asked> now = std::exchange(asked, {});
    for (const Asked& each : now) {
      EXPECT_EQ(each.pull.cursor.at(kOrigin), 3U);
      again = again || each.peer == four[1].peer;
      answer(each, each.peer == four[1].peer ? 3 : 0);
    }
    others += now.size();
    end_turn();
  }
  EXPECT_TRUE(again);
  EXPECT_EQ(others, kPeers - 6);
  ASSERT_EQ(lives.size(), 1U);
  EXPECT_TRUE(lives.front().complete);
}

TEST_F(AskingTest, TheSilentHoldUpNobodyElseAndLeaveTheHistoryOpen) {
  open();
  for (int i = 0; i < 3; ++i)
    answer_all_with_nothing();
  ASSERT_EQ(asked.size(), 8U);
  asked.erase(asked.begin(), asked.begin() + 3);
  std::size_t answered = 7;
  while (!asked.empty())
    answered += answer_all_with_nothing();
  EXPECT_EQ(answered, kPeers - 3);
  for (int i = 0; i < 24; ++i) {
    ms += 50;
    for (std::size_t peers = 0; peers < kPeers; ++peers)
      step(GossipReceived{GossipMessage{peer(peers), "aaaaaaaa", Heartbeat{}}});
    step(Tick{});
    end_turn();
  }
  ASSERT_EQ(lives.size(), 1U);
  EXPECT_FALSE(lives.front().complete);
}

TEST_F(AskingTest, WhoHeardNoQuestionGivesWayToWhoOffersThoughItPushes) {
  open();
  ASSERT_EQ(asked.size(), 1U);
  const Asked deaf = std::exchange(asked, {}).front();
  const NodeId other = peer(deaf.peer == peer(50) ? 51 : 50);
  for (Seq seq = 1; seq <= 5; ++seq) {
    ms += 50;
    say(deaf.peer, {run(make_origin(deaf.peer, "aaaaaaaa"), seq)});
    end_turn();
  }
  say(other, {Offer{{{kChannel, {{make_origin(other, "aaaaaaaa"), 1, 1}}}}}});
  end_turn();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked.front().peer, other);
}

}  // namespace
}  // namespace inkmesh
