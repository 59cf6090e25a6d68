#include "edge/frame_walk.h"

#include <algorithm>

namespace inkmesh::edge {
namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kControl = 0x08;

std::uint8_t header_bytes(std::uint8_t second) {
  const unsigned length = second & 0x7FU;
  const unsigned extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  return static_cast<std::uint8_t>(2 + extended + ((second & kMasked) != 0 ? 4 : 0));
}

std::uint64_t payload_bytes(const std::uint8_t* header) {
  const unsigned length = header[1] & 0x7FU;
  if (length < 126) return length;
  std::uint64_t bytes = 0;
  for (unsigned i = 0; i < (length == 126 ? 2U : 8U); ++i)
    bytes = (bytes << 8) | header[2 + i];
  return bytes;
}

}  // namespace

std::size_t FrameWalk::skip_request(const char* data, std::size_t size) {
  std::size_t at = 0;
  while (at < size && blank_line_ < 4) {
    const char c = data[at++];
    if (c == '\r') {
      blank_line_ = blank_line_ == 2 ? 3 : 1;
    } else if (c == '\n' && (blank_line_ == 1 || blank_line_ == 3)) {
      ++blank_line_;
    } else {
      blank_line_ = 0;
    }
  }
  return at;
}

FrameWalk::Verdict FrameWalk::feed(const char* data, std::size_t size, MonotonicMs now_ms, const FrameLimits& limits) {
  Verdict worst = Verdict::fine;
  std::size_t at = blank_line_ < 4 ? skip_request(data, size) : 0;
  while (at < size) {
    if (payload_left_ > 0) {
      const std::uint64_t step = std::min<std::uint64_t>(payload_left_, size - at);
      payload_left_ -= step;
      at += static_cast<std::size_t>(step);
      if (payload_left_ == 0) on_frame_end();
      continue;
    }
    header_[header_size_++] = static_cast<std::uint8_t>(data[at++]);
    if (header_size_ == 2) header_need_ = header_bytes(header_[1]);
    if (header_size_ < header_need_) continue;
    worst = std::max(worst, on_header(now_ms, limits));
    if (worst >= Verdict::abuse) return worst;
    payload_left_ = payload_bytes(header_);
    if (payload_left_ == 0) on_frame_end();
  }
  return worst;
}

FrameWalk::Verdict FrameWalk::on_header(MonotonicMs now_ms, const FrameLimits& limits) {
  header_size_ = 0;
  header_need_ = 2;
  const unsigned form = header_[1] & 0x7FU;
  if ((form == 126 && payload_bytes(header_) < 126) || (form == 127 && payload_bytes(header_) <= 0xFFFF)) {
    return Verdict::broken;
  }
  if ((header_[0] & kControl) != 0) {
    return extras_.take(limits.extras, now_ms) ? Verdict::fine : Verdict::abuse;
  }
  if (unfinished_since_ms_ == 0) unfinished_since_ms_ = now_ms;
  if (!in_message_ && (header_[0] & kFin) != 0) {
    return messages_.take(limits.messages, now_ms) ? Verdict::fine : Verdict::slow_down;
  }
  in_message_ = true;
  if (++fragments_ > limits.fragments_max) return Verdict::abuse;
  return extras_.take(limits.extras, now_ms) ? Verdict::fine : Verdict::abuse;
}

void FrameWalk::on_frame_end() {
  if ((header_[0] & kControl) != 0 || (header_[0] & kFin) == 0) return;
  in_message_ = false;
  fragments_ = 0;
  unfinished_since_ms_ = 0;
}

}  // namespace inkmesh::edge
