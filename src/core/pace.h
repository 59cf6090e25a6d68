// How often something may be done that costs about the same whether it is for one or for many: at once while it is
// seldom, and together with what comes in between when there is much of it. A token bucket.
#pragma once

#include <algorithm>
#include <cstdint>

namespace inkmesh::core {

class Pace {
 public:
  /// `per_s`: how often in the long run. `burst`: how many may follow each other without a wait after a quiet time.
  constexpr Pace(std::uint64_t per_s, std::uint64_t burst) : each_us_(1'000'000 / per_s), full_us_(each_us_ * burst) {}

  /// How long the next one must wait, in us. `now_us`: of any clock that never goes back.
  std::uint64_t wait_us(std::uint64_t now_us) const {
    const std::uint64_t saved_us = saved_at(now_us);
    return saved_us >= each_us_ ? 0 : each_us_ - saved_us;
  }

  /// One is done.
  void take(std::uint64_t now_us) {
    saved_us_ = saved_at(now_us);
    saved_us_ -= std::min(saved_us_, each_us_);
    at_us_ = now_us;
  }

 private:
  std::uint64_t saved_at(std::uint64_t now_us) const {
    return std::min(full_us_, saved_us_ + (now_us - at_us_));
  }

  std::uint64_t each_us_;
  std::uint64_t full_us_;
  std::uint64_t saved_us_ = 0;
  std::uint64_t at_us_ = 0;
};

}  // namespace inkmesh::core
