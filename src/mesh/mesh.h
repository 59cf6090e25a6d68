// The mesh: gossip on ZeroMQ's PUB and SUB, and links to the peers: a DEALER to each, a ROUTER for theirs.
// All on the caller's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "inkmesh/config.h"
#include "inkmesh/effect.h"
#include "inkmesh/event.h"

namespace inkmesh::mesh {

struct MeshStats {
  struct Peer {
    NodeId id;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t send_failed = 0;  ///< frames that found the queue full
    std::uint64_t rtt_us = 0;       ///< smoothed round trip of our link to it, as TCP measures it; 0: unknown
  };
  std::vector<Peer> peers;
  std::uint64_t gossip_bytes_sent = 0;
  std::uint64_t gossip_bytes_received = 0;
  std::uint64_t other_version = 0;  ///< messages of peers in another version of the mesh's language
  std::uint8_t last_other_version = 0;
  std::uint64_t malformed = 0;  ///< messages that did not decode, or came from nobody in the list
};

class Mesh {
 public:
  /// Binds self's gossip and mesh addresses and connects to every other node's advertised ones; throws
  /// std::runtime_error with the address and the reason when it cannot bind.
  Mesh(const ClusterConfig& config, const NodeId& self);
  /// Writes what is queued, for a bounded time.
  ~Mesh();
  Mesh(const Mesh&) = delete;
  Mesh& operator=(const Mesh&) = delete;

  /// Waits until something comes, a watched descriptor is readable or `timeout_ms` have passed (less than 0: for ever),
  /// then hands over what came, a bounded part of each socket's: GossipReceived, FrameReceived, PeerConnected,
  /// PeerDisconnected, OtherVersion. May return earlier, and with nothing.
  void poll(std::int64_t timeout_ms, std::vector<Event>& events);
  /// poll() and descriptor() wake for that one, too. The caller's, who keeps it for as long as the mesh lives.
  void watch(int descriptor);

  /// For who waits by himself and then polls with a timeout of 0: becomes readable when something comes. The mesh's.
  int descriptor() const;
  /// How much of `timeout_ms` to wait for; 0: something is to be done at once.
  std::int64_t wait_ms(std::int64_t timeout_ms) const;

  /// Never blocks. A frame that finds the peer's queue full (messages or bytes) is dropped, and PeerDisconnected comes
  /// with the next poll().
  void send(const SendFrame& effect);
  void send(const SendGossip& effect);

  MeshStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace inkmesh::mesh
