#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mesh/zmtp.h"

namespace inkmesh::mesh::zmtp {
namespace {

using ::testing::ElementsAre;
using Found = Reader::Found;

constexpr std::size_t kMessageBytesMax = 1000;

std::string message(const std::string& body) {
  return std::string(MessageHeader(body.size()).view()) + body;
}
/// One part of several.
std::string part(const std::string& body) {
  std::string bytes = message(body);
  bytes.front() = static_cast<char>(bytes.front() | 1);
  return bytes;
}

struct Told {
  Found found;
  std::string payload = {};
  std::size_t parts = 0;
  bool operator==(const Told&) const = default;
};

std::vector<Told> read(Reader& reader, std::string_view bytes) {
  std::vector<Told> told;
  reader.take(bytes);
  for (;;) {
    const Found found = reader.next();
    if (found == Found::nothing) break;
    told.push_back({found});
    if (found == Found::message) told.back().parts = reader.parts();
    if (found == Found::message || found == Found::ping) told.back().payload = reader.payload();
    if (found == Found::broken) break;
  }
  reader.keep();
  return told;
}

Reader router() {
  return Reader(Role::router, kMessageBytesMax);
}
/// A router that has heard a dealer's opening.
Reader open_router() {
  Reader reader = router();
  EXPECT_THAT(read(reader, opening(Role::dealer)), ElementsAre(Told{Found::opened}));
  return reader;
}
std::string ready_of(const std::string& metadata) {
  const std::string body = "\5READY" + metadata;
  return opening(Role::dealer).substr(0, 64) + '\4' + static_cast<char>(body.size()) + body;
}

TEST(Zmtp, AnOpeningIsAsTheSpecificationSays) {
  using namespace std::string_literals;
  const std::string expected =
      "\xff\0\0\0\0\0\0\0\1\x7f\3\1NULL"s + std::string(48, '\0') + "\4\x1c\5READY\x0bSocket-Type\0\0\0\6DEALER"s;
  EXPECT_EQ(opening(Role::dealer), expected);
}

TEST(Zmtp, TheTwoSidesUnderstandEachOther) {
  Reader dealer(Role::dealer, kMessageBytesMax);
  EXPECT_THAT(read(dealer, opening(Role::router)), ElementsAre(Told{Found::opened}));
  Reader reader = open_router();
  EXPECT_THAT(read(reader, message("a stroke")), ElementsAre(Told{Found::message, "a stroke", 1}));
}

TEST(Zmtp, MessagesOfEverySizeComeBack) {
  Reader reader = open_router();
  for (const std::size_t size : {0U, 1U, 254U, 255U, 256U, 257U, 1000U}) {
    const std::string body(size, 'x');
    EXPECT_THAT(read(reader, message(body)), ElementsAre(Told{Found::message, body, 1})) << size;
  }
}

TEST(Zmtp, BytesMayComeInAnyPieces) {
  const std::string all = opening(Role::dealer) + message("one") + ping(1500) + message(std::string(700, 'y')) +
                          part("two") + message("three");
  Reader whole = router();
  const std::vector<Told> expected = read(whole, all);
  ASSERT_EQ(expected.size(), 5U);
  for (std::size_t piece = 1; piece < all.size(); ++piece) {
    Reader reader = router();
    std::vector<Told> told;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      for (Told& each : read(reader, std::string_view(all).substr(at, piece)))
        told.push_back(std::move(each));
    }
    EXPECT_EQ(told, expected) << "in pieces of " << piece;
  }
}

TEST(Zmtp, PartsAreCountedAndTheLastOneIsGiven) {
  Reader reader = open_router();
  EXPECT_THAT(read(reader, part("a") + part("b") + message("c") + message("d")),
              ElementsAre(Told{Found::message, "c", 3}, Told{Found::message, "d", 1}));
}

TEST(Zmtp, APingAsksForItsContextBack) {
  using namespace std::string_literals;
  Reader reader = open_router();
  EXPECT_THAT(read(reader, "\4\x0b\4PING\0\x0f"s + "mark"), ElementsAre(Told{Found::ping, "mark"}));
  EXPECT_EQ(ping(1500), "\4\7\4PING\0\x0f"s);
  EXPECT_EQ(pong("mark"), "\4\x09\4PONGmark"s);
  EXPECT_THAT(read(reader, pong("mark")), ElementsAre());
}

TEST(Zmtp, WhatIsNoZmtpIsRefusedAtItsFirstWrongByte) {
  for (const std::string& bytes : {std::string("G"), std::string(1, '\0'), "\xff" + std::string(9, '\0')}) {
    Reader reader = router();
    EXPECT_THAT(read(reader, bytes), ElementsAre(Told{Found::broken}));
    EXPECT_THAT(read(reader, opening(Role::dealer)), ElementsAre(Told{Found::broken})) << "it stays so";
  }
}

TEST(Zmtp, AnOldVersionOrAnotherMechanismIsRefused) {
  for (const auto& [at, byte] : std::vector<std::pair<std::size_t, char>>{{10, 1}, {10, 2}, {12, 'C'}, {16, 'X'}}) {
    std::string bytes = opening(Role::dealer);
    bytes[at] = byte;
    Reader reader = router();
    EXPECT_THAT(read(reader, bytes), ElementsAre(Told{Found::broken})) << at;
  }
}

TEST(Zmtp, OnlyTheOtherKindOfSocketIsLetIn) {
  using namespace std::string_literals;
  for (const std::string& metadata : {""s, "\x0bSocket-Type\0\0\0\6ROUTER"s, "\x0bSocket-Type\0\0\0\3SUB"s,
                                      "\x0bSocket-Type\0\0\xff\6DEALER"s, "\x0bSocket-Type\0\0"s, "\xffSocket"s}) {
    Reader reader = router();
    EXPECT_THAT(read(reader, ready_of(metadata)), ElementsAre(Told{Found::broken}));
  }
  Reader reader = router();
  EXPECT_THAT(read(reader, ready_of("\x08Identity\0\0\0\2me\x0bSocket-Type\0\0\0\6DEALER"s)),
              ElementsAre(Told{Found::opened}));
}

TEST(Zmtp, NothingIsSaidBeforeTheOpening) {
  Reader reader = router();
  EXPECT_THAT(read(reader, opening(Role::dealer).substr(0, 64) + message("early")), ElementsAre(Told{Found::broken}));
}

TEST(Zmtp, WhatIsTooLongIsRefusedWhenItIsAnnounced) {
  using namespace std::string_literals;
  for (const std::string& bytes : {message(std::string(kMessageBytesMax + 1, 'x')).substr(0, 9),
                                   "\2\xff\xff\xff\xff\xff\xff\xff\xff"s, "\6\0\0\0\0\0\0\4\1"s}) {
    Reader reader = open_router();
    EXPECT_THAT(read(reader, bytes), ElementsAre(Told{Found::broken}));
  }
}

TEST(Zmtp, CommandsThatAreMalformedAreRefusedAndUnknownOnesLeftAlone) {
  using namespace std::string_literals;
  for (const std::string& bytes : {"\4\0"s, "\4\2\5P"s, "\4\5\4PING"s, "\4\x18\4PING\0\1"s + std::string(17, 'c'),
                                   "\5\1\0"s, "\x08\1x"s, "\4\6\5ERROR"s}) {
    Reader reader = open_router();
    EXPECT_THAT(read(reader, bytes), ElementsAre(Told{Found::broken})) << ::testing::PrintToString(bytes);
  }
  Reader reader = open_router();
  EXPECT_THAT(read(reader, "\4\5\4NEWS"s + message("on")), ElementsAre(Told{Found::message, "on", 1}));
}

}  // namespace
}  // namespace inkmesh::mesh::zmtp
