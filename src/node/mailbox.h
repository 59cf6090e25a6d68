// A bounded queue into one thread, woken through an eventfd, so that a poll over sockets can wait for it too.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

namespace inkmesh::node {

/// Many producers, one consumer. Items come out in batches, in the order in which they went in.
template <typename Item>
class Mailbox {
 public:
  /// `capacity`: how many items try_push() lets wait. push() goes past it: it is for what is bounded by other means.
  explicit Mailbox(std::size_t capacity) : capacity_(capacity), wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (wake_fd_ < 0) throw std::runtime_error("eventfd: out of file descriptors");
  }
  ~Mailbox() {
    close(wake_fd_);
  }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// False, and nothing taken, when full.
  bool try_push(Item&& item) {
    return put(std::move(item), capacity_);
  }

  /// For items that must not be lost and whose number is bounded elsewhere.
  void push(Item&& item) {
    put(std::move(item), SIZE_MAX);
  }

  /// Swaps out all that waits; empty when nothing does. Consumer only.
  void take(std::vector<Item>& out) {
    out.clear();
    std::uint64_t ignored = 0;
    while (read(wake_fd_, &ignored, sizeof ignored) < 0 && errno == EINTR) {
    }
    const std::lock_guard lock(mutex_);
    items_.swap(out);
  }

  /// Readable while items wait.
  int wake_fd() const {
    return wake_fd_;
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  bool put(Item&& item, std::size_t limit) {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      if (items_.size() >= limit) return false;
      wake = items_.empty();
      items_.push_back(std::move(item));
    }
    if (wake) {
      const std::uint64_t one = 1;
      while (write(wake_fd_, &one, sizeof one) < 0 && errno == EINTR) {
      }
    }
    return true;
  }

  const std::size_t capacity_;
  const int wake_fd_;
  mutable std::mutex mutex_;
  std::vector<Item> items_;
};

}  // namespace inkmesh::node
