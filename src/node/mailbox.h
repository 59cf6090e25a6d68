// Bounded batch queues into one thread, woken through an eventfd, so that a poll over sockets can wait for it too.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

namespace inkmesh::node {

/// What a thread sleeps on. Several mailboxes of one thread may share it.
class Wake {
 public:
  Wake() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw std::runtime_error("eventfd: out of file descriptors");
  }
  ~Wake() {
    close(fd_);
  }
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  /// Any thread.
  void ring() const {
    const std::uint64_t one = 1;
    while (write(fd_, &one, sizeof one) < 0 && errno == EINTR) {
    }
  }
  /// The owner, before it takes from its mailboxes: what is put in later rings again.
  void clear() const {
    std::uint64_t ignored = 0;
    while (read(fd_, &ignored, sizeof ignored) < 0 && errno == EINTR) {
    }
  }
  /// Readable from ring() to clear().
  int fd() const {
    return fd_;
  }

 private:
  const int fd_;
};

/// no: the consumer itself puts it in, and looks before it sleeps.
enum class Woken { yes, no };

/// Many producers, one consumer. Items come out in batches, in the order in which they went in.
template <typename Item>
class Mailbox {
 public:
  /// How much try_push() lets wait. push() goes past both: it is for what is bounded by other means.
  struct Bounds {
    std::size_t items = 0;
    std::size_t bytes = std::numeric_limits<std::size_t>::max() / 2;
  };

  /// `wake` must outlive the mailbox.
  Mailbox(const Wake& wake, Bounds bounds) : wake_(wake), bounds_(bounds) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// False, and nothing taken, when full. An item of any size goes into an empty mailbox.
  bool try_push(Item&& item, std::size_t bytes = 0, Woken woken = Woken::yes) {
    {
      const std::lock_guard lock(mutex_);
      if (items_.size() >= bounds_.items) return false;
      if (!items_.empty() && bytes_ + bytes > bounds_.bytes) return false;
      bytes_ += bytes;
      items_.push_back(std::move(item));
      if (!rings(woken)) return true;
    }
    wake_.ring();
    return true;
  }

  /// For items that must not be lost and whose number is bounded elsewhere.
  void push(Item&& item, Woken woken = Woken::yes) {
    {
      const std::lock_guard lock(mutex_);
      items_.push_back(std::move(item));
      if (!rings(woken)) return;
    }
    wake_.ring();
  }

  /// Swaps out all that waits; empty when nothing does. Consumer only, after Wake::clear().
  void take(std::vector<Item>& out) {
    out.clear();
    const std::lock_guard lock(mutex_);
    items_.swap(out);
    bytes_ = 0;
    rung_ = false;
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  bool rings(Woken woken) {
    return woken == Woken::yes && !std::exchange(rung_, true);
  }

  const Wake& wake_;
  const Bounds bounds_;
  mutable std::mutex mutex_;
  std::vector<Item> items_;
  std::size_t bytes_ = 0;
  bool rung_ = false;
};

}  // namespace inkmesh::node
