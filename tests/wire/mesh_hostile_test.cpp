// Bytes that nobody encoded: cut short, changed, or made to take memory. All are refused or understood, and none makes
// the decoder allocate much more than it was given.
#include <gtest/gtest.h>

#include "allocations.h"
#include "mesh_samples.h"
#include "wire/mesh_codec.h"

namespace inkmesh::wire {
namespace {

using test::Random;

constexpr std::size_t kDecodedBytesMax = std::size_t{64} << 20;

/// A decoded value is at most this many times its bytes; the worst is an empty message, one byte of a frame.
constexpr std::size_t kGrowthMax = sizeof(LinkMessage);
constexpr std::size_t kSlackBytes = 1024;

template <class Decode>
bool decode_within_bounds(Decode decode, std::string_view bytes) {
  test::reset_allocations();
  const bool good = decode(bytes).has_value();
  const test::Allocations made = test::allocations();
  EXPECT_LE(made.largest_bytes, kGrowthMax * bytes.size() + kSlackBytes);
  EXPECT_LE(made.total_bytes, kDecodedBytesMax + kDecodedBytesMax / 4);
  return good;
}

bool frame_within_bounds(std::string_view bytes) {
  return decode_within_bounds(decode_frame, bytes);
}

bool gossip_within_bounds(std::string_view bytes) {
  return decode_within_bounds(decode_gossip, bytes);
}

void attack(const std::string& bytes, bool (*decode)(std::string_view)) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // A copy of that size, so that a sanitizer sees a read past its end.
    const std::vector<char> prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_FALSE(decode({prefix.data(), size})) << "prefix of " << size;
  }
  std::string changed = bytes;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x02U, 0x10U, 0x40U, 0x80U, 0xFFU, 0x7FU}) {
      changed[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flip);
      decode(changed);
    }
    changed[at] = bytes[at];
  }
  ASSERT_FALSE(decode(bytes + '\0'));
  ASSERT_TRUE(decode(bytes));
}

TEST(MeshHostile, PrefixesAndChangedBytesOfFrames) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Random random(seed);
    for (const LinkMessage& message : test::one_of_each(random)) {
      const Frame frame{"ws1", "5k2m9x1q", random.bits(), 1, {message}};
      attack(encode(frame), frame_within_bounds);
      ASSERT_FALSE(HasFatalFailure()) << "seed " << seed << ", type " << message.index();
    }
  }
}

TEST(MeshHostile, PrefixesAndChangedBytesOfGossip) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    attack(encode(test::random_gossip(random)), gossip_within_bounds);
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
  }
}

TEST(MeshHostile, RandomMutations) {
  Random random(7);
  std::size_t understood = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = encode(test::random_frame(random));
    for (std::uint64_t n = random.between(1, 4); n > 0; --n) {
      bytes[random.between(0, bytes.size() - 1)] = static_cast<char>(random.between(0, 255));
    }
    if (random.chance(4)) bytes.erase(random.between(0, bytes.size() - 1), random.between(1, 9));
    if (random.chance(4)) bytes.insert(random.between(0, bytes.size()), random.between(1, 9), '\x7F');
    understood += frame_within_bounds(bytes) ? 1U : 0U;
  }
  EXPECT_GT(understood, 0U);
}

const std::string kFrameHead = std::string(
    "\x02\x03ws1\x08"
    "5k2m9x1q\0\0\0\0\0\0\0\0\x01",
    23);
const std::string kHuge = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F";  // 2^63 - 1
const std::string kBillion = "\x80\x94\xEB\xDC\x03";               // 1,000,000,000

TEST(MeshHostile, HugeCountsAllocateNothing) {
  using namespace std::string_literals;
  ASSERT_TRUE(decode_frame(kFrameHead + '\x00'));
  const std::string name =
      "\x01"s
      "c"s;
  const std::string origin = "\x0An~00000000"s;
  const std::string request(8, '\x01');
  for (const std::string& count : {kHuge, kBillion, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"s}) {
    const std::string bodies[] = {
        "\x11"s + '\x01' + count,                           // interest_full
        "\x20"s + name + origin + '\x00' + '\x01' + count,  // run
        "\x21"s + count,                                    // stored
        "\x22"s + request + name + count,                   // pull
        "\x24"s + count,                                    // heads
        "\x24"s + '\x01' + name + count,                    // heads of one channel
        "\x30"s + request + count,                          // digest
        "\x32"s + count,                                    // offer
        "\x32"s + '\x01' + name + count,                    // offer of one channel
        "\x50"s + name + name + count,                      // signal's data
        "\x51"s + name + '\x01' + count,                    // presence_full
        "\x52"s + name + '\x01' + '\x00' + count,           // presence_delta
    };
    for (const std::string& body : bodies) {
      test::reset_allocations();
      EXPECT_FALSE(decode_frame(kFrameHead + '\x01' + body));
      EXPECT_LE(test::allocations().largest_bytes, sizeof(LinkMessage) + kSlackBytes);
    }
    test::reset_allocations();
    EXPECT_FALSE(decode_frame(kFrameHead + count));
    EXPECT_LE(test::allocations().largest_bytes, kSlackBytes);
  }
}

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7U)
    bytes += static_cast<char>(value | 0x80U);
  return bytes + static_cast<char>(value);
}

