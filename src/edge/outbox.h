// A connection's unsent frames: which wait, which one is being written, what they cost, and what of it is not yet
// reported. Pure: it knows no socket, and `Frame` is whatever the caller shares between connections.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace inkmesh::edge {

template <typename Frame>
class Outbox {
 public:
  /// `bytes`: on the wire, header included. `cost`: what is reported once the frame has left; 0: an answer that nobody
  /// counts.
  void push(Frame frame, std::size_t bytes, std::size_t cost) {
    items_.push_back(Item{std::move(frame), bytes, cost});
    bytes_ += bytes;
    if (cost == 0) uncounted_bytes_ += bytes;
  }

  /// Shows the frames that are next, at least one and at most so many and so large, to `show(const Frame&)`. Not while
  /// one is in flight.
  template <typename Show>
  void next(std::size_t frames_max, std::size_t bytes_max, Show&& show) const {
    std::size_t frames = 0;
    std::size_t bytes = 0;
    for (std::size_t at = head_; at < items_.size(); ++at) {
      const Item& item = items_[at];
      bytes += item.bytes;
      if (frames > 0 && (frames >= frames_max || bytes > bytes_max)) break;
      ++frames;
      show(item.frame);
    }
  }

  /// So many bytes of what next() showed have left. What is over a whole frame, of the frame after it, is returned.
  std::size_t sent(std::size_t bytes) {
    while (head_ < items_.size() && bytes >= items_[head_].bytes) {
      Item& item = items_[head_++];
      bytes -= item.bytes;
      left(item.bytes, item.cost);
      item.frame = Frame{};
    }
    compact();
    return bytes;
  }

  /// Takes the next frame out; it is in flight until written().
  Frame take() {
    Item& item = items_[head_++];
    flight_bytes_ = item.bytes;
    flight_cost_ = item.cost;
    in_flight_ = true;
    Frame frame = std::move(item.frame);
    compact();
    return frame;
  }

  /// What was in flight has left.
  void written() {
    if (std::exchange(in_flight_, false)) left(flight_bytes_, flight_cost_);
  }

  /// Forgets what waits; what is in flight goes on.
  void clear() {
    while (head_ < items_.size()) {
      const Item& item = items_[head_++];
      bytes_ -= item.bytes;
      if (item.cost == 0) uncounted_bytes_ -= item.bytes;
    }
    compact();
  }

  /// The cost that has left since the last call.
  std::size_t take_report() {
    return std::exchange(unreported_, 0);
  }

  std::size_t unreported() const {
    return unreported_;
  }
  bool waiting() const {
    return head_ < items_.size();
  }
  bool in_flight() const {
    return in_flight_;
  }
  bool empty() const {
    return !waiting() && !in_flight();
  }
  /// Unsent, waiting and in flight.
  std::size_t bytes() const {
    return bytes_;
  }
  /// The part of bytes() whose frames cost nothing.
  std::size_t uncounted_bytes() const {
    return uncounted_bytes_;
  }

 private:
  struct Item {
    Frame frame;
    std::size_t bytes;
    std::size_t cost;
  };

  // An idle connection keeps room for a few frames, not for its worst moment.
  static constexpr std::size_t kKeptItems = 16;

  void left(std::size_t bytes, std::size_t cost) {
    bytes_ -= bytes;
    if (cost == 0) uncounted_bytes_ -= bytes;
    unreported_ += cost;
  }

  void compact() {
    if (head_ == items_.size()) {
      if (items_.capacity() > kKeptItems) {
        std::vector<Item>().swap(items_);
      } else {
        items_.clear();
      }
      head_ = 0;
    } else if (head_ >= 256 && head_ * 2 > items_.size()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }

  std::vector<Item> items_;
  std::size_t head_ = 0;
  std::size_t bytes_ = 0;
  std::size_t uncounted_bytes_ = 0;
  std::size_t flight_bytes_ = 0;
  std::size_t flight_cost_ = 0;
  std::size_t unreported_ = 0;
  bool in_flight_ = false;
};

}  // namespace inkmesh::edge
