#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "fixture.h"
#include "store/record.h"

namespace inkmesh::store {
namespace {

std::string encoded(const Key& key, const Stroke& stroke, bool duplicate = false) {
  std::string value(stroke_value_bytes(stroke), '?');
  encode_stroke(key.bytes(), stroke, duplicate, value.data());
  return value;
}

StrokePtr decoded(const Key& key, const std::string& value, const Stroke& like) {
  return decode_stroke(key.bytes(), value, like.channel, like.origin, like.seq);
}

TEST(Record, KeysSortByChannelThenOriginThenSeq) {
  const std::vector<Key> keys = {
      Key::of_stroke("a", "n1~00000000", 1),   Key::of_stroke("a", "n1~00000000", 255),
      Key::of_stroke("a", "n1~00000000", 256), Key::of_stroke("a", "n1~00000000", kNumberMax),
      Key::of_stroke("a", "n1~00000001", 1),   Key::of_stroke("a", "n1~000000010", 1),
      Key::of_stroke("a-", "n1~00000000", 1),  Key::of_stroke("a.b", "n1~00000000", 1),
      Key::of_stroke("a:b", "n1~00000000", 1), Key::of_stroke("aa", "n1~00000000", 1),
  };
  for (std::size_t i = 1; i < keys.size(); ++i)
    EXPECT_LT(keys[i - 1].bytes(), keys[i].bytes()) << i;
}

TEST(Record, SetSeqMakesTheSameKeyAsNew) {
  Key key = Key::of_stroke("drawing", "ws1~00000000", 1);
  key.set_seq(77);
  EXPECT_EQ(key.bytes(), Key::of_stroke("drawing", "ws1~00000000", 77).bytes());
}

TEST(Record, TheLongestNamesFitLmdbsKeyLimit) {
  const std::string channel(kChannelBytesMax, 'c');
  const std::string origin(kOriginBytesMax, 'o');
  const std::string client(kClientBytesMax, 'u');
  EXPECT_LE(Key::of_stroke(channel, origin, kNumberMax).bytes().size(), 511U);
  EXPECT_LE(Key::of_op(channel, client, kNumberMax).bytes().size(), 511U);
  EXPECT_EQ(channel_in_head_key(Key::of_head(channel, origin).bytes()), channel);
  EXPECT_EQ(origin_in_head_key(Key::of_head(channel, origin).bytes(), Key::of_heads(channel).bytes()), origin);
}

TEST(RecordDeathTest, ANameThatDoesNotFitEndsTheProcess) {
  EXPECT_DEATH(Key::of_heads(std::string(kChannelBytesMax + 1, 'c')), "129 bytes in a key");
  EXPECT_DEATH(Key::of_head("", "ws1~00000000"), "0 bytes in a key");
}

TEST(Record, AStrokeComesBackAsItWas) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{240}, kDataBytesMax}) {
    auto stroke =
        std::make_shared<Stroke>(*make_stroke("drawing", "ws1~00000000", kNumberMax, std::string(size, '\0')));
    stroke->ts = kNumberMax;
    stroke->op = kNumberMax;
    stroke->client = std::string(kClientBytesMax, 'u');
    const Key key = Key::of_stroke(stroke->channel, stroke->origin, stroke->seq);
    for (const bool duplicate : {false, true}) {
      const std::string value = encoded(key, *stroke, duplicate);
      const StrokePtr back = decoded(key, value, *stroke);
      ASSERT_NE(back, nullptr);
      EXPECT_TRUE(same_content(*back, *stroke));
      EXPECT_EQ(back->duplicate, duplicate);
      EXPECT_EQ(decode_stroke_ts(key.bytes(), value), stroke->ts);
    }
  }
}