std::string frame_of_empty_messages(std::size_t count) {
  return kFrameHead + varint(count) + std::string(count, '\x10');
}

/// Strokes of five bytes each, in a channel with the longest name.
std::string frame_of_tiny_strokes(std::size_t count) {
  using namespace std::string_literals;
  std::string bytes = kFrameHead + "\x01\x20\x80"s + std::string(128, 'c') + "\x0An~00000000\x00\x01"s + varint(count);
  for (std::size_t i = 0; i < count; ++i)
    bytes += i == 0 ? "\x01"
                      "a\x02\x02\x02"
                      "1"s
                    : "\x00\x02\x02\x02"
                      "1"s;
  return bytes;
}

TEST(MeshHostile, AFrameOfNothingButSmallThingsStaysWithinTheBudget) {
  EXPECT_TRUE(frame_within_bounds(frame_of_empty_messages(1000)));
  EXPECT_TRUE(frame_within_bounds(frame_of_empty_messages(100'000)));
  EXPECT_FALSE(frame_within_bounds(frame_of_empty_messages(700'000)));
  EXPECT_TRUE(frame_within_bounds(frame_of_tiny_strokes(1000)));
  EXPECT_TRUE(frame_within_bounds(frame_of_tiny_strokes(30'000)));
  EXPECT_FALSE(frame_within_bounds(frame_of_tiny_strokes(300'000)));
}

TEST(MeshHostile, OversizeFramesVersionsAndTagsOfOthersAreRefused) {
  const std::string frame = encode(Frame{"ws1", "5k2m9x1q", 1, 1, {InterestWant{}}});
  ASSERT_TRUE(decode_frame(frame));
  for (unsigned version = 0; version < 256; ++version) {
    std::string other = frame;
    other[0] = static_cast<char>(version);
    EXPECT_EQ(decode_frame(other).has_value(), version == kMeshVersion);
  }
  std::size_t known = 0;
  for (unsigned tag = 0; tag < 256; ++tag) {
    std::string other = frame;
    other.back() = static_cast<char>(tag);
    known += decode_frame(other) ? 1U : 0U;
  }
  EXPECT_EQ(known, 2U) << "of the messages, interest_want and store_full alone have no body";
  EXPECT_FALSE(decode_frame(std::string(kLinkFrameBytesMax + 1, static_cast<char>(kMeshVersion))));
  EXPECT_FALSE(decode_frame(""));
  EXPECT_FALSE(decode_gossip(""));
}

TEST(MeshHostile, NumbersHaveOneForm) {
  using namespace std::string_literals;
  const std::string head = kFrameHead.substr(0, kFrameHead.size() - 1);
  ASSERT_TRUE(decode_frame(head + "\x01\x00"s));
  EXPECT_FALSE(decode_frame(head + "\x81\x00\x00"s));
  EXPECT_FALSE(decode_frame(head + "\x00\x00"s)) << "frames are numbered from 1";
  EXPECT_FALSE(decode_frame(head + std::string(11, '\xFF') + "\x00"s));
}

TEST(MeshHostile, ACursorOutOfOrderOrWithZeroIsRefused) {
  using namespace std::string_literals;
  const std::string pull = kFrameHead + "\x01\x22"s + std::string(8, '\0') +
                           "\x01"
                           "c\x02"s;
  const auto entry = [](char node, char seq) { return "\x0A"s + node + "~00000000"s + seq; };
  ASSERT_TRUE(decode_frame(pull + entry('a', 1) + entry('b', 1) + '\x00'));
  EXPECT_FALSE(decode_frame(pull + entry('b', 1) + entry('a', 1) + '\x00'));
  EXPECT_FALSE(decode_frame(pull + entry('a', 1) + entry('a', 1) + '\x00'));
  EXPECT_FALSE(decode_frame(pull + entry('a', 1) + entry('b', 0) + '\x00'));
}

}  // namespace
}  // namespace inkmesh::wire
