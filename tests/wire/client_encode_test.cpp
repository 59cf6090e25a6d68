// What clients are told: the exact text of every answer of the protocol.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include "wire/client_codec.h"

namespace inkmesh::wire {
namespace {

using testing::ElementsAre;

const Cursor kCursor(Cursor::Map{{"ws1~5k2m9x1q", 42}, {"ws2~h80c3jzt", 7}});

StrokePtr stroke(Seq seq, std::string data = "{\"x\":1.0}", bool duplicate = false) {
  return std::make_shared<Stroke>(
      Stroke{"drawing_abc123", "ws1~5k2m9x1q", seq, 1763890000000123, "ann", 17, std::move(data), duplicate});
}

SendPresence presence(std::vector<Present> clients) {
  return {1, 3, "c", std::make_shared<const std::vector<Present>>(std::move(clients))};
}

TEST(ClientEncode, Welcome) {
  EXPECT_EQ(encode_welcome("ws1", "ann", {98304, 256, 200}),
            R"({"type":"welcome","node":"ws1","client":"ann",)"
            R"("limits":{"message_bytes":98304,"channels":256,"publish_per_s":200}})");
}

TEST(ClientEncode, PongAndGoaway) {
  EXPECT_EQ(encode_pong(), R"({"type":"pong"})");
  EXPECT_EQ(encode_goaway(500), R"({"type":"goaway","retry_ms":500})");
}

TEST(ClientEncode, SubscribedInEachMode) {
  EXPECT_EQ(encode(SendSubscribed{1, 9, "c", Mode::delta, kCursor}),
            R"({"type":"subscribed","id":9,"channel":"c","mode":"delta",)"
            R"("cursor":{"ws1~5k2m9x1q":42,"ws2~h80c3jzt":7}})");
  const std::string head = R"({"type":"subscribed","id":0,"channel":"c","mode":")";
  EXPECT_EQ(encode(SendSubscribed{1, 0, "c", Mode::full, {}}), head + R"(full","cursor":{}})");
  EXPECT_EQ(encode(SendSubscribed{1, 0, "c", Mode::since, {}}), head + R"(since","cursor":{}})");
  EXPECT_EQ(encode(SendSubscribed{1, 0, "c", Mode::live, {}}), head + R"(live","cursor":{}})");
}

TEST(ClientEncode, Live) {
  EXPECT_EQ(encode(SendLive{1, "c", kCursor, true}),
            R"({"type":"live","channel":"c","cursor":{"ws1~5k2m9x1q":42,"ws2~h80c3jzt":7},"complete":true})");
  EXPECT_EQ(encode(SendLive{1, "c", {}, false}), R"({"type":"live","channel":"c","cursor":{},"complete":false})");
}

TEST(ClientEncode, Unsubscribed) {
  EXPECT_EQ(encode(SendUnsubscribed{1, 4, "c"}), R"({"type":"unsubscribed","id":4,"channel":"c"})");
}

TEST(ClientEncode, Ack) {
  SendAck ack{1, 2, "c", "ws1~5k2m9x1q", 43, kNumberMax, 2, false};
  EXPECT_EQ(encode(ack),
            R"({"type":"ack","id":2,"channel":"c","origin":"ws1~5k2m9x1q","seq":43,"ts":9007199254740991,"copies":2})");
  ack.duplicate = true;
  EXPECT_EQ(encode(ack), R"({"type":"ack","id":2,"channel":"c","origin":"ws1~5k2m9x1q","seq":43,)"
                         R"("ts":9007199254740991,"copies":2,"duplicate":true})");
  ack.conn = kConnHttpBit | 1;
  ack.duplicate = false;
  EXPECT_EQ(encode(ack), R"({"channel":"c","origin":"ws1~5k2m9x1q","seq":43,"ts":9007199254740991,"copies":2})");
}

