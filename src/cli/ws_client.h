// A WebSocket client connection for the terminal commands. This header hides websocketpp and Asio; ws_client.cpp alone
// includes them (as C++17).
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "inkmesh/config.h"

namespace inkmesh::cli {

/// One connection with the subprotocol inkmesh.v1. Not thread-safe: everything happens on the caller's thread, within
/// these calls, so nothing is read from the socket (and nothing gathers) while the caller does something else.
class WsClient {
 public:
  /// Connects to `/ws` and shakes hands. Throws std::runtime_error that names the address and says what went wrong.
  WsClient(const Address& address, std::chrono::milliseconds timeout);
  /// Closes without a farewell.
  ~WsClient();
  WsClient(const WsClient&) = delete;
  WsClient& operator=(const WsClient&) = delete;

  /// False once the connection has ended; closed_because() says why, in words.
  bool is_open() const;
  std::string closed_because() const;

  /// Queues one text message. Without effect when the connection has ended.
  void send(const std::string& text);

  /// What is queued and not yet sent. It leaves within receive().
  std::size_t unsent_bytes() const;

  /// The next message; nothing when none came in time or the connection has ended.
  std::optional<std::string> receive(std::chrono::milliseconds timeout);

  /// Sends what is queued and says farewell, `timeout` at most.
  void close(std::chrono::milliseconds timeout);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace inkmesh::cli
