// The one clock of the benchmark: nanoseconds of CLOCK_MONOTONIC.
#pragma once

#include <ctime>

#include <cstdint>

namespace inkmesh::bench {

constexpr std::uint64_t kMicrosecond = 1'000;
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kSecond = 1'000'000'000;

inline std::uint64_t nanoseconds(double seconds) {
  return static_cast<std::uint64_t>(seconds * static_cast<double>(kSecond));
}

inline std::uint64_t read_clock(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<std::uint64_t>(at.tv_sec) * kSecond + static_cast<std::uint64_t>(at.tv_nsec);
}

inline std::uint64_t now_ns() {
  return read_clock(CLOCK_MONOTONIC);
}

}  // namespace inkmesh::bench
