// Gossip on ZeroMQ: a PUB, and a SUB to every peer's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <zmq.hpp>

#include "inkmesh/config.h"
#include "mesh/poller.h"

namespace inkmesh::mesh {

class Gossip {
 public:
  /// Binds `self`'s gossip address and connects to every other node's advertised one. Throws std::runtime_error with
  /// the address and the reason when it cannot bind, zmq::error_t when ZeroMQ has no sockets left.
  Gossip(Poller& poller, const ClusterConfig& config, const NodeSettings& self);

  /// False when ZeroMQ did not take it. A PUB never blocks: it drops for whoever is slow, and gossip repairs itself.
  bool send(std::string_view message);

  /// Something is left of what came.
  bool waits() const {
    return ready_ != 0;
  }
  /// `on_message(parts, last part)` for each that waits, a bounded number of them.
  template <typename OnMessage>
  void receive(OnMessage&& on_message) {
    if (ready_ == 0) return;
    zmq::message_t last;
    for (std::size_t n = 0; n < kMessagesMax; ++n) {
      const std::size_t parts = next(last);
      if (parts == 0) {
        ready_ = 0;
        return;
      }
      on_message(parts, std::string_view(static_cast<const char*>(last.data()), last.size()));
    }
  }

 private:
  /// Of one turn, so that gossip starves nothing.
  static constexpr std::size_t kMessagesMax = 256;

  /// The next message, its parts counted; 0: nothing waits.
  std::size_t next(zmq::message_t& last);

  zmq::context_t context_;
  zmq::socket_t out_;
  zmq::socket_t in_;
  /// Marked by the poller; then read until nothing is left: ZeroMQ tells of what comes later only then.
  std::uint32_t ready_ = 0;
};

}  // namespace inkmesh::mesh
