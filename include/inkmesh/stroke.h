// A stroke: one stored event of a channel.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "inkmesh/types.h"

namespace inkmesh {

struct Stroke {
  Channel channel;
  Origin origin;
  Seq seq = 0;
  TimeUs ts = 0;
  ClientName client;
  Op op = 0;
  /// The author's JSON exactly as it came in; at most kDataBytesMax bytes and kDataDepthMax levels.
  std::string data;
  /// A hint: this node already held another copy of the same (channel, client, op) when it stored this one.
  /// Not part of the stroke's content: replicas may differ in it.
  bool duplicate = false;
};

/// Strokes are immutable once numbered and shared between threads, peers' queues and connections.
using StrokePtr = std::shared_ptr<const Stroke>;
using Strokes = std::vector<StrokePtr>;

/// What a stroke counts for in windows and budgets: about its bytes on a wire.
inline std::size_t cost_of(const Stroke& stroke) {
  return 128 + stroke.channel.size() + stroke.origin.size() + stroke.client.size() + stroke.data.size();
}

/// 64-bit hash of a channel's name: the key of interest sets and of anti-entropy's ranges.
std::uint64_t channel_hash(std::string_view channel);

/// The running hash of an origin's strokes in a channel after `stroke`, given the one before it (0 before the first).
/// Covers origin, seq, ts, client, op and data. Equal heads with different running hashes are a fork.
std::uint64_t chain_hash(std::uint64_t previous, const Stroke& stroke);

/// Hash of a publish's data, to tell a retry from a reused op.
std::uint64_t data_hash(std::string_view data);

}  // namespace inkmesh
