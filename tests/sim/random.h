// The simulator's own stream of numbers: the same on every machine, unlike <random>'s distributions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace inkmesh::sim {

/// xoshiro256** (Blackman, Vigna 2018), seeded by splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15U;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
      z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
      word = z ^ (z >> 31U);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// 0 to bound - 1; 0 for a bound of 0. The bias of the modulus does not matter here.
  std::uint64_t below(std::uint64_t bound) {
    return bound == 0 ? 0 : next() % bound;
  }
  /// low to high, both included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool chance(unsigned per_mille) {
    return below(1000) < per_mille;
  }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[static_cast<std::size_t>(below(from.size()))];
  }
  /// A stream of its own: what one part draws does not shift what another one draws.
  Random split() {
    return Random(next());
  }

 private:
  static std::uint64_t rotate(std::uint64_t value, unsigned bits) {
    return (value << bits) | (value >> (64U - bits));
  }
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace inkmesh::sim
