// What clients send: every request of the protocol, and the error that each mistake gets.
#include <gtest/gtest.h>

#include "wire/client_codec.h"

namespace inkmesh::wire {
namespace {

template <class Request>
Request parsed(std::string_view text) {
  const ParsedRequest result = parse_request(text);
  if (const auto* error = std::get_if<SendError>(&result)) {
    ADD_FAILURE() << text << "\n  " << error->message;
    return {};
  }
  const auto* request = std::get_if<Request>(&std::get<ClientRequest>(result));
  EXPECT_NE(request, nullptr) << text;
  return request == nullptr ? Request{} : *request;
}

SendError refused(std::string_view text) {
  const ParsedRequest result = parse_request(text);
  const auto* error = std::get_if<SendError>(&result);
  EXPECT_NE(error, nullptr) << text;
  return error == nullptr ? SendError{} : *error;
}

void expect_refused(std::string_view text, ErrorCode code, std::optional<RequestId> id, std::string_view message) {
  const SendError error = refused(text);
  EXPECT_EQ(error.code, code) << text;
  EXPECT_EQ(error.id, id) << text;
  EXPECT_EQ(error.message, message) << text;
  EXPECT_EQ(error.retry_ms, 0U) << text;
}

TEST(ClientParse, Hello) {
  const auto hello = parsed<Hello>(R"({"type":"hello","client":"ann:tab-1","token":"a.b.c"})");
  EXPECT_EQ(hello.client, "ann:tab-1");
  EXPECT_EQ(hello.token, "a.b.c");
  const auto bare = parsed<Hello>(R"({"type":"hello"})");
  EXPECT_FALSE(bare.client);
  EXPECT_FALSE(bare.token);
}

TEST(ClientParse, Ping) {
  parsed<Ping>(R"({"type":"ping"})");
  parsed<Ping>(R"( { "type" : "ping" , "id" : "not looked at" } )");
}

TEST(ClientParse, SubscribeFromEachStart) {
  const auto full = parsed<Subscribe>(R"({"type":"subscribe","id":1,"channel":"drawing_abc123"})");
  EXPECT_EQ(full.id, 1U);
  EXPECT_EQ(full.channel, "drawing_abc123");
  EXPECT_EQ(full.start.kind, StartAt::Kind::full);

  const auto delta = parsed<Subscribe>(
      R"({"type":"subscribe","id":1,"channel":"c","cursor":{"ws2~h80c3jzt":7,"ws1~5k2m9x1q":42,"ws3~00000000":0}})");
  EXPECT_EQ(delta.start.kind, StartAt::Kind::cursor);
  EXPECT_EQ(delta.start.cursor, Cursor(Cursor::Map{{"ws1~5k2m9x1q", 42}, {"ws2~h80c3jzt", 7}}));

  const auto empty = parsed<Subscribe>(R"({"type":"subscribe","id":1,"channel":"c","cursor":{}})");
  EXPECT_EQ(empty.start.kind, StartAt::Kind::cursor);
  EXPECT_TRUE(empty.start.cursor.empty());

  const auto since = parsed<Subscribe>(R"({"type":"subscribe","id":1,"channel":"c","since":1763890000000123})");
  EXPECT_EQ(since.start.kind, StartAt::Kind::since);
  EXPECT_EQ(since.start.since, 1763890000000123U);

  EXPECT_EQ(parsed<Subscribe>(R"({"type":"subscribe","id":1,"channel":"c","live":true})").start.kind,
            StartAt::Kind::live);
  EXPECT_EQ(parsed<Subscribe>(R"({"type":"subscribe","id":1,"channel":"c","live":false})").start.kind,
            StartAt::Kind::full);
  EXPECT_EQ(parsed<Subscribe>(R"({"type":"subscribe","id":1,"channel":"c","live":false,"since":0})").start.kind,
            StartAt::Kind::since);
}

TEST(ClientParse, Publish) {
  const auto publish = parsed<Publish>(R"({"type":"publish","id":2,"channel":"c","op":17,"data":{"x":1}})");
  EXPECT_EQ(publish.id, 2U);
  EXPECT_EQ(publish.channel, "c");
  EXPECT_EQ(publish.op, 17U);
  EXPECT_EQ(publish.data, R"({"x":1})");
  EXPECT_FALSE(publish.retry);
  EXPECT_TRUE(parsed<Publish>(R"({"type":"publish","id":2,"channel":"c","op":1,"data":1,"retry":true})").retry);
  EXPECT_FALSE(parsed<Publish>(R"({"type":"publish","id":2,"channel":"c","op":1,"data":1,"retry":false})").retry);
}

TEST(ClientParse, SignalUnsubscribePresence) {
  const auto signal = parsed<SignalSent>(R"({"type":"signal","channel":"c","data":[1,2]})");
  EXPECT_EQ(signal.channel, "c");
  EXPECT_EQ(signal.data, "[1,2]");
  EXPECT_EQ(parsed<Unsubscribe>(R"({"type":"unsubscribe","id":4,"channel":"c"})").id, 4U);
  EXPECT_EQ(parsed<PresenceAsk>(R"({"type":"presence","id":0,"channel":"c"})").channel, "c");
}

TEST(ClientParse, DataIsKeptAsTheBytesThatCame) {
  for (const char* data : {"null", "true", "0", "-0", "1.0", "1.10", "1e400", "1E+2", "123456789012345678901234567890",
                           R"("")", R"("\u00e9\/\ud83d\ude00\u0000")", R"("\ud800")",
                           "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"", "[]", "{}", "[ 1 ,\t2\n,\r3 ]",
                           R"({"b":1,"a":2,"b":3})", R"({"type":"hello","id":9,"data":{"op":0}})", R"({"":{"":[]}})"}) {
    const std::string value = data;
    EXPECT_EQ(parsed<Publish>(R"({"type":"publish","id":2,"channel":"c","op":1,"data":)" + value + "}").data, value);
    EXPECT_EQ(parsed<Publish>(R"({"data": )" + value + R"( ,"op":1,"channel":"c","id":2,"type":"publish"})").data,
              value);
    EXPECT_EQ(parsed<SignalSent>("{\"type\":\"signal\",\"channel\":\"c\",\"data\"\n:\t" + value + "\r}").data, value);
  }
}

TEST(ClientParse, UnknownFieldsAreIgnoredAndTheLastOfARepeatedOneCounts) {
  const auto publish = parsed<Publish>(
      R"({"x":{"type":1,"deep":[[[{}]]]},"type":"ping","id":1,"type":"publish","channel":"bad channel","op":0,)"
      R"("data":1,"id":2,"channel":"c","op":5,"data":"2","":null,"Id":7,"cursor":3})");
  EXPECT_EQ(publish.id, 2U);
  EXPECT_EQ(publish.channel, "c");
  EXPECT_EQ(publish.op, 5U);
  EXPECT_EQ(publish.data, "\"2\"");
}

TEST(ClientParse, KeysAndStringsMayBeEscaped) {
  const auto unsubscribe = parsed<Unsubscribe>(R"({"\u0074ype":"unsubscrib\u0065","id":4,"channel":"a\u002db"})");
  EXPECT_EQ(unsubscribe.channel, "a-b");
}

constexpr std::string_view kNumber = "a whole number from 0 to 9007199254740991, in digits only";
constexpr std::string_view kNumberFrom1 = "a whole number from 1 to 9007199254740991, in digits only";

TEST(ClientParse, NumbersOutOfRangeNameTheirField) {
  const std::string limit = "9007199254740991";
  EXPECT_EQ(parsed<Unsubscribe>(R"({"type":"unsubscribe","id":)" + limit + R"(,"channel":"c"})").id, kNumberMax);
  EXPECT_EQ(parsed<Publish>(R"({"type":"publish","id":1,"channel":"c","data":1,"op":)" + limit + "}").op, kNumberMax);
  for (const char* bad : {"-1", "-0", "1.5", "42.0", "1e3", "9007199254740992", "18446744073709551616",
                          "99999999999999999999999", "\"1\"", "null", "true", "[]", "{}"}) {
    const std::string value = bad;
    expect_refused(R"({"type":"unsubscribe","channel":"c","id":)" + value + "}", ErrorCode::bad_message, std::nullopt,
                   "id must be " + std::string(kNumber));
    expect_refused(R"({"type":"publish","id":5,"channel":"c","data":1,"op":)" + value + "}", ErrorCode::bad_message, 5,
                   "op must be " + std::string(kNumberFrom1));
    expect_refused(R"({"type":"subscribe","id":5,"channel":"c","since":)" + value + "}", ErrorCode::bad_message, 5,
                   "since must be " + std::string(kNumber));
    const SendError cursor =
        refused(R"({"type":"subscribe","id":5,"channel":"c","cursor":{"n~00000000":)" + value + "}}");
    EXPECT_EQ(cursor.code, ErrorCode::bad_message);
    EXPECT_EQ(cursor.message.find("cursor"), 0U) << cursor.message;
  }
  expect_refused(R"({"type":"publish","id":5,"channel":"c","data":1,"op":0})", ErrorCode::bad_message, 5,
                 "op must be " + std::string(kNumberFrom1));
}

TEST(ClientParse, MissingFieldsAreNamed) {
  expect_refused(R"({"id":3})", ErrorCode::bad_message, 3, "type is required: a string");
  expect_refused(R"({"type":"publish","channel":"c","op":1,"data":1})", ErrorCode::bad_message, std::nullopt,
                 "id is required: " + std::string(kNumber));
  expect_refused(R"({"type":"publish","id":3,"op":1,"data":1})", ErrorCode::bad_message, 3,
                 "channel is required: a string");
  expect_refused(R"({"type":"publish","id":3,"channel":"c","data":1})", ErrorCode::bad_message, 3,
                 "op is required: " + std::string(kNumberFrom1));
  expect_refused(R"({"type":"publish","id":3,"channel":"c","op":1})", ErrorCode::bad_message, 3,
                 "data is required: any JSON value");
  expect_refused(R"({"type":"signal","channel":"c"})", ErrorCode::bad_message, std::nullopt,
                 "data is required: any JSON value");
  for (const char* type : {"subscribe", "unsubscribe", "presence"}) {
    expect_refused("{\"type\":\"" + std::string(type) + "\",\"channel\":\"c\"}", ErrorCode::bad_message, std::nullopt,
                   "id is required: " + std::string(kNumber));
    expect_refused("{\"type\":\"" + std::string(type) + "\",\"id\":8}", ErrorCode::bad_message, 8,
                   "channel is required: a string");
  }
}

TEST(ClientParse, WrongTypesAreNamed) {
  expect_refused(R"({"type":7,"id":1})", ErrorCode::bad_message, 1, "type must be a string");
  expect_refused(R"({"type":"dance","id":1})", ErrorCode::bad_message, 1,
                 "type must be hello, subscribe, unsubscribe, publish, signal, presence or ping");
  expect_refused(R"({"type":"Publish","id":1})", ErrorCode::bad_message, 1,
                 "type must be hello, subscribe, unsubscribe, publish, signal, presence or ping");
  expect_refused(R"({"type":"hello","client":7})", ErrorCode::bad_message, std::nullopt, "client must be a string");
  expect_refused(R"({"type":"hello","client":"a b"})", ErrorCode::bad_message, std::nullopt,
                 "client must be 1 to 64 of A-Z a-z 0-9 _ . : -");
  expect_refused(R"({"type":"hello","client":""})", ErrorCode::bad_message, std::nullopt,
                 "client must be 1 to 64 of A-Z a-z 0-9 _ . : -");
  expect_refused(R"({"type":"hello","token":null})", ErrorCode::bad_message, std::nullopt, "token must be a string");
  expect_refused(R"({"type":"publish","id":1,"channel":"c","op":1,"data":1,"retry":1})", ErrorCode::bad_message, 1,
                 "retry must be true or false");
  expect_refused(R"({"type":"subscribe","id":1,"channel":"c","live":"yes"})", ErrorCode::bad_message, 1,
                 "live must be true or false");
  expect_refused(R"({"type":"presence","id":1,"channel":["c"]})", ErrorCode::bad_message, 1,
                 "channel must be a string");
}

TEST(ClientParse, ChannelsThatAreNoneAreBadChannels) {
  for (const std::string& channel : {std::string(), std::string("a b"), std::string("a/b"), std::string("caf\xC3\xA9"),
                                     std::string(R"(a\u0000)"), std::string(R"(\u0022)"), std::string(129, 'a')}) {
    for (const char* type : {"subscribe", "unsubscribe", "presence", "publish", "signal"}) {
      const SendError error = refused("{\"type\":\"" + std::string(type) +
                                      "\",\"id\":6,\"op\":1,\"data\":1,\"channel\":\"" + channel + "\"}");
      EXPECT_EQ(error.code, ErrorCode::bad_channel) << channel;
      EXPECT_EQ(error.id, 6U);
      EXPECT_EQ(error.message, "channel must be 1 to 128 of A-Z a-z 0-9 _ . : -");
    }
  }
}

TEST(ClientParse, OnlyOneStart) {
  for (const char* starts : {R"("cursor":{},"since":1)", R"("since":1,"live":true)", R"("cursor":{},"live":true)",
                             R"("cursor":{},"since":1,"live":true)"}) {
    expect_refused("{\"type\":\"subscribe\",\"id\":1,\"channel\":\"c\"," + std::string(starts) + "}",
                   ErrorCode::bad_message, 1, "only one of cursor, since and live can be given");
  }
}

TEST(ClientParse, CursorsAreChecked) {
  const std::string long_origin(64, 'o');
  const std::string too_long = R"({")" + long_origin + R"(o":1})";
  for (const char* bad :
       {R"({"":1})", R"({"a b~00000000":1})", R"({"a\"b":1})", R"({"a\u00e9":1})", too_long.c_str(),
        R"({"a~00000000":[1]})", R"({"a~00000000":[[1]]})", "[]", "7", "null", R"("x")", R"({"\ud800~00000000":1})"}) {
    const SendError error = refused(R"({"type":"subscribe","id":5,"channel":"c","cursor":)" + std::string(bad) + "}");
    EXPECT_EQ(error.code, ErrorCode::bad_message) << bad;
    EXPECT_EQ(error.id, 5U);
    EXPECT_EQ(error.message.find("cursor"), 0U) << error.message;
    EXPECT_FALSE(parse_cursor(bad)) << bad;
  }
  EXPECT_EQ(parse_cursor(R"( {"b~00000000" : 2,"a~00000000":1, "b~00000000":3} )"),
            Cursor(Cursor::Map{{"a~00000000", 1}, {"b~00000000", 3}}));
  EXPECT_EQ(parse_cursor("{}"), Cursor());
  // Whatever a cursor names, nobody has to know it.
  EXPECT_EQ(parse_cursor(R"({"ws1":1,")" + long_origin + R"(":2,"~":3,"ws9~NEVER":4})"),
            Cursor(Cursor::Map{{"ws1", 1}, {long_origin, 2}, {"~", 3}, {"ws9~NEVER", 4}}));
  for (const char* bad : {"", "{", "{}x", "{} {}", R"({"a~00000000":1,})", R"({"a~00000000"})", "%7B%7D"}) {
    EXPECT_FALSE(parse_cursor(bad)) << bad;
  }
}

