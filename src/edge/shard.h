// One thread's share of the edge: its event loop, its acceptors, its connections. Hides websocketpp and Asio.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "edge/address.h"
#include "edge/client_protocol.h"
#include "edge/ws_edge.h"

namespace inkmesh::edge {

/// What all shards of an edge share.
struct EdgeShared {
  EdgeShared(const EdgeSettings& s, EdgeSink k, HttpFiles f)
      : settings(s),
        sink(std::move(k)),
        files(std::move(f)),
        proxies(s.trusted_proxies),
        addresses(s.limits.connections_per_address) {}

  const EdgeSettings settings;
  const EdgeSink sink;
  const HttpFiles files;
  const TrustedProxies proxies;
  AddressCounts addresses;
  std::atomic<std::uint32_t> sockets{0};  ///< every descriptor, lingering ones too
  std::atomic<std::uint32_t> served{0};   ///< WebSockets, from their handshake on, and HTTP requests
};

/// One shard's share of EdgeStats; written by its thread, read by any.
struct ShardStats {
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> handshakes{0};
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> closed_for_abuse{0};
  std::atomic<std::uint64_t> messages_in{0};
  std::atomic<std::uint64_t> frames_out{0};
  std::atomic<std::uint64_t> bytes_out{0};
  std::atomic<std::uint64_t> outbox_bytes{0};
  std::atomic<std::uint64_t> outbox_bytes_max{0};
};

struct AnswerHttp {
  ConnId conn = 0;
  HttpResponse response;
};
struct CloseConn {
  ConnId conn = 0;
  std::uint16_t code = 0;
  std::string reason;
};
/// What other threads ask of a shard.
using ShardCommand = std::variant<Outgoing, AnswerHttp, CloseConn>;

class Shard {
 public:
  /// Takes over the listening descriptors. The thread, if the edge has any, starts with start().
  static std::unique_ptr<Shard> make(unsigned index, EdgeShared& shared, const std::vector<int>& listeners);
  virtual ~Shard() = default;

  virtual void start() = 0;
  /// See Edge.
  virtual void watch(int descriptor) = 0;
  virtual std::uint64_t turn(std::int64_t wait_ms) = 0;
  /// Any thread; in order. One wake-up for all. Without a thread of its own they are carried out at once.
  virtual void post(std::vector<ShardCommand>&& commands) = 0;
  /// Begins the end: see Edge::stop(). Returns at once.
  virtual void drain(std::uint32_t grace_ms, std::uint32_t retry_ms) = 0;
  /// After drain(): waits for the end.
  virtual void join() = 0;
  virtual const ShardStats& stats() const = 0;
};

}  // namespace inkmesh::edge
