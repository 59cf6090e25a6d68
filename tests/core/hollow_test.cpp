// Why a store does not count as whole: what its mark says, and what peers say of it.
#include "inkmesh/hollow.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/cluster_map.h"
#include "inkmesh/core.h"

namespace inkmesh {
namespace {

const std::vector<NodeId> kNodes{"me", "ws1"};
const Epoch kFormer = "99999999";

std::string own_mark() {
  return std::to_string(core::ClusterMap(kNodes, "me", 2, 2).generation());
}

/// A node that was started with that mark on its store; none: the store bears none.
struct Started {
  Core core;
  Effects effects;

  explicit Started(const std::optional<std::string>& mark) : core(settings(mark), {}) {
    step(Tick{});
  }
  static CoreSettings settings(const std::optional<std::string>& mark) {
    CoreSettings settings;
    settings.self = "me";
    settings.epoch = "bbbbbbbb";
    settings.nodes = kNodes;
    settings.notes["lives"] = kFormer;
    if (mark) settings.notes[kWholeNote] = *mark;
    return settings;
  }
  void step(Event event) {
    core.step(std::move(event), Now{1000, 1}, effects);
    core.end_turn(Now{1000, 1}, effects);
  }
  void hears(LinkMessage message) {
    step(PeerConnected{"ws1"});
    step(FrameReceived{Frame{"ws1", "aaaaaaaa", 1, 1, {std::move(message)}}});
  }
  void misses_a_life() {
    hears(SettleAsk{1, "88888888", false});
  }
  void misses_strokes_of_its_last_life() {
    const Stroke stroke{"drawing", make_origin("me", kFormer), 1, 1, "ann", 1, "{}"};
    hears(StrokeRun{{std::make_shared<const Stroke>(stroke)}});
  }
  /// Empty: it is whole.
  std::string because() const {
    const CoreStatus status = core.status();
    return status.hollow ? std::string(name_of(status.hollow_because)) : "";
  }
  std::string warned() const {
    for (const Effect& effect : effects) {
      const auto* say = std::get_if<Say>(&effect);
      if (say != nullptr && say->severity == Severity::warning) return say->text.substr(0, say->text.find(':'));
    }
    return {};
  }
  /// What was noted last; nothing where the mark was left as it is.
  std::optional<std::string> noted() const {
    std::optional<std::string> mark;
    for (const Effect& effect : effects) {
      const auto* note = std::get_if<Note>(&effect);
      if (note != nullptr && note->name == kWholeNote) mark = note->value;
    }
    return mark;
  }
};

TEST(Hollow, OnlyAMarkOfThisNodeListMakesAStoreWhole) {
  EXPECT_EQ(Started(own_mark()).because(), "");
  EXPECT_EQ(Started(own_mark()).warned(), "");
  for (const std::string& mark : {std::string(), std::string("whole"), own_mark() + " ", "+" + own_mark(),
                                  own_mark() + std::string(1, '\0'), std::string(2000, 'x'), std::string("Restored")})
    EXPECT_EQ(Started(mark).because(), "unknown") << mark;
  EXPECT_EQ(Started("0" + own_mark()).because(), "other_list");
}

TEST(Hollow, TheLogAndTheStatusSayWhy) {
  const std::map<std::string, std::string> lines = {
      {"restored", "the store was put back from a backup (--restored)"},
      {"copied", "the store is a copy of the one that was"},
      {"lost_records", "the store has lost records"},
      {"lost_life", "the store was lost or put back"},
      {"set_back", "the store was set back"},
      {"twin", "another process ran as this node, and the store may lack what that one confirmed"},
      {"", "the store is marked as not whole, by a release that did not say why"},
      {"7", "the node list, replicas or ack have changed since the store was whole"},
  };
  for (const auto& [mark, line] : lines) {
    const Started node(mark);
    EXPECT_EQ(node.warned(), line) << mark;
    EXPECT_EQ(node.because(), mark.empty() ? "unknown" : mark == "7" ? "other_list" : mark);
    EXPECT_EQ(node.noted(), std::nullopt) << "a start changes no mark";
  }
  EXPECT_EQ(Started(std::nullopt).warned(), "the store is new, or was lost, which it cannot tell apart");
  EXPECT_EQ(Started(std::nullopt).because(), "new_or_lost");
}

TEST(Hollow, WhatPeersNoticeIsNoted) {
  for (const std::optional<std::string>& mark : {std::optional(own_mark()), std::optional<std::string>("7"),
                                                 std::optional<std::string>(), std::optional<std::string>("")}) {
    Started lost(mark);
    lost.misses_a_life();
    EXPECT_EQ(lost.because(), "lost_life");
    EXPECT_EQ(lost.noted(), "lost_life");
    Started old(mark);
    old.misses_strokes_of_its_last_life();
    EXPECT_EQ(old.because(), "set_back");
    EXPECT_EQ(old.noted(), "set_back");
  }
}

TEST(Hollow, WhatTheOperatorOrTheStoreHasToldStays) {
  for (const char* mark : {"restored", "copied", "lost_records"}) {
    Started node(mark);
    node.misses_a_life();
    EXPECT_EQ(node.because(), mark);
    EXPECT_EQ(node.noted(), mark);
  }
}

}  // namespace
}  // namespace inkmesh