TEST(ClientParse, DataUpTo64KiBWhateverItsForm) {
  const auto publish = [](std::size_t bytes) {
    return R"({"type":"publish","id":9,"channel":"c","op":1,"data": ")" + std::string(bytes - 2, 'x') + "\" }";
  };
  EXPECT_EQ(parsed<Publish>(publish(kDataBytesMax)).data.size(), kDataBytesMax);
  expect_refused(publish(kDataBytesMax + 1), ErrorCode::too_large, 9, "data must be at most 65536 bytes");
  const std::string padded = "[" + std::string(kDataBytesMax - 1, ' ') + "]";
  expect_refused(R"({"type":"signal","id":9,"channel":"c","data":)" + padded + "}", ErrorCode::too_large, 9,
                 "data must be at most 65536 bytes");
}

TEST(ClientParse, DataUpTo64Levels) {
  const auto publish = [](const std::string& field, std::size_t levels) {
    return R"({"type":"publish","id":9,"channel":"c","op":1,"data":1,")" + field + "\":" + std::string(levels, '[') +
           std::string(levels, ']') + "}";
  };
  EXPECT_EQ(parsed<Publish>(publish("data", 64)).data.size(), 128U);
  expect_refused(publish("data", 65), ErrorCode::bad_message, 9, "data is nested deeper than 64 levels");
  expect_refused(publish("data", 300'000), ErrorCode::bad_message, 9, "data is nested deeper than 64 levels");
  EXPECT_EQ(parsed<Publish>(publish("other", 64)).data, "1");
  expect_refused(publish("other", 65), ErrorCode::bad_message, 9, "a value is nested deeper than 64 levels");
  expect_refused(publish("cursor", 300'000), ErrorCode::bad_message, 9, "cursor is nested deeper than 64 levels");
  expect_refused(std::string(300'000, '['), ErrorCode::bad_message, std::nullopt,
                 "not valid JSON at byte 0: expected an object");
}

TEST(ClientParse, WhatIsNoJsonSaysWhereAndEchoesAnIdThatCameBefore) {
  expect_refused("", ErrorCode::bad_message, std::nullopt, "not valid JSON at byte 0: expected an object");
  expect_refused("[]", ErrorCode::bad_message, std::nullopt, "not valid JSON at byte 0: expected an object");
  expect_refused(R"({"type":"ping")", ErrorCode::bad_message, std::nullopt,
                 "not valid JSON at byte 14: expected ',' or '}' after a member");
  expect_refused(R"({"id":2,"type":"publish","data":nan})", ErrorCode::bad_message, 2,
                 "not valid JSON at byte 32: expected a value");
  expect_refused("{\"type\":\"a\nb\"}", ErrorCode::bad_message, std::nullopt,
                 "not valid JSON at byte 10: a control character in a string");
  expect_refused("{\"type\":\"\xFF\"}", ErrorCode::bad_message, std::nullopt, "not valid JSON at byte 9: not UTF-8");
  expect_refused(R"({"type":"ping"} {"type":"ping"})", ErrorCode::bad_message, std::nullopt,
                 "not valid JSON at byte 16: expected nothing more");
  expect_refused(R"({"id":"7","type":)", ErrorCode::bad_message, std::nullopt,
                 "not valid JSON at byte 17: expected a value");
}

TEST(ClientParse, HttpPublish) {
  const auto good = parse_http_publish("c", R"({"client":"backend","op":3,"data":{"x":[1.0]},"retry":true,"id":5})");
  ASSERT_TRUE(std::holds_alternative<Publish>(good));
  const auto& publish = std::get<Publish>(good);
  EXPECT_EQ(publish.channel, "c");
  EXPECT_EQ(publish.client, "backend");
  EXPECT_EQ(publish.op, 3U);
  EXPECT_EQ(publish.data, R"({"x":[1.0]})");
  EXPECT_TRUE(publish.retry);
  const auto refused_with = [](std::string_view channel, std::string_view body) {
    const auto result = parse_http_publish(channel, body);
    EXPECT_TRUE(std::holds_alternative<SendError>(result)) << body;
    SendError error = std::holds_alternative<SendError>(result) ? std::get<SendError>(result) : SendError{};
    EXPECT_FALSE(error.id) << "an HTTP call has no id";
    return error;
  };
  EXPECT_EQ(refused_with("a b", R"({"client":"b","op":3,"data":1,"id":5})").code, ErrorCode::bad_channel);
  EXPECT_EQ(refused_with("c", R"({"op":3,"data":1,"id":5})").message, "client is required: a string");
  EXPECT_EQ(refused_with("c", R"({"client":"b","data":1})").message, "op is required: " + std::string(kNumberFrom1));
  EXPECT_EQ(refused_with("c", R"({"client":"b","op":3})").message, "data is required: any JSON value");
  EXPECT_EQ(refused_with("c", "{").code, ErrorCode::bad_message);
  EXPECT_EQ(refused_with("c", "").code, ErrorCode::bad_message);
  EXPECT_EQ(refused_with("c", R"({"client":"b","op":3,"data":")" + std::string(kDataBytesMax, 'x') + "\"}").code,
            ErrorCode::too_large);
}

}  // namespace
}  // namespace inkmesh::wire
