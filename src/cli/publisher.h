// Publishes strokes with many of them on the way at once, at a rate that the node takes, each drawn once however often
// it has to be sent.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "inkmesh/types.h"

namespace inkmesh::cli {

/// A window of publishes without acknowledgement. Pure: the caller brings messages and the time, and sends what it is
/// given.
class Publisher {
 public:
  using Clock = std::chrono::steady_clock;

  struct Counts {
    std::uint64_t sent = 0;  ///< strokes, however often
    std::uint64_t acked = 0;
    std::uint64_t duplicates = 0;  ///< of the acked: the cluster had them already
    std::uint64_t resent = 0;
    std::uint64_t copies_min = 0;  ///< the fewest that an ack said; 0: none yet
  };

  Publisher(Channel channel, Op first_op, std::size_t window);

  /// Strokes per second from now on.
  void set_rate(double per_s);

  /// True when one more stroke may be taken up now.
  bool has_room(Clock::time_point now);

  /// The message for a new stroke. Call it when has_room().
  std::string publish(std::string data);

  /// On a fresh connection: everything without an acknowledgement is due again.
  void connection_lost(Clock::time_point now);

  /// A message that is due for a repeat, if there is one.
  std::optional<std::string> repeat(Clock::time_point now);

  /// Takes a message of the node. Throws std::runtime_error when a stroke is refused for good.
  void take(std::string_view message, Clock::time_point now);

  std::size_t outstanding() const {
    return pending_.size();
  }
  const Counts& counts() const {
    return counts_;
  }

 private:
  struct Pending {
    std::string data;
    std::optional<Clock::time_point> repeat_at;  ///< nothing while it is on the way
  };

  std::string message(Op op, const Pending& pending, bool retry) const;
  bool take_token(Clock::time_point now);

  Channel channel_;
  Op next_op_;
  std::size_t window_;
  double per_s_ = 0;
  double tokens_ = 1;
  std::optional<Clock::time_point> refilled_;
  std::map<Op, Pending> pending_;
  Clock::time_point hold_until_;  ///< the node asked us to wait
  Counts counts_;
};

}  // namespace inkmesh::cli
