// Client messages that were damaged on purpose: each is a request within the protocol's bounds or an error that can be
// sent, and none makes the parser allocate much more than it was given.
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include "allocations.h"
#include "random_values.h"
#include "wire/client_codec.h"
#include "wire/json_scanner.h"

namespace inkmesh::wire {
namespace {

using test::Random;

constexpr std::size_t kSlackBytes = 4096;

bool is_json(std::string_view value) {
  const std::string text = "{\"a\":" + std::string(value) + "}";
  JsonScanner scanner(text, static_cast<unsigned>(kDataDepthMax));
  std::string_view key;
  JsonSlice slice;
  return scanner.begin_object() && scanner.next_member(key) && scanner.value(slice) && slice.text == value &&
         !scanner.next_member(key) && scanner.fault() == nullptr && scanner.end();
}

// What the rest of the node may rely on.

void check(const Hello& hello) {
  ASSERT_TRUE(!hello.client || valid_client(*hello.client));
}
void check(const Ping& /*ping*/) {}
void check(const Subscribe& subscribe) {
  ASSERT_TRUE(valid_channel(subscribe.channel));
  ASSERT_LE(subscribe.id, kNumberMax);
  ASSERT_LE(subscribe.start.since, kNumberMax);
  for (const auto& [origin, seq] : subscribe.start.cursor.seqs()) {
    ASSERT_TRUE(plausible_origin(origin));
    ASSERT_TRUE(seq >= 1 && seq <= kNumberMax);
  }
}
void check(const Unsubscribe& unsubscribe) {
  ASSERT_TRUE(valid_channel(unsubscribe.channel));
  ASSERT_LE(unsubscribe.id, kNumberMax);
}
void check(const Publish& publish) {
  ASSERT_TRUE(valid_channel(publish.channel));
  ASSERT_TRUE(publish.op >= 1 && publish.op <= kNumberMax);
  ASSERT_LE(publish.data.size(), kDataBytesMax);
  ASSERT_TRUE(is_json(publish.data)) << publish.data;
}
void check(const SignalSent& signal) {
  ASSERT_TRUE(valid_channel(signal.channel));
  ASSERT_TRUE(is_json(signal.data)) << signal.data;
}
void check(const PresenceAsk& ask) {
  ASSERT_TRUE(valid_channel(ask.channel));
}

void check(const SendError& error) {
  ASSERT_FALSE(error.message.empty());
  const std::string text = encode(error);
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  ASSERT_FALSE(document.HasParseError()) << text;
}

/// True when it was a request.
bool parse_and_check(std::string_view text) {
  test::reset_allocations();
  const ParsedRequest result = parse_request(text);
  EXPECT_LE(test::allocations().total_bytes, 16 * text.size() + kSlackBytes);
  if (const auto* error = std::get_if<SendError>(&result)) {
    check(*error);
    return false;
  }
  std::visit([](const auto& request) { check(request); }, std::get<ClientRequest>(result));
  return true;
}

std::string cursor_json(Random& random) {
  std::string text = "{";
  const Cursor cursor = random.cursor(5);
  for (const auto& [origin, seq] : cursor.seqs()) {
    text += (text.size() > 1 ? ",\"" : "\"") + origin + "\":" + std::to_string(seq);
  }
  return text + "}";
}

std::string random_request(Random& random) {
  const std::string id = ",\"id\":" + std::to_string(random.number());
  const std::string channel = ",\"channel\":\"" + random.channel() + "\"";
  switch (random.between(0, 7)) {
    case 0:
      return "{\"type\":\"hello\",\"client\":\"" + random.client() + "\",\"token\":\"a\\u002eb\"}";
    case 1:
      return "{\"type\":\"subscribe\"" + id + channel + ",\"cursor\":" + cursor_json(random) + "}";
    case 2:
      return "{\"type\":\"subscribe\"" + id + channel + ",\"since\":" + std::to_string(random.number()) + "}";
    case 3:
      return "{\"type\":\"unsubscribe\"" + id + channel + ",\"live\":true}";
    case 4:
      return "{\"type\":\"presence\"" + id + channel + ",\"x\":" + random.json(4) + "}";
    case 5:
      return "{\"type\":\"signal\"" + channel + ",\"data\":" + random.json(5) + "}";
    default:
      return "{\"type\":\"publish\"" + id + channel + ",\"op\":" + std::to_string(random.number(1)) +
             ",\"data\":" + random.json(5) + ",\"retry\":true}";
  }
}

TEST(ClientHostile, WhatIsNotDamagedIsARequest) {
  Random random(3);
  for (int round = 0; round < 5000; ++round) {
    const std::string text = random_request(random);
    ASSERT_TRUE(parse_and_check(text)) << text;
  }
}

TEST(ClientHostile, EveryPrefixIsRefused) {
  Random random(4);
  for (int round = 0; round < 200; ++round) {
    const std::string text = random_request(random);
    for (std::size_t size = 0; size < text.size(); ++size) {
      const std::vector<char> prefix(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
      ASSERT_FALSE(parse_and_check({prefix.data(), size})) << text.substr(0, size);
    }
  }
}

void damage(Random& random, std::string& text) {
  constexpr std::string_view pieces = "{}[]\",:\\/ \t\n0123456789-+.eEtrufalsn~\x80\xC3\xA9\xFF\x01\x00";
  const std::size_t at = random.between(0, text.size() - 1);
  switch (random.between(0, 4)) {
    case 0:
      text[at] = static_cast<char>(random.between(0, 255));
      break;
    case 1:
      text[at] = pieces[random.between(0, pieces.size() - 1)];
      break;
    case 2:
      text.insert(at, random.between(1, 3), pieces[random.between(0, pieces.size() - 1)]);
      break;
    case 3:
      text.erase(at, random.between(1, 6));
      break;
    default:
      text.insert(at, text.substr(random.between(0, text.size() - 1), random.between(1, 40)));
  }
  if (text.empty()) text = "{";
}

TEST(ClientHostile, DamagedMessages) {
  Random random(5);
  std::size_t requests = 0;
  constexpr std::size_t rounds = 100'000;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::string text = random_request(random);
    for (std::uint64_t n = random.between(1, 3); n > 0; --n)
      damage(random, text);
    requests += parse_and_check(text) ? 1U : 0U;
    ASSERT_FALSE(HasFailure()) << text;
  }
  EXPECT_GT(requests, rounds / 50);
  EXPECT_LT(requests, rounds - rounds / 50);
}

TEST(ClientHostile, DamagedCursorsAndHttpBodies) {
  Random random(6);
  for (int round = 0; round < 20'000; ++round) {
    std::string cursor = cursor_json(random);
    damage(random, cursor);
    if (const auto read = parse_cursor(cursor)) {
      for (const auto& [origin, seq] : read->seqs())
        ASSERT_TRUE(plausible_origin(origin) && seq <= kNumberMax);
    }
    std::string body = "{\"client\":\"" + random.client() + "\",\"op\":" + std::to_string(random.number(1)) +
                       ",\"data\":" + random.json(4) + "}";
    damage(random, body);
    const auto result = parse_http_publish("c", body);
    if (const auto* publish = std::get_if<Publish>(&result)) {
      check(*publish);
      ASSERT_TRUE(valid_client(publish->client));
    } else {
      check(std::get<SendError>(result));
    }
    ASSERT_FALSE(HasFailure()) << body;
  }
}

TEST(ClientHostile, NestingOf300000LevelsIsACleanError) {
  for (const std::string open : {"[", "{\"a\":", "[{\"a\":"}) {
    std::string deep;
    for (int i = 0; i < 300'000; ++i)
      deep += open;
    for (const char* head : {"", "{\"type\":\"publish\",\"id\":1,\"data\":", "{\"cursor\":", "{\"unknown\":"}) {
      EXPECT_FALSE(parse_and_check(head + deep));
    }
    EXPECT_FALSE(parse_cursor(deep));
  }
}

TEST(ClientHostile, AFrameFullOfCursor) {
  std::string text = R"({"type":"subscribe","id":1,"channel":"c","cursor":{)";
  std::size_t origins = 0;
  while (text.size() + 40 < kFrameBytesMax) {
    const std::string number = std::to_string(10'000'000 + origins);
    text += (origins == 0 ? "\"n~" : ",\"n~") + number + "\":1";
    ++origins;
  }
  text += "}}";
  ASSERT_LE(text.size(), kFrameBytesMax);
  const ParsedRequest result = parse_request(text);
  ASSERT_TRUE(std::holds_alternative<ClientRequest>(result));
  EXPECT_EQ(std::get<Subscribe>(std::get<ClientRequest>(result)).start.cursor.size(), origins);
  EXPECT_GT(origins, 3000U);
}

}  // namespace
}  // namespace inkmesh::wire
