// What the committer's tests share: a queue of its answers, and numbered requests.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fixture.h"
#include "store/committer.h"

namespace inkmesh::store {

constexpr std::chrono::seconds kPatience{60};

/// What a committer says, in order, for one thread that waits for it.
class Answers {
 public:
  Committer::Answer on_answer() {
    return [this](Event&& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(std::move(event));
      changed_.notify_all();
    };
  }
  Committer::Fatal on_fatal() {
    return [this](const std::string& reason) {
      const std::lock_guard lock(mutex_);
      fatals_.push_back(reason);
      changed_.notify_all();
    };
  }

  /// The next answer; throws when none comes.
  Event next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return !events_.empty(); })) throw std::runtime_error("no answer");
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
  }
  template <typename Kind>
  Kind next() {
    return std::get<Kind>(next());
  }
  std::string next_fatal() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return !fatals_.empty(); })) throw std::runtime_error("no end");
    return fatals_.front();
  }
  std::size_t waiting() {
    const std::lock_guard lock(mutex_);
    return events_.size();
  }
  std::size_t fatals() {
    const std::lock_guard lock(mutex_);
    return fatals_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> events_;
  std::vector<std::string> fatals_;
};

inline Append numbered(Ticket ticket, Seq seq, std::uint64_t generation = 0, const std::string& data = "{}") {
  Append append = make_append("drawing", "ws1~00000000", seq, seq, data);
  append.ticket = ticket;
  append.generation = generation;
  return append;
}

inline Read read_numbered(Ticket ticket) {
  Read read = read_of("drawing");
  read.ticket = ticket;
  return read;
}

}  // namespace inkmesh::store
