// Presence, told by peers at the wrong moment. tests/sim has it among all else.
#include <gtest/gtest.h>

#include <variant>

#include "inkmesh/core.h"

namespace inkmesh {
namespace {

TEST(Presence, WhatAPeerTellsOfAChannelThatNobodyHasOpenHereIsNotKept) {
  CoreSettings settings;
  settings.self = "me";
  settings.epoch = "bbbbbbbb";
  settings.nodes = {"me", "ws1"};
  Core core(settings, {});
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

}  // namespace
}  // namespace inkmesh
