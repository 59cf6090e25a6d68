// A connection's unsent frames: which wait, which are being written, what they cost, and what of it is not yet
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

  /// Gives the next frames, at least one and at most so many and so large, to `give(const Frame&)`. They are in flight
  /// until written(). Not while something is in flight.
  template <typename Give>
  void feed(std::size_t frames_max, std::size_t bytes_max, Give&& give) {
    while (head_ < items_.size()) {
      Item& item = items_[head_];
      if (flight_frames_ > 0 && (flight_frames_ >= frames_max || flight_bytes_ + item.bytes > bytes_max)) break;
      ++flight_frames_;
      flight_bytes_ += item.bytes;
      flight_cost_ += item.cost;
      if (item.cost == 0) flight_uncounted_ += item.bytes;
      give(std::as_const(item.frame));
      item.frame = Frame{};
      ++head_;
    }
    compact();
  }

  /// All that was in flight has left.
  void written() {
    bytes_ -= flight_bytes_;
    uncounted_bytes_ -= flight_uncounted_;
    unreported_ += flight_cost_;
    flight_frames_ = flight_bytes_ = flight_cost_ = flight_uncounted_ = 0;
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
    return flight_frames_ > 0;
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
  std::size_t flight_frames_ = 0;
  std::size_t flight_bytes_ = 0;
  std::size_t flight_cost_ = 0;
  std::size_t flight_uncounted_ = 0;
  std::size_t unreported_ = 0;
};

}  // namespace inkmesh::edge
