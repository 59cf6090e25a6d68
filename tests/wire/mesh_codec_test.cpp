// Mesh messages keep every field, and stand in the bytes that the grammar in mesh_codec.cpp says.
#include "wire/mesh_codec.h"

#include <gtest/gtest.h>

#include <limits>

#include "mesh_samples.h"

namespace inkmesh::wire {
namespace {

using test::Random;

Frame frame_with(LinkMessage message) {
  Frame frame{"ws1", "5k2m9x1q", 0x0807060504030201, 300, {}};
  frame.messages.push_back(std::move(message));
  return frame;
}

TEST(MeshCodec, EveryTypeOfMessageComesBackAsItWas) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    const auto all = test::one_of_each(random);
    ASSERT_EQ(all.size(), std::variant_size_v<LinkMessage>);
    for (std::size_t i = 0; i < all.size(); ++i) {
      ASSERT_EQ(all[i].index(), i);
      const Frame frame = frame_with(all[i]);
      const auto back = decode_frame(encode(frame));
      ASSERT_TRUE(back) << "type " << i << ", seed " << seed;
      ASSERT_TRUE(test::same(frame, *back)) << "type " << i << ", seed " << seed;
    }
  }
}

TEST(MeshCodec, FramesOfManyMessagesComeBackAsTheyWere) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Random random(seed);
    const Frame frame = test::random_frame(random);
    const std::string bytes = encode(frame);
    const auto back = decode_frame(bytes);
    ASSERT_TRUE(back && test::same(frame, *back)) << "seed " << seed;
    ASSERT_EQ(encode(*back), bytes) << "seed " << seed;
  }
}

TEST(MeshCodec, GossipComesBackAsItWas) {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Random random(seed);
    const GossipMessage message = test::random_gossip(random);
    const auto back = decode_gossip(encode(message));
    ASSERT_TRUE(back && test::same(message, *back)) << "seed " << seed;
  }
}

TEST(MeshCodec, BytesAreTheGrammars) {
  StrokeRun run;
  run.strokes.push_back(std::make_shared<Stroke>(Stroke{"c", "n~00000000", 5, 1000, "ann", 1, "{}", false}));
  run.strokes.push_back(std::make_shared<Stroke>(Stroke{"c", "n~00000000", 6, 999, "ann", 3, "7", true}));
  using namespace std::string_literals;
  EXPECT_EQ(encode(frame_with(run)),
            "\x02\x03ws1\x08"s
            "5k2m9x1q\x01\x02\x03\x04\x05\x06\x07\x08\xAC\x02\x01"s  // version to messages' count
            "\x20\x01"s
            "c\x0An~00000000\x00\x05\x02"s  // tag to strokes' count
            "\x03"s
            "ann\xD0\x0F\x02\x04{}"s  // 1000 is 0xD0 0x0F as a delta
            "\x00\x01\x04\x03"s
            "7"s);  // same author, -1, +2, duplicate
}

