// The links to the peers: gathers a turn's messages into frames, numbers them, and sees what was lost on the way here.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cluster_map.h"
#include "core/turn.h"
#include "inkmesh/mesh_message.h"

namespace inkmesh::core {

class Links {
 public:
  Links(Turn& turn, const ClusterMap& cluster, Epoch epoch, std::uint64_t seed);

  /// Goes out with the turn. `bytes`: about what it takes, for the frames' bound.
  void send(NodeIx peer, LinkMessage message, std::size_t bytes = 64);

  /// What was sent may be lost: the next frame begins a new session.
  void restart(NodeIx peer);
  enum class Arrival {
    in_order,
    after_loss,  ///< something that the peer sent before this has not arrived
  };
  Arrival arrived(NodeIx peer, const Frame& frame);

  /// Emits the turn's frames.
  void flush();

  std::uint64_t frames_sent(NodeIx peer) const {
    return peers_[peer].frames_sent;
  }
  std::uint64_t frames_received(NodeIx peer) const {
    return peers_[peer].frames_received;
  }
  std::uint64_t frames_lost(NodeIx peer) const {
    return peers_[peer].frames_lost;
  }

 private:
  static constexpr std::size_t kFrameBytes = std::size_t{1} << 20;

  struct Peer {
    Frame next;
    std::size_t next_bytes = 0;
    bool listed = false;  ///< on `spoken_to_`
    std::uint64_t session = 0;
    std::uint64_t number = 0;
    Epoch peer_epoch;
    std::uint64_t peer_session = 0;
    std::uint64_t peer_number = 0;
    std::uint64_t frames_sent = 0;
    std::uint64_t frames_received = 0;
    std::uint64_t frames_lost = 0;
  };

  void flush(NodeIx peer);

  Turn& turn_;
  const ClusterMap& cluster_;
  const Epoch epoch_;
  Random random_;
  std::vector<Peer> peers_;
  std::vector<NodeIx> spoken_to_;  ///< in this turn
};

}  // namespace inkmesh::core
