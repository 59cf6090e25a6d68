// How often something is done that costs about the same whether it is for one or for many: at once while it is seldom,
// together with what comes in between when there is much of it. A token bucket of microseconds.
#pragma once

#include <algorithm>
#include <cstdint>

namespace inkmesh::core {

class Pace {
 public:
  /// `saved_us_max`: how much of a quiet time is kept, and makes up for later waits.
  constexpr explicit Pace(std::uint64_t saved_us_max) : saved_us_max_(saved_us_max) {}

  /// How long the next one must wait, in us. `now_us`: of any clock that never goes back.
  std::uint64_t wait_us(std::uint64_t now_us) const {
    const std::uint64_t saved = saved_us_ + (now_us - at_us_);
    return saved >= owed_us_ ? 0 : owed_us_ - saved;
  }

  /// One is done now, waited for or not; the next one waits for what this one is worth, less what was saved.
  void take(std::uint64_t now_us, std::uint64_t worth_us) {
    saved_us_ += now_us - at_us_;
    at_us_ = now_us;
    settle(owed_us_);
    saved_us_ = std::min(saved_us_, saved_us_max_);
    owed_us_ = worth_us;
    settle(owed_us_);
  }

 private:
  void settle(std::uint64_t owed) {
    const std::uint64_t paid = std::min(saved_us_, owed);
    saved_us_ -= paid;
    owed_us_ -= paid;
  }

  std::uint64_t saved_us_max_;
  std::uint64_t saved_us_ = 0;
  std::uint64_t owed_us_ = 0;
  std::uint64_t at_us_ = 0;
};

}  // namespace inkmesh::core
