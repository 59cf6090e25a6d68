// Token buckets: what a peer may do in a second. Pure; the caller brings the time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "inkmesh/types.h"

namespace inkmesh::edge {

/// A rate and how much of it may come at once.
struct Rate {
  std::uint32_t per_s = 1;  ///< at least 1
  std::uint32_t burst = 1;  ///< at least 1
};

/// How far one peer is into one rate. Starts with a whole burst to spend.
class TokenBucket {
 public:
  /// False, and nothing taken, when the rate is used up. `now_ms` never goes back.
  bool take(const Rate& rate, MonotonicMs now_ms) {
    leak(rate, now_ms);
    if (used_milli_ + 1000 > std::uint64_t{rate.burst} * 1000) return false;
    used_milli_ += 1000;
    return true;
  }

  /// True when take() would give one.
  bool ready(const Rate& rate, MonotonicMs now_ms) {
    leak(rate, now_ms);
    return used_milli_ + 1000 <= std::uint64_t{rate.burst} * 1000;
  }

  /// How long until the next one, in milliseconds; 0: now.
  std::uint32_t wait_ms(const Rate& rate, MonotonicMs now_ms) {
    if (ready(rate, now_ms)) return 0;
    const std::uint64_t missing = used_milli_ + 1000 - std::uint64_t{rate.burst} * 1000;
    return static_cast<std::uint32_t>((missing + rate.per_s - 1) / rate.per_s);
  }

 private:
  void leak(const Rate& rate, MonotonicMs now_ms) {
    if (now_ms <= last_ms_) return;
    used_milli_ -= std::min(used_milli_, (now_ms - last_ms_) * rate.per_s);
    last_ms_ = now_ms;
  }

  std::uint64_t used_milli_ = 0;
  MonotonicMs last_ms_ = 0;
};

}  // namespace inkmesh::edge
