// Virtual time: what is to happen, in order of (time, sequence).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace inkmesh::sim {

/// Microseconds of virtual time since the world began.
using SimUs = std::uint64_t;

constexpr SimUs operator""_ms(unsigned long long ms) {
  return ms * 1000;
}
constexpr SimUs operator""_s(unsigned long long seconds) {
  return seconds * 1'000'000;
}

class Agenda {
 public:
  using Action = std::function<void()>;

  SimUs now() const {
    return now_;
  }

  /// What is set for the past happens now.
  void at(SimUs when, Action action) {
    std::size_t place = actions_.size();
    if (free_.empty()) {
      actions_.push_back(std::move(action));
    } else {
      place = free_.back();
      free_.pop_back();
      actions_[place] = std::move(action);
    }
    heap_.push_back(Entry{std::max(when, now_), ++order_, place});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  void after(SimUs delay, Action action) {
    at(now_ + delay, std::move(action));
  }

  /// Does what is due first, if it is due by `until`; otherwise time moves there. False when nothing was done.
  bool step(SimUs until) {
    if (heap_.empty() || heap_.front().when > until) {
      now_ = std::max(now_, until);
      return false;
    }
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Entry entry = heap_.back();
    heap_.pop_back();
    now_ = entry.when;
    ++steps_;
    const Action action = std::exchange(actions_[entry.place], nullptr);
    free_.push_back(entry.place);
    action();
    return true;
  }

  /// Things done so far.
  std::uint64_t steps() const {
    return steps_;
  }

 private:
  struct Entry {
    SimUs when = 0;
    std::uint64_t order = 0;
    std::size_t place = 0;
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.when != b.when ? a.when > b.when : a.order > b.order;
  }

  std::vector<Entry> heap_;
  /// Beside the heap, by place: hundreds of thousands wait in a large cluster, and a heap moves what it holds.
  std::vector<Action> actions_;
  std::vector<std::size_t> free_;
  SimUs now_ = 0;
  std::uint64_t order_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace inkmesh::sim
