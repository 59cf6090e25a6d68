// A peer that speaks another version of the mesh's language, as in the middle of an upgrade.
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "inkmesh/core.h"
#include "two_nodes.h"

namespace inkmesh {
namespace {

TEST(OtherVersion, IsSaidOnceAMinuteAndForgottenWhenThePeerIsUnderstoodOrSilent) {
  Core core(two_nodes(), {});
  MonotonicMs ms = 1000;
  int said = 0;
  const auto step = [&](Event event) {
    Effects effects;
    core.step(std::move(event), Now{ms, 1'000'000}, effects);
    core.end_turn(Now{ms, 1'000'000}, effects);
    for (const Effect& effect : effects) {
      const auto* say = std::get_if<Say>(&effect);
      if (say != nullptr && say->text.find("peer ws1 speaks version 7 of the mesh's language") != std::string::npos)
        ++said;
    }
  };
  const auto version = [&core] { return core.status().peers.front().other_version; };

  for (; ms < 60'000; ms += 500)
    step(OtherVersion{"ws1", 7});
  EXPECT_EQ(said, 1);
  EXPECT_EQ(version(), 7);
  for (; ms < 63'000; ms += 500)
    step(OtherVersion{"ws1", 7});
  EXPECT_EQ(said, 2);

  step(GossipReceived{GossipMessage{"ws1", "aaaaaaaa", Heartbeat{}}});
  EXPECT_EQ(version(), 0) << "it was upgraded";
  step(OtherVersion{"ws1", 7});
  EXPECT_EQ(version(), 7);
  EXPECT_EQ(said, 3) << "and set back";
  ms += 6'000;
  step(Tick{});
  EXPECT_EQ(version(), 0) << "nothing was heard of it since";
  step(OtherVersion{"nobody", 7});
  step(OtherVersion{"me", 7});
  EXPECT_EQ(said, 3);
}

}  // namespace
}  // namespace inkmesh
