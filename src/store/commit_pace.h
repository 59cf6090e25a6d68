// How often the store commits. A commit costs about the same for one stroke as for twenty. So commits take but a part
// of the time, measured by what the disk needs for them, and strokes that come in between share the next one; a smaller
// part where they do share it. After a quiet time there is no wait.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/pace.h"

namespace inkmesh::store {

class CommitPace {
 public:
  using Clock = std::chrono::steady_clock;

  /// How long the next commit waits for more strokes.
  Clock::duration pause(Clock::time_point now) const {
    return std::chrono::microseconds(pace_.wait_us(us_of(now)));
  }

  /// A commit of so many strokes has ended now, and took so long.
  void committed(Clock::time_point now, std::uint64_t took_us, std::size_t strokes) {
    const std::uint64_t share = strokes >= kSharedStrokes ? kPauseShareShared : kPauseShare;
    pace_.take(us_of(now), std::min(took_us * share, kPauseUsMax));
  }

 private:
  static constexpr std::uint64_t kPauseShare = 8;
  static constexpr std::uint64_t kPauseShareShared = 24;
  static constexpr std::size_t kSharedStrokes = 3;
  static constexpr std::uint64_t kSavedUsMax = 160'000;
  static constexpr std::uint64_t kPauseUsMax = 10'000;

  static std::uint64_t us_of(Clock::time_point when) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()).count());
  }

  core::Pace pace_{kSavedUsMax};
};

}  // namespace inkmesh::store
