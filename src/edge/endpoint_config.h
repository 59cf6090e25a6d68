// How websocketpp is set up at the edge: one thread, no locks, a small read buffer, no extensions, no logging, our own
// transport and messages. `edge_echo` shows this very set-up to foreign conformance suites.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/core.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

#include "edge/address.h"
#include "edge/client_protocol.h"
#include "edge/frame_walk.h"
#include "edge/http_route.h"
#include "edge/message.h"
#include "edge/outbox.h"
#include "edge/transport.h"
#include "inkmesh/types.h"

namespace inkmesh::edge {

/// Where a connection is in its life.
enum class Phase : std::uint8_t {
  handshake,  ///< the request is not whole yet
  asked,      ///< an HTTP request that waits for the node's answer
  answering,  ///< an HTTP answer is on its way
  open,       ///< a WebSocket
  over,       ///< websocketpp is done with it; the descriptor may linger
};

/// What the edge keeps for each connection, inside websocketpp's own connection object.
struct ConnectionBase {
  // What every frame out needs, beside what Transport needs for it.
  Outbox<SharedBytes> outbox;
  MonotonicMs closing_since_ms = 0;  ///< 0: not closing
  std::uint16_t close_code = 0;      ///< to be sent when the outbox is empty; 0: none
  Phase phase = Phase::handshake;
  bool dirty = false;      ///< stands in its shard's list of those to write to
  bool reporting = false;  ///< stands in its shard's list of those with cost to report
  bool slowed = false;     ///< not read from until its message rate allows
  bool crowded = false;    ///< not read from until its answers have left
  bool head_only = false;  ///< the HTTP request was HEAD
  bool counted = false;    ///< `address` counts it
  bool served = false;     ///< holds one of the places that limits.connections gives
  bool pong_owed = false;  ///< a ping came while a write was stalled: only the last one is answered

  ClientState client;
  FrameWalk walk;
  TokenBucket pings;
  std::size_t http_bytes = 0;    ///< of the answer that is on its way
  std::uint64_t wheel_tick = 0;  ///< the only wheel entry that counts
  MonotonicMs phase_since_ms = 0;
  MonotonicMs pinged_ms = 0;  ///< when the last ping of ours went out
  std::string owed_pong;
  std::string close_reason;
  IpAddress address{};  ///< the peer's, or who is behind it
};

/// A request of HTTP/1.0 need not name a host, and websocketpp takes none without: it is given one.
class EdgeRequest : public websocketpp::http::parser::request {
 public:
  std::size_t consume(const char* bytes, std::size_t size) {
    const char* const line_end = std::find(bytes, bytes + size, '\n');
    if (!get_method().empty() || line_end == bytes + size) return request::consume(bytes, size);
    const auto line = static_cast<std::size_t>(line_end + 1 - bytes);
    request::consume(bytes, line);
    if (get_version() == "HTTP/1.0") request::consume(kHost.data(), kHost.size());
    return line == size ? size : line + request::consume(bytes + line, size - line);
  }

 private:
  static constexpr std::string_view kHost = "Host: localhost\r\n";
};

}  // namespace inkmesh::edge

namespace websocketpp::processor {

/// Drafts older than the RFC have no place here, and websocketpp cannot leave them out by itself.
template <>
inline int get_websocket_version<inkmesh::edge::EdgeRequest>(inkmesh::edge::EdgeRequest& request) {
  return request.get_header("Sec-WebSocket-Version") == "13" ? 13 : -1;
}

/// The node answers alike whatever name it was called by.
template <>
inline uri_ptr get_uri_from_host<inkmesh::edge::EdgeRequest>(inkmesh::edge::EdgeRequest& request, std::string scheme) {
  return lib::make_shared<uri>(scheme, "localhost", request.get_uri());
}

}  // namespace websocketpp::processor

namespace inkmesh::edge {

/// A response in one buffer, which says that the connection ends with it.
class EdgeResponse : public websocketpp::http::parser::response {
 public:
  using ptr = std::shared_ptr<EdgeResponse>;

  std::string raw() const {
    const int status = get_status_code();
    // What websocketpp refuses by itself comes without a body.
    const bool bare = status >= 400 && get_body().empty() && get_header("Content-Length").empty();
    const char* why = status == 400 ? "no HTTP/1.1 request with a Host, or no WebSocket handshake" : reason_of(status);
    const std::string body = bare ? error_json(status, why) : get_body();
    std::string out = get_version() + ' ' + std::to_string(status) + ' ';
    out += status == 101 ? "Switching Protocols" : reason_of(status);
    out += "\r\n";
    for (const auto& [name, value] : get_headers())
      out.append(name).append(": ").append(value).append("\r\n");
    if (status != 101) {
      out += "Connection: close\r\n";
      if (status == 400 || status == 426) out += "Sec-WebSocket-Version: 13\r\n";
      const bool bodyless = status == 204 || status == 304;
      if (bare) out += "Content-Type: application/json\r\n";
      if (!bodyless && get_header("Content-Length").empty()) {
        out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
      }
    }
    out += "\r\n";
    out += body;
    return out;
  }
};

struct EdgeConfig : websocketpp::config::core {
  using type = EdgeConfig;
  using concurrency_type = websocketpp::concurrency::none;
  using request_type = EdgeRequest;
  using response_type = EdgeResponse;
  using message_type = Message;
  using con_msg_manager_type = MessageSource;
  using endpoint_msg_manager_type = EndpointMessageSource;
  using elog_type = websocketpp::log::stub;
  using alog_type = websocketpp::log::stub;
  using transport_type = TransportEndpoint;
  using connection_base = ConnectionBase;

  static const bool enable_multithreading = false;
  static const long timeout_open_handshake = 3'000;
  static const long timeout_close_handshake = 2'000;
  static const websocketpp::log::level elog_level = websocketpp::log::elevel::none;
  static const websocketpp::log::level alog_level = websocketpp::log::alevel::none;
  static const size_t connection_read_buffer_size = 1'024;
  static const size_t max_message_size = kFrameBytesMax;
  static const size_t max_http_body_size = kFrameBytesMax;
  static const bool enable_extensions = false;
};

using WsServer = websocketpp::server<EdgeConfig>;
using Connection = websocketpp::connection<EdgeConfig>;

/// Frees what only the handshake needed.
inline void forget_request(Connection& connection) {
  const_cast<EdgeRequest&>(connection.get_request()) = EdgeRequest();
  const_cast<EdgeResponse&>(connection.get_response()) = EdgeResponse();
}

/// How many fragments a message of that many bytes may come in.
constexpr std::uint32_t fragments_max(std::size_t message_bytes) {
  return static_cast<std::uint32_t>(64 + message_bytes / 64);
}

}  // namespace inkmesh::edge
