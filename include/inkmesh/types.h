// The words of inkmesh as types. Standard library only, and C++17-clean: the WebSocket edge, which is built as C++17,
// includes these headers too.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace inkmesh {

/// A node's id in cluster.yaml: 1 to 32 of `A-Z a-z 0-9 _ -`.
using NodeId = std::string;

/// One life of a node's process: 40 random bits as 8 characters of lower-case base32.
using Epoch = std::string;
constexpr std::size_t kEpochBytes = 8;

/// The node and epoch that accepted a stroke, as it stands on the wire: `ws1~5k2m9x1q`. Compared as a whole string.
using Origin = std::string;

/// A named stream of strokes. See valid_channel().
using Channel = std::string;

/// Names one op counter (a tab, a device's life). See valid_client().
using ClientName = std::string;

/// A stroke's number within its channel and origin, gapless from 1. 0 means "none".
using Seq = std::uint64_t;

/// An author's own number for a publish, 1 to kNumberMax.
using Op = std::uint64_t;

/// Microseconds since 1970, 0 to kNumberMax.
using TimeUs = std::uint64_t;

/// Milliseconds of the monotonic clock; only differences mean anything.
using MonotonicMs = std::uint64_t;

/// A WebSocket connection or an HTTP request of this node. Never used twice within a process.
/// Bits 56..63: the edge shard; bit 55: set for an HTTP request; the rest: a counter.
using ConnId = std::uint64_t;

constexpr unsigned kConnShardShift = 56;
constexpr ConnId kConnHttpBit = ConnId{1} << 55;

constexpr bool is_http(ConnId conn) {
  return (conn & kConnHttpBit) != 0;
}
constexpr unsigned shard_of(ConnId conn) {
  return static_cast<unsigned>(conn >> kConnShardShift);
}

/// A client's own number for a request, 0 to kNumberMax, echoed by the answer.
using RequestId = std::uint64_t;

/// Names one request of the core to the store. Never used twice within a process.
using Ticket = std::uint64_t;

/// Immutable bytes shared between threads.
using SharedBytes = std::shared_ptr<const std::string>;

/// The largest whole number that every JSON reader keeps exactly (2^53 - 1). No codec accepts more.
constexpr std::uint64_t kNumberMax = (std::uint64_t{1} << 53) - 1;

constexpr std::size_t kChannelBytesMax = 128;
constexpr std::size_t kClientBytesMax = 64;
constexpr std::size_t kNodeIdBytesMax = 32;
constexpr std::size_t kOriginBytesMax = kNodeIdBytesMax + 1 + 8;
constexpr std::size_t kForeignOriginBytesMax = 64;
constexpr std::size_t kDataBytesMax = std::size_t{64} * 1024;
constexpr int kDataDepthMax = 64;
constexpr std::size_t kBatchBytesMax = std::size_t{256} * 1024;
constexpr std::size_t kFrameBytesMax = std::size_t{96} * 1024;

/// What a moment is to the core: both clocks, read once for a whole turn.
struct Now {
  MonotonicMs monotonic_ms = 0;
  TimeUs wall_us = 0;
};

/// True for 1 to 128 bytes of `A-Z a-z 0-9 _ . : -`.
bool valid_channel(std::string_view name);
/// True for 1 to 64 bytes of `A-Z a-z 0-9 _ . : -`.
bool valid_client(std::string_view name);
/// True for 1 to 32 bytes of `A-Z a-z 0-9 _ -`.
bool valid_node_id(std::string_view id);
/// True for a node id, `~`, and 8 characters of `0-9 a-z`.
bool valid_origin(std::string_view origin);
/// True for 1 to 64 printable ASCII characters but `"` and `\`: what a client's cursor may name. An origin of another
/// form is one that this node has not heard of.
bool plausible_origin(std::string_view origin);

/// 40 bits as 8 characters of the alphabet `0-9 a-h j k m n p q r s t v w x y z` (Crockford's base32, lower case).
Epoch epoch_from_bits(std::uint64_t bits);

/// `node~epoch`.
Origin make_origin(const NodeId& node, const Epoch& epoch);
/// The part of an origin before `~`.
std::string_view node_of(std::string_view origin);

}  // namespace inkmesh
