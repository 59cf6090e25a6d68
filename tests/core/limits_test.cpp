// What is full: authors who wait, pulls under way.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "inkmesh/core.h"
#include "inkmesh/stroke.h"
#include "two_nodes.h"

namespace inkmesh {
namespace {

struct LimitsTest : testing::Test {
  Core core{settings(), {}};
  Effects effects;
  MonotonicMs ms = 1000;
  std::uint64_t frames = 0;

  static CoreSettings settings() {
    CoreSettings settings = two_nodes();
    settings.limits.authors_waiting = 2;
    settings.limits.pulls = 1;
    return settings;
  }
  LimitsTest() {
    turn({GossipReceived{GossipMessage{"ws1", "aaaaaaaa", Heartbeat{}}}, PeerConnected{"ws1"}, ConnOpened{1, "ann"}});
    turn({hears(InterestFull{})});
  }
  Event hears(LinkMessage message) {
    return FrameReceived{Frame{"ws1", "aaaaaaaa", 1, ++frames, {std::move(message)}}};
  }
  void turn(std::vector<Event> events) {
    effects.clear();
    for (Event& event : events)
      core.step(std::move(event), Now{ms, ms * 1000}, effects);
    core.end_turn(Now{ms, ms * 1000}, effects);
  }
  template <typename T>
  std::vector<T> said() const {
    std::vector<T> all;
    for (const Effect& effect : effects) {
      if (const auto* what = std::get_if<T>(&effect)) all.push_back(*what);
    }
    return all;
  }
};

TEST_F(LimitsTest, AuthorsOfLostStrokesGiveWayToNewOnes) {
  // What they wait for was numbered by a node that is gone with its disk: nobody will ever confirm it.
  for (const Op op : {Op{1}, Op{2}}) {
    const KnownOp lost{"ws9~cccccccc", op, 5, data_hash("{}")};
    turn({Publish{1, op, "drawing", "ann", op, "{}", true, lost}});
  }
  ASSERT_EQ(core.status().acks_waiting, 2U);
  turn({Publish{1, 3, "drawing", "ann", 3, "{}", false, std::nullopt}});
  EXPECT_EQ(core.status().acks_waiting, 2U);
  const std::vector<SendError> errors = said<SendError>();
  ASSERT_EQ(errors.size(), 1U) << "whoever is sent away is told so";
  EXPECT_EQ(errors[0].id, RequestId{1});
  EXPECT_EQ(errors[0].code, ErrorCode::unavailable);
  ASSERT_EQ(said<Append>().size(), 1U);
  turn({Committed{said<Append>()[0].ticket}});
  turn({hears(Stored{{{"drawing", "me~bbbbbbbb", 1}}})});
  ASSERT_EQ(said<SendAck>().size(), 1U);
  EXPECT_EQ(said<SendAck>()[0].id, 3U);
}

TEST_F(LimitsTest, NoMorePullsAreUnderWayThanMayBe) {
  Heads heads;
  for (int i = 0; i < 5; ++i) {
    Cursor cursor;
    cursor.set("ws1~aaaaaaaa", 1);
    heads.entries.push_back({"drawing_" + std::to_string(i), cursor});
  }
  turn({hears(std::move(heads))});
  for (int i = 0; i < 4; ++i) {
    ms += 50;
    turn({GossipReceived{GossipMessage{"ws1", "aaaaaaaa", Heartbeat{}}}, Tick{}});
  }
  EXPECT_EQ(core.status().pulls_under_way, 1U);
}

}  // namespace
}  // namespace inkmesh
