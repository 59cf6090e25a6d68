// A page of a read: as many strokes as its limits allow.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "inkmesh/effect.h"
#include "inkmesh/event.h"
#include "inkmesh/stroke.h"

namespace inkmesh::store {

/// Takes strokes until a limit of the read is met. What `done` holds already counts.
class Page {
 public:
  Page(const Read& read, ReadDone& done)
      : strokes_max_(std::max<std::size_t>(read.limit_strokes, 1)), bytes_max_(read.limit_bytes), done_(done) {
    for (const StrokePtr& stroke : done.strokes)
      bytes_ += cost_of(*stroke);
  }

  void expect(std::uint64_t strokes) {
    const std::size_t room = strokes_max_ - done_.strokes.size();
    done_.strokes.reserve(done_.strokes.size() + std::min({static_cast<std::size_t>(strokes), room, kReserveMax}));
  }

  /// True when not one more can be taken.
  bool full() const {
    return done_.strokes.size() >= strokes_max_ || (!done_.strokes.empty() && bytes_ >= bytes_max_);
  }

  /// False when it does not fit. The first always does.
  bool take(StrokePtr stroke) {
    bytes_ += cost_of(*stroke);
    if (!done_.strokes.empty() && bytes_ > bytes_max_) return false;
    done_.strokes.push_back(std::move(stroke));
    return true;
  }

 private:
  static constexpr std::size_t kReserveMax = 4096;

  const std::size_t strokes_max_;
  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  ReadDone& done_;
};

}  // namespace inkmesh::store
