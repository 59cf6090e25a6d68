// The mesh's times and bounds. Every one is set on purpose: ZeroMQ's defaults wait for ever and buffer without end.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inkmesh/mesh_message.h"

namespace inkmesh::mesh {

constexpr int kHeartbeatIntervalMs = 500;
/// Gossip of a peer that says nothing for this long is connected anew.
constexpr int kGossipTimeoutMs = 1500;
/// A link whose other end says nothing for this long, and up to an interval more, is cut. The loop itself gives the
/// signs of life: not less than what the core grants a peer whose link stands, or a loop that is late would be taken
/// for dead.
constexpr int kLinkTimeoutMs = 2000;
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
