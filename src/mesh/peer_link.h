// The way out to one peer: a DEALER that connects until it is heard, and a budget of bytes.
//
//   down --handshake--> up --queue full--> choked --drained--> up
//     ^------------------ disconnect ---------|
//
// The core hears PeerConnected on the way into `up` and PeerDisconnected on the way out of it. While it is not up,
// frames are dropped: the core knows.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "inkmesh/config.h"
#include "inkmesh/event.h"
#include "mesh/addresses.h"
#include "mesh/connection.h"
#include "mesh/poller.h"
#include "mesh/resolver.h"

namespace inkmesh::mesh {

class PeerLink {
 public:
  /// All that it is given must outlive it.
  PeerLink(Poller& poller, Resolver& resolver, const NodeSettings& peer);
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  /// Never blocks. A frame that finds the link not up, or its queue full, is dropped.
  void send(std::string_view frame);

  /// Reads, writes and connects as far as it can; appends PeerConnected and PeerDisconnected.
  void turn(MonotonicMs now, std::string& scratch, std::vector<Event>& events);
  /// When the next turn() is due, whatever the poller says.
  MonotonicMs due_ms() const;
  /// Every kHeartbeatIntervalMs.
  void beat();
  /// Writes what is queued, for at most so long. For the end of the process.
  void linger(int timeout_ms);

  std::uint64_t rtt_us() const {
    return connection_ ? connection_->rtt_us() : 0;
  }
  std::uint64_t bytes_sent() const {
    return bytes_sent_;
  }
  std::uint64_t send_failed() const {
    return send_failed_;
  }
  /// Messages that came back; a ROUTER has no business to send any.
  std::uint64_t answered() const {
    return answered_;
  }

 private:
  void connect(MonotonicMs now);
  void connect_to(const SocketAddress& address, MonotonicMs now);
  void disconnect(MonotonicMs now);
  void tell_down(std::vector<Event>& events);

  Poller& poller_;
  Resolver& resolver_;
  const NodeId id_;
  const Address address_;
  std::vector<SocketAddress> left_to_try_;  ///< of a name
  std::optional<Connection> connection_;
  MonotonicMs act_at_ = 0;  ///< while there is no connection
  MonotonicMs connecting_since_ = 0;
  int pause_ms_;
  /// Those who lost a peer together do not come back together.
  std::minstd_rand random_{std::random_device{}()};
  bool choked_ = false;
  bool told_up_ = false;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t send_failed_ = 0;
  std::uint64_t answered_ = 0;
};

}  // namespace inkmesh::mesh
