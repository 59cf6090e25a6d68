// The edge: WebSocket and HTTP on one port. This header hides websocketpp and Asio; one .cpp includes them (as C++17).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "inkmesh/config.h"
#include "inkmesh/event.h"
#include "inkmesh/types.h"

namespace inkmesh::edge {

struct EdgeSettings {
  NodeId node;
  Address listen;
  unsigned shards = 1;  ///< threads, 1 to 64; each has its own io_context, acceptor and connections
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

/// What the edge tells the node, on the edge's threads. Must not block or throw.
struct EdgeSink {
  /// ConnOpened, ConnClosed, Written: always taken. ConnOpened comes when the connection's name is settled (its hello,
  /// or its first other message, or one second of silence), ConnClosed exactly once for each ConnOpened.
  std::function<void(Event&&)> control;
  /// Subscribe, Unsubscribe, Publish, SignalSent, PresenceAsk. False: the node is too busy; the edge answers
  /// `unavailable` with a retry_ms (a signal is dropped).
  std::function<bool(Event&&)> request;
  /// Answered later by Edge::answer(); a false is answered with 503.
  std::function<bool(HttpRequest&&)> http;
};

/// Files served from memory: `path` ("/index.html") -> response. Owned by the caller, outlives the edge.
using HttpFiles = std::function<const HttpResponse*(const std::string& path)>;

/// One frame for some connections of one shard.
struct Outgoing {
  std::shared_ptr<const std::vector<ConnId>> to;  ///< ascending; those of other shards are skipped
  SharedBytes text;                               ///< one whole message
  std::size_t cost = 0;                           ///< reported back by Written, for each connection; 0: not reported
};

struct EdgeStats {
  std::uint64_t connections = 0;
  std::uint64_t handshakes = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;          ///< over a limit, before the handshake
  std::uint64_t closed_for_abuse = 0;
  std::uint64_t messages_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t outbox_bytes = 0;     ///< unsent now, all connections
  std::uint64_t outbox_bytes_max = 0; ///< the largest that one connection ever had unsent
};

class Edge {
 public:
  /// Binds and listens; throws std::runtime_error with the address and the reason when it cannot.
  Edge(const EdgeSettings& settings, EdgeSink sink, HttpFiles files);
  /// stop() with no grace.
  ~Edge();
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;

  // Any thread; frames of one caller reach a connection in the order in which they were given. What is for a
  // connection that is gone is dropped.

  void send(std::vector<Outgoing>&& frames);
  void answer(ConnId conn, HttpResponse&& response);
  void close(ConnId conn, std::uint16_t code, std::string reason);

  /// Accepts no more, sends `goaway` to everyone, closes with 1012, waits up to `grace_ms` for what is unsent, then
  /// stops every thread.
  void stop(std::uint32_t grace_ms, std::uint32_t retry_ms);

  EdgeStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace inkmesh::edge