TEST(MeshCodec, AStrokeInARunCostsFewBytesBesidesItsData) {
  StrokeRun run;
  const std::string data(200, '1');
  for (Seq seq = 1; seq <= 100; ++seq) {
    run.strokes.push_back(std::make_shared<Stroke>(Stroke{
        "drawing_abc123", "ws1~5k2m9x1q", seq, 1'763'890'000'000'000 + seq * 1000, "ann", 17 + seq, data, false}));
  }
  EXPECT_LE(encode(frame_with(run)).size(), 100 * (200 + 6) + 100);
}

TEST(MeshCodec, TwinLivesPastTheirBoundsAreRefused) {
  const auto accepted_beat = [](TwinLives lives, std::size_t count) {
    Heartbeat beat;
    beat.twins.assign(count, std::move(lives));
    return decode_gossip(encode(GossipMessage{"ws1", "5k2m9x1q", std::move(beat)})).has_value();
  };
  const TwinLives good{"ws2", "5k2m9x1q", "h80c3jzt", "10.0.0.7", "", true, false};
  EXPECT_TRUE(accepted_beat(good, kTwinLivesMax));
  EXPECT_FALSE(accepted_beat(good, kTwinLivesMax + 1));
  TwinLives bad = good;
  bad.other_address = "10.0.0.7\n";
  EXPECT_FALSE(accepted_beat(bad, 1));
  bad.other_address = std::string(65, '1');
  EXPECT_FALSE(accepted_beat(bad, 1));
  bad = good;
  bad.other = "";
  EXPECT_FALSE(accepted_beat(bad, 1));
}

TEST(MeshCodec, WhoSpeaksAnotherVersionCanBeNamed) {
  for (std::string bytes :
       {encode(frame_with(InterestWant{})), encode(GossipMessage{"ws1", "5k2m9x1q", Heartbeat{}})}) {
    bytes.front() = static_cast<char>(kMeshVersion + 1);
    EXPECT_EQ(sender_of(bytes), "ws1");
    EXPECT_FALSE(sender_of(std::string_view(bytes).substr(0, 4))) << "cut short";
  }
  using namespace std::string_literals;
  for (const std::string& bytes : {""s, "\3"s, "\3\0"s, "\3\3w.1"s, "\3\377ws1"s})
    EXPECT_FALSE(sender_of(bytes));
}

TEST(MeshCodec, AWholeInterestSetFitsAFrame) {
  InterestFull full{7, std::vector<std::uint64_t>(kInterestChannelsMax, 0x1122334455667788)};
  const std::string bytes = encode(frame_with(full));
  EXPECT_LE(bytes.size(), kLinkFrameBytesMax);
  ASSERT_TRUE(decode_frame(bytes));
  full.channels.push_back(1);
  EXPECT_FALSE(decode_frame(encode(frame_with(full))));
}

TEST(MeshCodec, AFrameOfTheLargestStrokesFits) {
  StrokeRun run;
  for (Seq seq = 1; seq <= 60; ++seq) {
    run.strokes.push_back(std::make_shared<Stroke>(
        Stroke{"c", "n~00000000", seq, seq, "ann", seq, std::string(kDataBytesMax, '1'), false}));
  }
  const std::string bytes = encode(frame_with(run));
  ASSERT_LE(bytes.size(), kLinkFrameBytesMax);
  const auto back = decode_frame(bytes);
  ASSERT_TRUE(back && test::same(*back, frame_with(run)));
}

/// Whether a frame with this one message is decoded.
bool accepted(LinkMessage message) {
  return decode_frame(encode(frame_with(std::move(message)))).has_value();
}

StrokeRun run_of(Stroke stroke) {
  StrokeRun run;
  run.strokes.push_back(std::make_shared<Stroke>(std::move(stroke)));
  return run;
}

const Stroke kStroke{"c", "n~00000000", 1, 5, "ann", 1, "1", false};

TEST(MeshCodec, NumbersPastTheirRangeAreRefused) {
  constexpr std::uint64_t past = kNumberMax + 1;
  ASSERT_TRUE(accepted(run_of(kStroke)));
  for (const std::uint64_t bad : {past, std::numeric_limits<std::uint64_t>::max()}) {
    Stroke stroke = kStroke;
    stroke.ts = bad;
    EXPECT_FALSE(accepted(run_of(stroke)));
    stroke = kStroke;
    stroke.op = bad;
    EXPECT_FALSE(accepted(run_of(stroke)));
    stroke = kStroke;
    stroke.seq = bad;
    EXPECT_FALSE(accepted(run_of(stroke)));
    EXPECT_FALSE(accepted(Stored{{{"c", "n~00000000", bad}}}));
    EXPECT_FALSE(accepted(Pull{1, "c", Cursor(Cursor::Map{{"n~00000000", bad}}), false}));
    EXPECT_FALSE(accepted(Fetch{"c", "n~00000000", 1, bad}));
    EXPECT_FALSE(accepted(Offer{{{"c", {{"n~00000000", bad, 0}}}}}));
    EXPECT_FALSE(accepted(OpAsk{1, "c", "ann", bad}));
    EXPECT_FALSE(accepted(OpAnswer{1, true, "n~00000000", 1, bad, 0}));
  }
  Stroke stroke = kStroke;
  stroke.op = 0;
  EXPECT_FALSE(accepted(run_of(stroke)));
  EXPECT_FALSE(accepted(Fetch{"c", "n~00000000", 5, 4}));
  EXPECT_FALSE(accepted(Fetch{"c", "n~00000000", 0, 4}));
  EXPECT_FALSE(accepted(OpAsk{1, "c", "ann", 0}));
}

TEST(MeshCodec, VersionsCountAsFarAsOneCanFollow) {
  constexpr std::uint64_t last = std::numeric_limits<std::uint64_t>::max() - 1;
  EXPECT_TRUE(accepted(PresenceFull{"c", last, {}}));
  EXPECT_FALSE(accepted(PresenceFull{"c", last + 1, {}}));
  EXPECT_FALSE(accepted(PresenceDelta{"c", last + 1, {}, {}}));
  EXPECT_FALSE(accepted(InterestFull{last + 1, {}}));
  EXPECT_FALSE(decode_gossip(encode(GossipMessage{"n", "00000000", InterestDelta{last + 1, {}, {}}})));
}

TEST(MeshCodec, ARunThatCountsPastTheLastNumberIsRefused) {
  Stroke stroke = kStroke;
  stroke.seq = kNumberMax;
  ASSERT_TRUE(accepted(run_of(stroke)));
  StrokeRun run = run_of(stroke);
  stroke.seq = kNumberMax + 1;
  run.strokes.push_back(std::make_shared<Stroke>(stroke));
  EXPECT_FALSE(accepted(run));
}

TEST(MeshCodec, NamesThatAreNoneAreRefused) {
  EXPECT_FALSE(accepted(StoredWant{""}));
  EXPECT_FALSE(accepted(StoredWant{"a b"}));
  EXPECT_FALSE(accepted(StoredWant{"a\"b"}));
  EXPECT_FALSE(accepted(StoredWant{std::string(129, 'a')}));
  EXPECT_TRUE(accepted(StoredWant{std::string(128, 'a')}));
  EXPECT_FALSE(accepted(Fetch{"c", "n", 1, 1}));
  EXPECT_FALSE(accepted(Fetch{"c", "n~0000000", 1, 1}));
  EXPECT_FALSE(accepted(Fetch{"c", "n~0000000!", 1, 1}));
  EXPECT_FALSE(accepted(OpAsk{1, "c", "", 1}));
  EXPECT_FALSE(accepted(OpAsk{1, "c", std::string(65, 'a'), 1}));
  Frame frame = frame_with(InterestWant{});
  frame.node = "";
  EXPECT_FALSE(decode_frame(encode(frame)));
  frame.node = "a.b";
  EXPECT_FALSE(decode_frame(encode(frame)));
  frame.node = "ab";
  EXPECT_TRUE(decode_frame(encode(frame)));
  frame.epoch = "5k2m9x1";
  EXPECT_FALSE(decode_frame(encode(frame)));
  frame.epoch = "5K2m9x1q";
  EXPECT_FALSE(decode_frame(encode(frame)));
}

TEST(MeshCodec, DataPastItsBoundsIsRefused) {
  Stroke stroke = kStroke;
  stroke.data = "";
  EXPECT_FALSE(accepted(run_of(stroke)));
  stroke.data.assign(kDataBytesMax + 1, '1');
  EXPECT_FALSE(accepted(run_of(stroke)));
  stroke.data.pop_back();
  EXPECT_TRUE(accepted(run_of(stroke)));
  EXPECT_FALSE(accepted(SignalMessage{"c", "ann", ""}));
  EXPECT_FALSE(accepted(SignalMessage{"c", "ann", std::string(kDataBytesMax + 1, '1')}));
}

TEST(MeshCodec, DigestsOutsideTheTreeAreRefused) {
  EXPECT_TRUE(accepted(Digest{1, {{16, ~std::uint64_t{0}, 1}}}));
  EXPECT_TRUE(accepted(Digest{1, {{1, std::uint64_t{0xF} << 60U, 1}}}));
  EXPECT_FALSE(accepted(Digest{1, {{17, 0, 1}}}));
  EXPECT_FALSE(accepted(Digest{1, {{255, 0, 1}}}));
  EXPECT_FALSE(accepted(Digest{1, {{0, 1, 1}}}));
  EXPECT_FALSE(accepted(Digest{1, {{1, std::uint64_t{0xFF} << 56U, 1}}}));
}

TEST(MeshCodecDeathTest, ARunWithAGapIsNeverWritten) {
  StrokeRun run = run_of(kStroke);
  Stroke next = kStroke;
  next.seq = 3;
  run.strokes.push_back(std::make_shared<Stroke>(next));
  EXPECT_DEATH(encode(frame_with(run)), "seq 3 at place 1 from 1");
  next.seq = 2;
  next.channel = "d";
  run.strokes.back() = std::make_shared<Stroke>(next);
  EXPECT_DEATH(encode(frame_with(run)), "is not one");
  EXPECT_DEATH(encode(frame_with(StrokeRun{})), "a run of no strokes");
}

}  // namespace
}  // namespace inkmesh::wire