TEST(ClientEncode, Error) {
  EXPECT_EQ(encode(SendError{1, 2, ErrorCode::rate_limited, "slow down", 500}),
            R"({"type":"error","id":2,"code":"rate_limited","message":"slow down","retry_ms":500})");
  EXPECT_EQ(encode(SendError{1, std::nullopt, ErrorCode::bad_message, "", 0}),
            R"({"type":"error","code":"bad_message","message":""})");
  EXPECT_EQ(encode(SendError{1, 0, ErrorCode::unavailable, "x", 0}),
            R"({"type":"error","id":0,"code":"unavailable","message":"x"})");
}

TEST(ClientEncode, MessagesForPeopleAreEscaped) {
  const auto message = [](std::string text) {
    return encode(SendError{1, std::nullopt, ErrorCode::bad_message, std::move(text), 0});
  };
  const std::string head = R"({"type":"error","code":"bad_message","message":)";
  EXPECT_EQ(message("a\"b\\c\n\t\x01\x1F/"), head + R"("a\"b\\c\u000a\u0009\u0001\u001f/"})");
  EXPECT_EQ(message(std::string(1, '\0')), head + R"("\u0000"})");
  EXPECT_EQ(message("caf\xC3\xA9 \xF0\x9F\x98\x80"), head + "\"caf\xC3\xA9 \xF0\x9F\x98\x80\"}");
  EXPECT_EQ(message("\xFFx\xC3"), head + R"("?x?"})");
}

TEST(ClientEncode, Presence) {
  EXPECT_EQ(encode(presence({{"ann", "ws1"}, {"bob", "ws2"}})),
            R"({"type":"presence","id":3,"channel":"c",)"
            R"("clients":[{"client":"ann","node":"ws1"},{"client":"bob","node":"ws2"}]})");
  EXPECT_EQ(encode(presence({})), R"({"type":"presence","id":3,"channel":"c","clients":[]})");
  EXPECT_EQ(encode(SendPresenceChange{nullptr, "c", {{"ann", "ws1"}}, {}}),
            R"({"type":"presence","channel":"c","joined":[{"client":"ann","node":"ws1"}],"left":[]})");
  EXPECT_EQ(encode(SendPresenceChange{nullptr, "c", {}, {{"ann", "ws1"}, {"b", "n"}}}),
            R"({"type":"presence","channel":"c","joined":[],)"
            R"("left":[{"client":"ann","node":"ws1"},{"client":"b","node":"n"}]})");
}

TEST(ClientEncode, Signal) {
  EXPECT_EQ(encode(DeliverSignal{nullptr, "c", "ann", "[1, 2]", 0}),
            R"({"type":"signal","channel":"c","client":"ann","data":[1, 2]})");
}

const std::string kFields43 =
    R"("origin":"ws1~5k2m9x1q","seq":43,"ts":1763890000000123,"client":"ann","op":17,"data":{"x":1.0})";

TEST(ClientEncode, OneStroke) {
  EXPECT_THAT(encode_strokes({stroke(43)}),
              ElementsAre(R"({"type":"stroke","channel":"drawing_abc123",)" + kFields43 + "}"));
  EXPECT_THAT(encode_strokes({stroke(43, "{\"x\":1.0}", true)}),
              ElementsAre(R"({"type":"stroke","channel":"drawing_abc123",)" + kFields43 + R"(,"duplicate":true})"));
  EXPECT_TRUE(encode_strokes({}).empty());
}

TEST(ClientEncode, ManyStrokes) {
  EXPECT_THAT(encode_strokes({stroke(43), stroke(44, "null", true)}),
              ElementsAre(R"({"type":"strokes","channel":"drawing_abc123","strokes":[{)" + kFields43 +
                          R"(},{"origin":"ws1~5k2m9x1q","seq":44,"ts":1763890000000123,"client":"ann","op":17,)"
                          R"("data":null,"duplicate":true}]})"));
}

TEST(ClientEncode, HistoryPage) {
  HistoryPage page{1, "drawing_abc123", {stroke(43), stroke(44, "[]")}, kCursor, true, false};
  EXPECT_EQ(encode(page), R"({"strokes":[{)" + kFields43 +
                              R"(},{"origin":"ws1~5k2m9x1q","seq":44,"ts":1763890000000123,"client":"ann","op":17,)"
                              R"("data":[]}],"cursor":{"ws1~5k2m9x1q":42,"ws2~h80c3jzt":7},"more":true,)"
                              R"("complete":false})");
  EXPECT_EQ(encode(HistoryPage{1, "c", {}, {}, false, true}),
            R"({"strokes":[],"cursor":{},"more":false,"complete":true})");
}

