// The edge: WebSocket and HTTP on one port. This header hides websocketpp and Asio; one .cpp includes them (as C++17).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "inkmesh/config.h"
#include "inkmesh/event.h"
#include "inkmesh/types.h"

namespace inkmesh::edge {

struct EdgeSettings {
  NodeId node;
  Address listen;
  /// Threads, 1 to 64; each has its own io_context, acceptor and connections. 0: none, the owner calls Edge::turn().
  unsigned shards = 1;
  LimitSettings limits;
  std::vector<std::string> trusted_proxies;
};

/// A request that is not the edge's own to answer (the API, /status, /metrics, /readyz; files and /healthz it may
/// answer through `HttpFiles`).
struct HttpRequest {
  ConnId conn = 0;
  std::string method;
  std::string target;  ///< path and query as they came
  std::string bearer;  ///< token of the Authorization header, or empty
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// What the edge tells the node, on the edge's threads, or within its owner's calls. Must not block or throw.
struct EdgeSink {
  /// ConnOpened, ConnClosed: always taken. ConnOpened comes when the connection's name is settled: with its
  /// hello, or with its first request for the node (a connection that has said nothing yet may still say hello; pings
  /// and messages in error settle nothing). ConnClosed comes exactly once for each ConnOpened, as the last event.
  std::function<void(Event&&)> control;
  /// Of any connections between their ConnOpened and ConnClosed: always taken. It comes in lumps: at once for an eighth
  /// of `limits.outbox_bytes`, else within 100 ms of the frames' leaving.
  std::function<void(std::vector<Written>&&)> written;
  /// Subscribe, Unsubscribe, Publish, SignalSent, PresenceAsk. False: the node is too busy; the edge answers
  /// `unavailable` with a retry_ms (a signal is dropped).
  std::function<bool(Event&&)> request;
  /// Answered later by Edge::answer(); a false is answered with 503.
  std::function<bool(HttpRequest&&)> http;
};

/// Files served from memory: `path` ("/index.html") -> response. Owned by the caller, outlives the edge.
using HttpFiles = std::function<const HttpResponse*(const std::string& path)>;

/// One frame for some connections.
struct Outgoing {
  std::shared_ptr<const std::vector<ConnId>> to;  ///< ascending, of any shards
  SharedBytes text;                               ///< one whole message
  std::size_t cost = 0;                           ///< reported back by Written, for each connection; 0: not reported
  bool mistake = false;                           ///< it refuses what the client should not have sent
};

struct EdgeStats {
  std::uint64_t connections = 0;
  std::uint64_t handshakes = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  ///< over a limit, before the handshake
  std::uint64_t closed_for_abuse = 0;
  std::uint64_t messages_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t outbox_bytes = 0;      ///< unsent now, all connections
  std::uint64_t outbox_bytes_max = 0;  ///< the largest that one connection ever had unsent
};

/// What the edge does by itself, beside PROTOCOL's errors and closes:
///   - a connection is pinged after `limits.idle_ms` without a sign of life and cut off after twice that. A sign of
///   life
///     is a byte that came, or a stalled write that moved: whoever reads slowly stays, whoever reads nothing at all and
///     answers no ping goes, though its kernel still acknowledges;
///   - a connection is not read from while more than half of `limits.outbox_bytes` of frames without cost (answers to
///     its own requests, presence) waits for it. Past 2 * `outbox_bytes` + 1 MiB unsent it is cut off: a bound that
///     only frames without cost, or a sender that ignores Written, can reach;
///   - floods close with 4429: pings (20 a second, 100 at once), other control frames and fragments (1,000 a second),
///     a message in more than 64 + size limit / 64 fragments or longer than 30 s on its way, messages in error, or
///     refused by the node as the client's mistake (10 a second, 100 at once). Too many whole messages are not an
///     error: they are read more slowly;
///   - HTTP answers that wait to be read take 64 MiB at most, of all connections; what comes past it is a 503. An
///   answer
///     of which nothing leaves for 10 s is cut off;
///   - a handshake has 3 s; the oldest one makes room when there are more than `limits.handshakes`.
class Edge {
 public:
  /// Binds and listens; throws std::runtime_error with the address and the reason when it cannot. `listen.port` 0 takes
  /// a free port.
  Edge(const EdgeSettings& settings, EdgeSink sink, HttpFiles files);
  /// stop() with no grace; without threads it ends at once, and nobody may be in turn().
  ~Edge();
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;

  bool has_threads() const;
  /// Without threads: turn() returns when that descriptor is readable, too. Takes it over. Once, before the first turn.
  void watch(int descriptor);
  /// Without threads: waits up to `wait_ms` for something to do, and does what there is, for some milliseconds at most.
  /// Says how long it worked, in us, but for the first thing that it did.
  std::uint64_t turn(std::int64_t wait_ms);

  // Any thread; without threads that of turn(), outside of it. Frames of one caller reach a connection in the order in
  // which they were given. What is for a connection that is gone is dropped.

  void send(std::vector<Outgoing>&& frames);
  void answer(ConnId conn, HttpResponse&& response);
  void close(ConnId conn, std::uint16_t code, std::string reason);

  /// Accepts no more, sends `goaway` to everyone, closes with 1012, waits up to `grace_ms` for what is unsent, then
  /// stops every thread. Not from a sink's call; without threads from another thread, while turn() goes on being
  /// called.
  void stop(std::uint32_t grace_ms, std::uint32_t retry_ms);

  EdgeStats stats() const;

  /// The port that it listens on.
  std::uint16_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace inkmesh::edge
