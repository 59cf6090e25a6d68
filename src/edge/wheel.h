// When to look at which connection again. A coarse wheel: no timer for each connection, no removal; whoever finds that
// a deadline has moved enters again.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "inkmesh/types.h"

namespace inkmesh::edge {

class Wheel {
 public:
  static constexpr MonotonicMs kTickMs = 50;

  explicit Wheel(MonotonicMs now_ms) : tick_(now_ms / kTickMs) {}

  /// Enters `conn` for `due_ms` (or for the wheel's horizon, about 50 s, if that comes first); returns the tick under
  /// which it will come up.
  std::uint64_t add(ConnId conn, MonotonicMs due_ms) {
    const std::uint64_t due = std::clamp((due_ms + kTickMs - 1) / kTickMs, tick_ + 1, tick_ + kSlots - 1);
    slots_[due % kSlots].push_back(Entry{conn, due});
    return due;
  }

  /// Calls `due(conn, tick)` for whatever has come up. It may add().
  template <typename Due>
  void advance(MonotonicMs now_ms, Due&& due) {
    const std::uint64_t until = now_ms / kTickMs;
    while (tick_ < until) {
      ++tick_;
      taken_.clear();
      taken_.swap(slots_[tick_ % kSlots]);
      for (const Entry& entry : taken_)
        due(entry.conn, entry.tick);
    }
  }

 private:
  static constexpr std::uint64_t kSlots = 1024;
  struct Entry {
    ConnId conn;
    std::uint64_t tick;
  };

  std::uint64_t tick_;
  std::array<std::vector<Entry>, kSlots> slots_;
  std::vector<Entry> taken_;
};

}  // namespace inkmesh::edge
