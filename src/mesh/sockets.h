// What all sockets of the mesh have in common. ZeroMQ's defaults wait for ever and buffer without end; every value
// here is set on purpose.
#pragma once

#include <cstddef>
#include <zmq.hpp>

#include "inkmesh/mesh_message.h"

namespace inkmesh::mesh {

/// A peer that says nothing for this long is cut: within a failure detector's 3 s, past a scheduler's hiccup.
constexpr int kHeartbeatIntervalMs = 500;
constexpr int kHeartbeatTimeoutMs = 1500;
/// Sent bytes that stay unconfirmed for this long break the TCP connection.
constexpr int kTcpMaxRetransmitMs = 3000;
/// Well over a mesh's round trip, well under what people wait for once a partition has healed.
constexpr int kConnectTimeoutMs = 700;
constexpr int kHandshakeTimeoutMs = 2000;
constexpr int kReconnectMs = 50;
constexpr int kReconnectMaxMs = 300;
/// How long the end of the process may wait for what is queued.
constexpr int kLingerMs = 250;
constexpr int kMaxMessageBytes = static_cast<int>(kLinkFrameBytesMax) + 4096;

/// Before bind and connect. CurveZMQ's keys belong here too, once cluster.yaml has them.
inline void set_common_options(zmq::socket_t& socket, int queued_messages_max) {
  socket.set(zmq::sockopt::heartbeat_ivl, kHeartbeatIntervalMs);
  socket.set(zmq::sockopt::heartbeat_timeout, kHeartbeatTimeoutMs);
  socket.set(zmq::sockopt::heartbeat_ttl, kHeartbeatTimeoutMs);
  socket.set(zmq::sockopt::tcp_maxrt, kTcpMaxRetransmitMs);
  socket.set(zmq::sockopt::connect_timeout, kConnectTimeoutMs);
  socket.set(zmq::sockopt::handshake_ivl, kHandshakeTimeoutMs);
  socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
  socket.set(zmq::sockopt::reconnect_ivl_max, kReconnectMaxMs);
  socket.set(zmq::sockopt::maxmsgsize, std::int64_t{kMaxMessageBytes});
  socket.set(zmq::sockopt::linger, kLingerMs);
  socket.set(zmq::sockopt::sndhwm, queued_messages_max);
  socket.set(zmq::sockopt::rcvhwm, queued_messages_max);
}

}  // namespace inkmesh::mesh