/// The seqs of a batch, after checking that it is one.
std::vector<Seq> seqs_of(const std::string& message) {
  rapidjson::Document document;
  document.Parse(message.data(), message.size());
  EXPECT_FALSE(document.HasParseError());
  EXPECT_STREQ(document["type"].GetString(), "strokes");
  std::vector<Seq> seqs;
  for (const auto& item : document["strokes"].GetArray())
    seqs.push_back(item["seq"].GetUint64());
  EXPECT_FALSE(seqs.empty());
  return seqs;
}

std::string json_of(std::size_t bytes) {
  return bytes == 1 ? "1" : "\"" + std::string(bytes - 2, 'x') + "\"";
}

TEST(ClientEncode, BatchesHoldAtMost256KiBAndEveryStrokeOnce) {
  const std::vector<std::vector<std::size_t>> shapes = {
      std::vector<std::size_t>(5000, 200),
      std::vector<std::size_t>(20, kDataBytesMax),
      std::vector<std::size_t>(9000, 1),
      {1, kDataBytesMax, 1, kDataBytesMax, kDataBytesMax, kDataBytesMax, kDataBytesMax, 7, 7}};
  for (const auto& sizes : shapes) {
    Strokes strokes;
    std::size_t bytes = 0;
    for (const std::size_t size : sizes) {
      strokes.push_back(stroke(strokes.size() + 1, json_of(size), size == 7));
      bytes += size;
    }
    std::vector<Seq> seen;
    const auto messages = encode_strokes(strokes);
    for (const std::string& message : messages) {
      EXPECT_LE(message.size(), kBatchBytesMax);
      const auto seqs = seqs_of(message);
      seen.insert(seen.end(), seqs.begin(), seqs.end());
    }
    ASSERT_EQ(seen.size(), sizes.size());
    for (std::size_t i = 0; i < seen.size(); ++i)
      ASSERT_EQ(seen[i], i + 1);
    EXPECT_LE(messages.size(), 2 + (bytes + 160 * sizes.size()) / (kBatchBytesMax - kDataBytesMax - 1024));
  }
}

TEST(ClientEncode, LongestNamesFitTheirBatch) {
  const auto longest = std::make_shared<Stroke>(
      Stroke{std::string(kChannelBytesMax, 'c'), std::string(kNodeIdBytesMax, 'n') + "~00000000", kNumberMax,
             kNumberMax, std::string(kClientBytesMax, 'a'), kNumberMax, std::string(kDataBytesMax, '1'), true});
  for (std::size_t n = 2; n <= 12; ++n) {
    for (const std::string& message : encode_strokes(Strokes(n, longest)))
      EXPECT_LE(message.size(), kBatchBytesMax);
  }
}

TEST(ClientEncode, CodesHaveTheProtocolsNamesAndHttpsStatus) {
  const std::vector<std::tuple<ErrorCode, std::string, int>> codes = {
      {ErrorCode::bad_message, "bad_message", 400},       {ErrorCode::bad_channel, "bad_channel", 400},
      {ErrorCode::too_large, "too_large", 413},           {ErrorCode::rate_limited, "rate_limited", 429},
      {ErrorCode::forbidden, "forbidden", 403},           {ErrorCode::unauthorized, "unauthorized", 401},
      {ErrorCode::not_subscribed, "not_subscribed", 409}, {ErrorCode::too_many_channels, "too_many_channels", 429},
      {ErrorCode::storage_full, "storage_full", 507},     {ErrorCode::op_reused, "op_reused", 409},
      {ErrorCode::unavailable, "unavailable", 503}};
  for (const auto& [code, name, status] : codes) {
    EXPECT_EQ(name_of(code), name);
    EXPECT_EQ(http_status_of(code), status);
  }
}

}  // namespace
}  // namespace inkmesh::wire
