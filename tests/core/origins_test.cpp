// What the log says of a drawing whose cursor grows long.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "inkmesh/core.h"
#include "two_nodes.h"

namespace inkmesh {
namespace {

Origin origin(unsigned life) {
  return make_origin("ws1", epoch_from_bits(life));
}

/// A node whose store holds a stroke of each of so many lives of ws1 in each of those channels.
struct OfManyLives {
  Core core;
  Effects effects;
  std::uint64_t frames = 0;

  OfManyLives(const std::vector<Channel>& channels, unsigned lives) : core(two_nodes(), heads(channels, lives)) {
    step(PeerConnected{"ws1"});
  }
  static std::vector<StoredHead> heads(const std::vector<Channel>& channels, unsigned lives) {
    std::vector<StoredHead> heads;
    for (const Channel& channel : channels) {
      for (unsigned life = 0; life < lives; ++life)
        heads.push_back({channel, origin(life), 1, 1, 1});
    }
    return heads;
  }
  void step(Event event) {
    core.step(std::move(event), Now{1000, 1}, effects);
    core.end_turn(Now{1000, 1}, effects);
  }
  /// Another life of ws1 draws there, and the store takes it.
  void draws(const Channel& channel, unsigned life) {
    const Stroke stroke{channel, origin(life), 1, 1, "ann", life, "{}"};
    step(FrameReceived{Frame{"ws1", "aaaaaaaa", 1, ++frames, {StrokeRun{{std::make_shared<Stroke>(stroke)}}}}});
    Ticket ticket = 0;
    for (const Effect& effect : effects) {
      if (const auto* append = std::get_if<Append>(&effect)) ticket = append->ticket;
    }
    step(Committed{ticket});
  }
  std::vector<std::string> warned() {
    std::vector<std::string> lines;
    for (const Effect& effect : effects) {
      const auto* say = std::get_if<Say>(&effect);
      if (say != nullptr && say->text.find("cursor of more") != std::string::npos)
        lines.push_back(say->text.substr(0, say->text.find(':')));
    }
    effects.clear();
    return lines;
  }
};

TEST(ManyOrigins, AreSaidOnceForEachChannel) {
  OfManyLives node({"drawing", "other"}, kOriginsMany - 1);
  node.draws("drawing", 1000);
  EXPECT_EQ(node.warned(), std::vector<std::string>{}) << "so many are well";
  node.draws("drawing", 1001);
  EXPECT_EQ(node.warned(), std::vector<std::string>{"channel drawing has strokes of 301 origins"});
  node.draws("drawing", 1002);
  EXPECT_EQ(node.warned(), std::vector<std::string>{});
  node.draws("other", 1000);
  node.draws("other", 1001);
  EXPECT_EQ(node.warned(), std::vector<std::string>{"channel other has strokes of 301 origins"});
}

TEST(ManyOrigins, OfAStoreAreOneLineAtTheStart) {
  OfManyLives node({"drawing", "other"}, kOriginsMany + 5);
  EXPECT_EQ(node.warned(),
            std::vector<std::string>{"2 channels have strokes of over 300 origins, the most (305) channel drawing"});
  node.draws("drawing", 1000);
  EXPECT_EQ(node.warned(), std::vector<std::string>{});
}

}  // namespace
}  // namespace inkmesh