TEST(Record, WhatTheCoreCannotHaveWrittenIsDamagedThoughItsChecksumIsRight) {
  const StrokePtr good = make_stroke("drawing", "ws1~00000000", 3, "[1,2,3]");
  const Key key = Key::of_stroke(good->channel, good->origin, good->seq);
  ASSERT_NE(decoded(key, encoded(key, *good), *good), nullptr);
  const std::vector<void (*)(Stroke&)> changes = {
      [](Stroke& stroke) { stroke.data.clear(); },
      [](Stroke& stroke) { stroke.data.assign(kDataBytesMax + 1, ' '); },
      [](Stroke& stroke) { stroke.client.clear(); },
      [](Stroke& stroke) { stroke.client.assign(kClientBytesMax + 1, 'u'); },
      [](Stroke& stroke) { stroke.client = "a b"; },
      [](Stroke& stroke) { stroke.op = 0; },
      [](Stroke& stroke) { stroke.op = kNumberMax + 1; },
      [](Stroke& stroke) { stroke.ts = kNumberMax + 1; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Stroke stroke = *good;
    changes[i](stroke);
    const std::string value = encoded(key, stroke);
    EXPECT_EQ(decoded(key, value, stroke), nullptr) << i;
    EXPECT_EQ(decode_stroke_ts(key.bytes(), value), std::nullopt) << i;
  }
}

TEST(Record, EveryFlippedBitAndEveryCutOfAStrokeIsSeen) {
  const StrokePtr stroke = make_stroke("drawing", "ws1~00000000", 3, "[1,2,3]");
  const Key key = Key::of_stroke(stroke->channel, stroke->origin, stroke->seq);
  const std::string value = encoded(key, *stroke);
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    std::string bad = value;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(decoded(key, bad, *stroke), nullptr) << bit;
    EXPECT_FALSE(decode_stroke_ts(key.bytes(), bad)) << bit;
  }
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_EQ(decoded(key, value.substr(0, size), *stroke), nullptr) << size;
  }
}

TEST(Record, ARecordUnderAnotherKeyIsDamaged) {
  const StrokePtr stroke = make_stroke("drawing", "ws1~00000000", 3);
  const Key key = Key::of_stroke(stroke->channel, stroke->origin, stroke->seq);
  const std::string value = encoded(key, *stroke);
  EXPECT_EQ(decoded(Key::of_stroke("drawing", "ws1~00000000", 4), value, *stroke), nullptr);
  EXPECT_EQ(decoded(Key::of_stroke("drawing", "ws2~00000000", 3), value, *stroke), nullptr);
  EXPECT_EQ(decoded(Key::of_stroke("drawinh", "ws1~00000000", 3), value, *stroke), nullptr);
}

TEST(Record, HeadsAndOpsComeBackAndShowDamage) {
  const Key head_key = Key::of_head("drawing", "ws1~00000000");
  std::string head(kHeadValueBytes, '?');
  encode_head(head_key.bytes(), {42, 0xfeedULL, 99}, head.data());
  const auto head_back = decode_head(head_key.bytes(), head);
  ASSERT_TRUE(head_back);
  EXPECT_EQ(head_back->seq, 42U);
  EXPECT_EQ(head_back->chain, 0xfeedU);
  EXPECT_EQ(head_back->ts, 99U);

  const Key op_key = Key::of_op("drawing", "ann", 17);
  std::string op(kOpValueBytesMax, '?');
  op.resize(encode_op(op_key.bytes(), {"ws1~00000000", 42, 99, 0xbeefULL}, op.data()));
  const auto op_back = decode_op(op_key.bytes(), op);
  ASSERT_TRUE(op_back);
  EXPECT_EQ(op_back->origin, "ws1~00000000");
  EXPECT_EQ(op_back->seq, 42U);
  EXPECT_EQ(op_back->ts, 99U);
  EXPECT_EQ(op_back->data_hash, 0xbeefU);

  for (std::size_t i = 0; i < head.size(); ++i) {
    std::string bad = head;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_FALSE(decode_head(head_key.bytes(), bad)) << i;
  }
  for (std::size_t i = 0; i < op.size(); ++i) {
    std::string bad = op;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_FALSE(decode_op(op_key.bytes(), bad)) << i;
  }
  EXPECT_FALSE(decode_head(head_key.bytes(), ""));
  EXPECT_FALSE(decode_op(op_key.bytes(), ""));
}

TEST(Record, RandomBytesAreNeverAStroke) {
  std::mt19937_64 random(1);
  const StrokePtr stroke = make_stroke("drawing", "ws1~00000000", 1);
  const Key key = Key::of_stroke(stroke->channel, stroke->origin, stroke->seq);
  for (int i = 0; i < 2000; ++i) {
    std::string value(random() % 100, '\0');
    for (char& c : value)
      c = static_cast<char>(random());
    EXPECT_EQ(decoded(key, value, *stroke), nullptr);
  }
}

}  // namespace
}  // namespace inkmesh::store
