// What is under way to a peer: bytes that were pushed to it and not confirmed.
#include <gtest/gtest.h>

#include <utility>
#include <variant>
#include <vector>

#include "inkmesh/core.h"
#include "two_nodes.h"

namespace inkmesh {
namespace {

struct WindowTest : testing::Test {
  Core core{two_nodes(), {}};
  Effects effects;
  MonotonicMs ms = 1000;

  WindowTest() {
    turn({GossipReceived{GossipMessage{"ws1", "aaaaaaaa", Heartbeat{}}}, PeerConnected{"ws1"}, ConnOpened{1, "ann"}});
    turn({hears(1, InterestFull{})});
  }
  static Event hears(std::uint64_t number, LinkMessage message) {
    return FrameReceived{Frame{"ws1", "aaaaaaaa", 1, number, {std::move(message)}}};
  }
  void turn(std::vector<Event> events) {
    effects.clear();
    for (Event& event : events)
      core.step(std::move(event), Now{ms, ms * 1000}, effects);
    core.end_turn(Now{ms, ms * 1000}, effects);
  }
  Ticket publish(Op op) {
    turn({Publish{1, op, "drawing", "ann", op, "{}", false, std::nullopt}});
    for (const Effect& effect : effects) {
      if (const auto* append = std::get_if<Append>(&effect)) return append->ticket;
    }
    return 0;
  }
  std::uint64_t window() const {
    return core.status().peers.at(0).window_bytes;
  }
};

TEST_F(WindowTest, HoldsWhatIsPushedUntilItIsConfirmed) {
  turn({Committed{publish(1)}});
  EXPECT_GT(window(), 0U);
  turn({hears(2, Stored{{{"drawing", "me~bbbbbbbb", 1}}})});
  EXPECT_EQ(window(), 0U);
}

TEST_F(WindowTest, LeavesOutWhatWasPulledAndConfirmedBeforeItWasPushed) {
  const Ticket ticket = publish(1);
  turn({hears(2, Stored{{{"drawing", "me~bbbbbbbb", 1}}})});
  turn({Committed{ticket}});
  EXPECT_EQ(window(), 0U);
}

TEST_F(WindowTest, LetsGoOfWhatIsNeverConfirmed) {
  turn({Committed{publish(1)}});
  ASSERT_GT(window(), 0U);
  for (int i = 0; i < 120; ++i) {
    ms += 50;
    turn({GossipReceived{GossipMessage{"ws1", "aaaaaaaa", Heartbeat{}}}, Tick{}});
  }
  EXPECT_EQ(core.status().peers.at(0).state, "up");
  EXPECT_EQ(window(), 0U);
}

}  // namespace
}  // namespace inkmesh
