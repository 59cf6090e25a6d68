// The mesh's times and bounds. Every one is set on purpose: ZeroMQ's defaults wait for ever and buffer without end.
#pragma once

#include <cstddef>
#include <cstdint>

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
constexpr std::size_t kMaxMessageBytes = kLinkFrameBytesMax + 4096;

}  // namespace inkmesh::mesh
