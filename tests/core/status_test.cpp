// What a core says of itself when it is not whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/cluster_map.h"
#include "inkmesh/core.h"

namespace inkmesh {
namespace {

constexpr TimeUs kDayUs = TimeUs{86'400} * 1'000'000;
const std::vector<NodeId> kNodes{"me", "ws1", "ws2"};

struct StatusTest : testing::Test {
  Core core;
  Effects effects;
  Now now{1000, 100 * kDayUs};
  std::map<NodeId, std::uint64_t> frames;

  explicit StatusTest(const std::vector<StoredHead>& heads = {}) : core(settings(), heads) {
    turn(Tick{});
    for (const char* peer : {"ws1", "ws2"}) {
      turn(PeerConnected{peer});
      beat(peer);
    }
  }
  static CoreSettings settings() {
    CoreSettings settings;
    settings.self = "me";
    settings.epoch = "bbbbbbbb";
    settings.nodes = kNodes;
    return settings;
  }
  void turn(Event event) {
    core.step(std::move(event), now, effects);
    core.end_turn(now, effects);
    now.monotonic_ms += 50;
  }
  void beat(const NodeId& peer) {
    Heartbeat beat;
    beat.list_generation = core::ClusterMap(kNodes, "me", 2, 2).generation();
    beat.wall_us = now.wall_us;
    turn(GossipReceived{GossipMessage{peer, "aaaaaaaa", beat}});
  }
  void says(const NodeId& peer, LinkMessage message) {
    turn(FrameReceived{Frame{peer, "aaaaaaaa", 1, ++frames[peer], {std::move(message)}}});
  }
  /// The last token with which that peer was asked to say when it has handed over everything.
  std::uint64_t asked(const NodeId& peer) const {
    std::uint64_t token = 0;
    for (const Effect& effect : effects) {
      const auto* sent = std::get_if<SendFrame>(&effect);
      if (sent == nullptr || sent->peer != peer) continue;
      for (const LinkMessage& message : sent->frame.messages) {
        if (const auto* ask = std::get_if<SettleAsk>(&message)) token = ask->token;
      }
    }
    return token;
  }
  bool said(const std::string& words) const {
    return std::any_of(effects.begin(), effects.end(), [&words](const Effect& effect) {
      const auto* say = std::get_if<Say>(&effect);
      return say != nullptr && say->text.find(words) != std::string::npos;
    });
  }
  bool stores() const {
    return std::any_of(effects.begin(), effects.end(), [](const Effect& effect) {
      return std::holds_alternative<Append>(effect) || std::holds_alternative<Repair>(effect);
    });
  }
  std::vector<NodeId> awaited() const {
    std::vector<NodeId> all;
    for (const PeerStatus& peer : core.status().peers) {
      if (peer.awaited) all.push_back(peer.id);
    }
    return all;
  }
  std::string ahead() const {
    std::string text;
    for (const StrokesAhead& each : core.status().strokes_ahead)
      text += each.node + " " + std::to_string(each.ahead_ms / 86'400'000) + " ";
    return text;
  }
};

TEST_F(StatusTest, AHollowNodeNamesThoseThatItHasNotBeenComparedWith) {
  ASSERT_TRUE(core.status().hollow);
  EXPECT_EQ(awaited(), (std::vector<NodeId>{"ws1", "ws2"}));
  says("ws1", SettleDone{asked("ws1")});
  turn(Tick{});
  EXPECT_EQ(awaited(), (std::vector<NodeId>{"ws2"}));
  says("ws2", SettleDone{asked("ws2")});
  turn(Tick{});
  EXPECT_FALSE(core.status().hollow);
  EXPECT_EQ(awaited(), std::vector<NodeId>{});
}

TEST_F(StatusTest, OnceWholeItWaitsForNobodyThoughAPeerBeginsAnew) {
  for (const char* peer : {"ws1", "ws2"})
    says(peer, SettleDone{asked(peer)});
  turn(Tick{});
  ASSERT_FALSE(core.status().hollow);
  turn(PeerDisconnected{"ws1"});
  turn(PeerConnected{"ws1"});
  turn(Tick{});
  EXPECT_EQ(awaited(), std::vector<NodeId>{});
}

struct StatusOfOldStrokesTest : StatusTest {
  StatusOfOldStrokesTest()
      : StatusTest({{"drawing", "ws1~aaaaaaaa", 7, 1, 130 * kDayUs},
                    {"other", "ws1~aaaaaaaa", 2, 1, 110 * kDayUs},
                    {"drawing", "gone~aaaaaaaa", 1, 1, 465 * kDayUs},
                    {"drawing", "ws2~aaaaaaaa", 1, 1, 100 * kDayUs + kDayUs / 2}}) {}
};

TEST_F(StatusOfOldStrokesTest, NamesWhoseStrokesInItsStoreLieFarAhead) {
  EXPECT_EQ(ahead(), "gone 365 ws1 30 ");
  now.wall_us += 30 * kDayUs;
  turn(Tick{});
  EXPECT_EQ(ahead(), "gone 335 ") << "their time has come";
}

StrokeRun run_of(const Origin& origin, TimeUs ts) {
  const Stroke stroke{"drawing", origin, 1, ts, "ann", 1, "{}"};
  return {{std::make_shared<const Stroke>(stroke)}};
}

TEST_F(StatusTest, NamesWhoseStrokesComeFromFarAhead) {
  EXPECT_EQ(ahead(), "");
  says("ws1", run_of("ws1~aaaaaaaa", now.wall_us + 10 * kDayUs));
  EXPECT_EQ(ahead(), "ws1 10 ");
}

// What docs/operations.md tells the operator of forks: each is counted and named, and changes nothing.

TEST_F(StatusTest, StrokesInItsOwnNameThatItNeverNumberedAreNamedAndLeftAlone) {
  says("ws1", run_of("me~bbbbbbbb", now.wall_us));
  EXPECT_EQ(core.status().forks, 1U);
  EXPECT_TRUE(said("peer ws1 has strokes of me~bbbbbbbb in drawing that this node never numbered"));
  EXPECT_FALSE(stores());
}

TEST_F(StatusOfOldStrokesTest, OtherContentsUnderOneSeqAreCountedEachTimeAndLeftAlone) {
  for (const std::uint64_t chain : {1U, 2U, 2U})
    says("ws2", Offer{{{"drawing", {{"ws1~aaaaaaaa", 7, chain}}}}});
  EXPECT_EQ(core.status().forks, 2U);
  EXPECT_TRUE(said("fork: drawing, ws1~aaaaaaaa 7 has other contents at peer ws2"));
  EXPECT_FALSE(stores());
}

}  // namespace
}  // namespace inkmesh
