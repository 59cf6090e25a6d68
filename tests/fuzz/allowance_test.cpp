// The bound that the doors are held to bites.
#include "allowance.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace inkmesh::fuzz {
namespace {

constexpr Growth kGrowth{16, 1024};

/// Believes the count that it begins with, as a decoder must not.
std::vector<std::uint64_t> credulous(std::string_view bytes) {
  std::uint32_t count = 0;
  std::memcpy(&count, bytes.data(), sizeof count);
  std::vector<std::uint64_t> values;
  values.reserve(count);
  return values;
}

std::string_view claim(const std::uint32_t& count) {
  return {reinterpret_cast<const char*>(&count), sizeof count};
}

TEST(Allowance, ACountThatTheBytesBearOutIsFine) {
  const std::uint32_t count = 8;
  EXPECT_EQ(within(kGrowth, 4, [&] { return credulous(claim(count)); }).capacity(), 8U);
}

TEST(AllowanceDeathTest, ADecoderThatBelievesACountDies) {
  const std::uint32_t count = 1U << 20;
  EXPECT_DEATH(within(kGrowth, 4, [&] { return credulous(claim(count)); }),
               "an allocation of 8388608 bytes where 1088 were left of the 1088 that an input of 4 bytes justifies");
}

TEST(AllowanceDeathTest, ManySmallOnesAddUp) {
  EXPECT_DEATH(within(kGrowth, 10,
                      [] {
                        std::map<int, std::string> filled;
                        for (int i = 0; i < 1000; ++i)
                          filled[i] = "x";
                        return filled.size();
                      }),
               "an allocation of ");
}

TEST(AllowanceDeathTest, MallocAndReallocCountAsNewDoes) {
  const auto grow = [](std::size_t bytes) {
    void* volatile memory = std::malloc(8);
    memory = std::realloc(memory, bytes);
    std::free(memory);
    return bytes;
  };
  EXPECT_EQ(within(kGrowth, 0, [&] { return grow(1000); }), 1000U);
  EXPECT_DEATH(within(kGrowth, 0, [&] { return grow(4096); }), "an allocation of 4096 bytes");
  EXPECT_DEATH(within(kGrowth, 0,
                      [] {
                        const volatile std::size_t count = SIZE_MAX / 2;
                        void* volatile memory = std::calloc(count, 4);
                        std::free(memory);
                        return 0;
                      }),
               "an allocation of ");
}

TEST(Allowance, EndsWithTheDecoder) {
  within(kGrowth, 0, [] { return 0; });
  const std::vector<char> more(1 << 20);
  EXPECT_EQ(more.size(), std::size_t{1} << 20);
}

}  // namespace
}  // namespace inkmesh::fuzz
