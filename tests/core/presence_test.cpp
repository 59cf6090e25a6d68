// Presence, told by peers at the wrong moment. tests/sim has it among all else.
#include <gtest/gtest.h>

#include <memory>
#include <variant>
#include <vector>

#include "inkmesh/core.h"
#include "two_nodes.h"

namespace inkmesh {
namespace {

TEST(Presence, WhatAPeerTellsOfAChannelThatNobodyHasOpenHereIsNotKept) {
  Core core(two_nodes(), {});
  Effects effects;
  const Now now{1000, 1'000'000};
  const auto step = [&](Event event) { core.step(std::move(event), now, effects); };
  step(ConnOpened{1, "ann"});
  step(Subscribe{1, 1, "open_here", {}});
  step(GossipReceived{GossipMessage{"ws1", "aaaaaaaa", Heartbeat{}}});
  step(PeerConnected{"ws1"});
  const auto told = [](const Channel& channel) {
    return std::vector<LinkMessage>{PresenceFull{channel, 1, {{7, "bob"}}}, PresenceDelta{channel, 1, {{8, "eve"}}, {}},
                                    PresenceWant{channel}};
  };
  step(FrameReceived{Frame{"ws1", "aaaaaaaa", 1, 1, told("closed_here")}});
  step(FrameReceived{Frame{"ws1", "aaaaaaaa", 1, 2, told("open_here")}});
  core.end_turn(now, effects);
  effects.clear();
  step(PresenceAsk{1, 2, "open_here"});
  core.end_turn(now, effects);
  std::vector<ClientName> present;
  for (const Effect& effect : effects) {
    if (const auto* answer = std::get_if<SendPresence>(&effect)) {
      for (const auto& one : *answer->clients)
        present.push_back(one.client);
    }
  }
  EXPECT_EQ(present, (std::vector<ClientName>{"ann", "bob", "eve"}));
}

using List = std::shared_ptr<const std::vector<Present>>;

TEST(Presence, AllWhoAskBeforeAnythingChangesAreToldWithOneList) {
  Core core(two_nodes(), {});
  const Now now{1000, 1'000'000};
  const auto turn = [&](std::vector<Event> events) {
    Effects effects;
    for (Event& event : events)
      core.step(std::move(event), now, effects);
    core.end_turn(now, effects);
    std::vector<List> lists;
    for (const Effect& effect : effects) {
      if (const auto* answer = std::get_if<SendPresence>(&effect)) lists.push_back(answer->clients);
    }
    return lists;
  };
  const auto ask = [](ConnId conn) { return PresenceAsk{conn, 9, "drawing"}; };
  turn({ConnOpened{1, "ann"}, ConnOpened{2, "bob"}, Subscribe{1, 1, "drawing", {}}, Subscribe{2, 1, "drawing", {}}});
  std::vector<List> lists = turn({ask(1), ask(2)});
  ASSERT_EQ(lists.size(), 2U);
  EXPECT_EQ(lists[0]->size(), 2U);
  EXPECT_EQ(lists[0], lists[1]);
  EXPECT_EQ(turn({ask(1)}), (std::vector<List>{lists[0]})) << "nobody has come or gone";

  lists = turn({Unsubscribe{2, 2, "drawing"}, ask(1)});
  ASSERT_EQ(lists.size(), 1U);
  ASSERT_EQ(lists[0]->size(), 1U);
  EXPECT_EQ(lists[0]->front().client, "ann");
}

TEST(Presence, APeersSetThatIsToldAgainIsTakenAsItIs) {
  Core core(two_nodes(), {});
  const Now now{1000, 1'000'000};
  std::uint64_t number = 0;
  const auto clients = [&](const LinkMessage& message) {
    Effects effects;
    core.step(FrameReceived{Frame{"ws1", "aaaaaaaa", 1, ++number, {message}}}, now, effects);
    core.step(PresenceAsk{1, 9, "drawing"}, now, effects);
    core.end_turn(now, effects);
    std::vector<ClientName> present;
    for (const Effect& effect : effects) {
      const auto* answer = std::get_if<SendPresence>(&effect);
      if (answer == nullptr) continue;
      for (const Present& one : *answer->clients)
        present.push_back(one.client);
    }
    return present;
  };
  Effects ignored;
  for (Event event : std::vector<Event>{ConnOpened{1, "ann"}, Subscribe{1, 1, "drawing", {}},
                                        GossipReceived{GossipMessage{"ws1", "aaaaaaaa", Heartbeat{}}}}) {
    core.step(std::move(event), now, ignored);
  }
  using Names = std::vector<ClientName>;
  EXPECT_EQ(clients(PresenceFull{"drawing", 1, {{7, "bob"}}}), (Names{"ann", "bob"}));
  EXPECT_EQ(clients(PresenceFull{"drawing", 5, {{7, "bob"}}}), (Names{"ann", "bob"}));
  EXPECT_EQ(clients(PresenceDelta{"drawing", 5, {{8, "eve"}}, {}}), (Names{"ann", "bob", "eve"})) << "version 5 counts";
  EXPECT_EQ(clients(PresenceFull{"drawing", 9, {{7, "cid"}}}), (Names{"ann", "cid"}));
}

}  // namespace
}  // namespace inkmesh
