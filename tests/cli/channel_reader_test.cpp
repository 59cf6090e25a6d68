#include "cli/channel_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace inkmesh::cli {
namespace {

constexpr const char* kOrigin = "ws1~5k2m9x1q";

std::string subscribed(const std::string& mode, const std::string& cursor) {
  return R"({"type":"subscribed","id":1,"channel":"c","mode":")" + mode + R"(","cursor":)" + cursor + "}";
}

std::string stroke(Seq seq) {
  return R"({"type":"stroke","channel":"c","origin":"ws1~5k2m9x1q","seq":)" + std::to_string(seq) +
         R"(,"ts":7,"client":"ann","op":3,"data":{"x":1.50}})";
}

TEST(ChannelReader, AsksForWhatWasAskedFor) {
  EXPECT_EQ(ChannelReader("c", {}).subscribe_message(), R"({"type":"subscribe","id":1,"channel":"c"})");
  ReaderStart start;
  start.kind = ReaderStart::Kind::live;
  EXPECT_EQ(ChannelReader("c", start).subscribe_message(), R"({"type":"subscribe","id":1,"channel":"c","live":true})");
  start.kind = ReaderStart::Kind::since;
  start.since = 99;
  EXPECT_EQ(ChannelReader("c", start).subscribe_message(), R"({"type":"subscribe","id":1,"channel":"c","since":99})");
  start.kind = ReaderStart::Kind::cursor;
  start.cursor.set(kOrigin, 4);
  EXPECT_EQ(ChannelReader("c", start).subscribe_message(),
            R"({"type":"subscribe","id":1,"channel":"c","cursor":{"ws1~5k2m9x1q":4}})");
}

TEST(ChannelReader, AStrokeIsALineWithTheDataAsTheyCame) {
  ChannelReader reader("c", {});
  reader.take(subscribed("full", "{}"));
  EXPECT_EQ(reader.take(stroke(1)).lines,
            "{\"channel\":\"c\",\"origin\":\"ws1~5k2m9x1q\",\"seq\":1,\"ts\":7,\"client\":\"ann\",\"op\":3,"
            "\"data\":{\"x\":1.50}}\n");
  const ReaderNews batch = reader.take(
      "{\"type\":\"strokes\",\"channel\":\"c\",\"strokes\":[{\"origin\":\"ws1~5k2m9x1q\",\"seq\":2,\"ts\":8,\"client\":"
      "\"bob\",\"op\":1,\"data\":[\n1],\"duplicate\":true},{\"origin\":\"ws1~5k2m9x1q\",\"seq\":3,\"ts\":9,\"client\":"
      "\"bob\",\"op\":2,\"data\":null}]}");
  EXPECT_EQ(
      batch.lines,
      "{\"channel\":\"c\",\"origin\":\"ws1~5k2m9x1q\",\"seq\":2,\"ts\":8,\"client\":\"bob\",\"op\":1,\"data\":[ 1],"
      "\"duplicate\":true}\n"
      "{\"channel\":\"c\",\"origin\":\"ws1~5k2m9x1q\",\"seq\":3,\"ts\":9,\"client\":\"bob\",\"op\":2,\"data\":null}\n");
  EXPECT_EQ(reader.promises_broken(), 0U);
}

TEST(ChannelReader, StrokesComeOutAsNodesTookThem) {
  const std::string long_number(400, '9');
  ChannelReader reader("c", {});
  reader.take(subscribed("full", "{}"));
  Seq seq = 0;
  for (const std::string& data : {std::string("\"\\ud800\""), std::string("{\"\\udc00\":[1e400]}"), long_number}) {
    const std::string fields = "\"origin\":\"ws1~5k2m9x1q\",\"seq\":" + std::to_string(++seq) +
                               ",\"ts\":7,\"client\":\"ann\",\"op\":3,\"data\":" + data + "}";
    EXPECT_EQ(reader.take("{\"type\":\"stroke\",\"channel\":\"c\"," + fields).lines,
              "{\"channel\":\"c\"," + fields + "\n");
  }
  EXPECT_EQ(reader.promises_broken(), 0U);
}

TEST(ChannelReader, GoesOnWithItsCursorElsewhere) {
  ReaderStart live;
  live.kind = ReaderStart::Kind::live;
  ChannelReader reader("c", live);
  reader.take(subscribed("live", R"({"ws1~5k2m9x1q":41})"));
  reader.take(stroke(42));
  EXPECT_EQ(reader.subscribe_message(), R"({"type":"subscribe","id":1,"channel":"c","cursor":{"ws1~5k2m9x1q":42}})");
  reader.take(subscribed("delta", R"({"ws1~5k2m9x1q":42})"));
  reader.take(stroke(43));
  EXPECT_EQ(reader.cursor().at(kOrigin), 43U);
  EXPECT_EQ(reader.promises_broken(), 0U);
}

TEST(ChannelReader, ACursorThatDoesNotFitARequestIsNotShown) {
  ReaderStart start;
  start.kind = ReaderStart::Kind::cursor;
  const std::string node(32, 'n');
  for (unsigned life = 0; life < 2'200; ++life)
    start.cursor.set(node + "~" + std::to_string(10'000'000 + life), 1);
  ChannelReader reader("c", start);
  EXPECT_EQ(reader.subscribe_message(), R"({"type":"subscribe","id":1,"channel":"c"})");
  const ReaderNews news = reader.take(subscribed("full", "{}"));
  EXPECT_THAT(news.note, testing::HasSubstr("from the start again"));
  EXPECT_EQ(reader.take(stroke(1)).broken.size(), 0U);
}

TEST(ChannelReader, SeesAGapARepeatAndAWrongDelta) {
  ChannelReader reader("c", {});
  reader.take(subscribed("full", "{}"));
  reader.take(stroke(1));
  const ReaderNews gap = reader.take(stroke(3));
  ASSERT_EQ(gap.broken.size(), 1U);
  EXPECT_EQ(gap.broken[0], "ws1~5k2m9x1q seq 3 where 2 was next");
  EXPECT_NE(gap.lines, "") << "it is printed all the same";
  const ReaderNews again = reader.take(stroke(3));
  EXPECT_EQ(again.broken.size(), 1U);
  EXPECT_EQ(again.lines, "") << "a repeat is not";
  EXPECT_EQ(reader.take(subscribed("delta", "{}")).broken.size(), 1U);
  EXPECT_EQ(reader.promises_broken(), 3U);
}

TEST(ChannelReader, AResetStartsOver) {
  ChannelReader reader("c", {});
  reader.take(subscribed("full", "{}"));
  reader.take(stroke(1));
  reader.take(R"({"type":"subscribed","channel":"c","mode":"reset","cursor":{}})");
  EXPECT_NE(reader.take(stroke(1)).lines, "");
  EXPECT_EQ(reader.promises_broken(), 0U);
}

TEST(ChannelReader, KnowsWhenAllHasCome) {
  ChannelReader reader("c", {});
  reader.take(subscribed("full", "{}"));
  EXPECT_FALSE(reader.take(R"({"type":"live","channel":"c","cursor":{},"complete":false})").complete);
  EXPECT_TRUE(reader.take(R"({"type":"live","channel":"c","cursor":{},"complete":true})").complete);
}

TEST(ChannelReader, WaitsWhereItIsToldToAndGivesUpWhereItIsRefused) {
  ChannelReader reader("c", {});
  const ReaderNews busy =
      reader.take(R"({"type":"error","id":1,"code":"unavailable","message":"busy","retry_ms":250})");
  EXPECT_EQ(busy.retry_ms, 250U);
  EXPECT_THROW(reader.take(R"({"type":"error","id":1,"code":"forbidden","message":"no"})"), std::runtime_error);
}

TEST(ChannelReader, ACursorIsAVersionVectorAndNothingElse) {
  EXPECT_EQ(json_of(*cursor_of(R"({"ws2~h80c3jzt":7,"ws1~5k2m9x1q":42})")), R"({"ws1~5k2m9x1q":42,"ws2~h80c3jzt":7})");
  EXPECT_TRUE(cursor_of("{}")->empty());
  EXPECT_EQ(cursor_of(R"({"ws1~5k2m9x1q":9,"ws1~5k2m9x1q":3})")->at(kOrigin), 3U) << "the last counts, as in nodes";
  for (const char* text : {"", "[]", "7", R"({"ws1":1})", R"({"ws1~5k2m9x1q":-1})", R"({"ws1~5k2m9x1q":"1"})",
                           R"({"ws1~5k2m9x1q":9007199254740992})"}) {
    EXPECT_FALSE(cursor_of(text)) << text;
  }
}

}  // namespace
}  // namespace inkmesh::cli
