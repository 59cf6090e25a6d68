// What must be delivered, and what was: every subscriber must get every publisher's strokes of its channel as 1, 2, 3…
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace inkmesh::bench {

class Ledger {
 public:
  /// A publisher of a channel; its number is what marks carry.
  std::uint32_t add_publisher(std::uint32_t channel);
  /// A subscriber that must get all strokes of that channel from now on, and none from before. All publishers are known
  /// by then.
  std::uint32_t add_subscriber(std::uint32_t channel);

  /// The publisher's next sequence, from 1.
  std::uint32_t next_seq(std::uint32_t publisher);
  std::uint32_t sent(std::uint32_t publisher) const {
    return publishers_[publisher].sent;
  }

  /// A stroke came. False: it was wrong (not the next, or not of this channel).
  bool delivered(std::uint32_t subscriber, std::uint32_t publisher, std::uint32_t seq) {
    if (publisher >= publishers_.size()) return count_foreign();
    const auto& from = publishers_[publisher];
    auto& to = subscribers_[subscriber];
    if (from.channel != to.channel) return count_foreign();
    std::uint32_t& expected = expected_[to.first + from.slot];
    if (seq != expected) return count_wrong(subscriber, publisher, seq, expected);
    ++expected;
    ++delivered_;
    return true;
  }

  std::uint64_t strokes() const {
    return strokes_;
  }
  /// Deliveries, of all strokes to all who must get them.
  std::uint64_t owed() const {
    return owed_;
  }
  std::uint64_t delivered() const {
    return delivered_;
  }
  bool settled() const {
    return delivered_ == owed_ && missing_.empty();
  }

  /// Empty, or what is wrong: lost, repeated, out of order, of another channel.
  std::string verdict() const;

 private:
  struct Publisher {
    std::uint32_t channel;
    std::uint32_t slot;  ///< its place among its channel's publishers
    std::uint32_t sent;
  };
  struct Subscriber {
    std::uint32_t channel;
    std::size_t first;  ///< of its channel's publishers in expected_
  };
  struct Channel {
    std::vector<std::uint32_t> publishers;  ///< by slot
    std::uint32_t subscribers = 0;
  };

  Channel& channel(std::uint32_t number);
  bool count_foreign();
  bool count_wrong(std::uint32_t subscriber, std::uint32_t publisher, std::uint32_t seq, std::uint32_t& expected);

  std::vector<Channel> channels_;
  std::vector<Publisher> publishers_;
  std::vector<Subscriber> subscribers_;
  std::vector<std::uint32_t> expected_;
  std::unordered_set<std::string> missing_;  ///< passed over; only runs that fail have any
  std::uint64_t strokes_ = 0;
  std::uint64_t owed_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t foreign_ = 0;
};

}  // namespace inkmesh::bench
