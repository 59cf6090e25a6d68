// Walks the frame headers of what a WebSocket client sends, ahead of websocketpp, which counts no frames: floods of
// empty fragments, pings or tiny messages are seen here. Whether a frame is well-formed is websocketpp's to say, but
// for a length in more bytes than it needs: that one it would close with 1011, as a mistake of ours.
#pragma once

#include <cstddef>
#include <cstdint>

#include "edge/rate.h"
#include "inkmesh/types.h"

namespace inkmesh::edge {

struct FrameLimits {
  Rate messages;                     ///< whole data frames: past it the connection is read more slowly
  Rate extras;                       ///< control frames and fragments: past it the connection is closed
  std::uint32_t fragments_max = 64;  ///< of one message
};

class FrameWalk {
 public:
  enum class Verdict { fine, slow_down, abuse, broken };

  /// Takes the next bytes off the wire, from the first of the HTTP request on.
  Verdict feed(const char* data, std::size_t size, MonotonicMs now_ms, const FrameLimits& limits);

  /// True when a message may go on, after a `slow_down`.
  bool may_go_on(MonotonicMs now_ms, const FrameLimits& limits) {
    return messages_.ready(limits.messages, now_ms);
  }

  /// Since when a message has been coming without being whole; 0: none is.
  MonotonicMs unfinished_since_ms() const {
    return unfinished_since_ms_;
  }

 private:
  std::size_t skip_request(const char* data, std::size_t size);
  Verdict on_header(MonotonicMs now_ms, const FrameLimits& limits);
  void on_frame_end();

  TokenBucket messages_;
  TokenBucket extras_;
  MonotonicMs unfinished_since_ms_ = 0;
  std::uint64_t payload_left_ = 0;
  std::uint32_t fragments_ = 0;
  std::uint8_t blank_line_ = 0;  // how much of CR LF CR LF has been seen; 4: the request is over
  std::uint8_t header_size_ = 0;
  std::uint8_t header_need_ = 2;
  bool in_message_ = false;
  std::uint8_t header_[14] = {};
};

}  // namespace inkmesh::edge
