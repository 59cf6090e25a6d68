// The way out to one peer: a DEALER, the monitor that tells its handshakes, and a budget of bytes.
//
//   down --handshake--> up --queue full--> choked --drained--> up
//     ^------------------ disconnect ---------|
//
// The core hears PeerConnected on the way into `up` and PeerDisconnected on the way out of it. While it is not up,
// frames are dropped: the core knows.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "inkmesh/config.h"
#include "inkmesh/event.h"

namespace inkmesh::mesh {

class PeerLink {
 public:
  /// Starts connecting; the socket stays with the caller's thread.
  PeerLink(zmq::context_t& context, const NodeSettings& peer);
  ~PeerLink();
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  const NodeId& id() const {
    return id_;
  }

  /// True when the frame was queued. Never blocks.
  bool send(std::string&& bytes);

  /// Takes what the monitor has to say and what became of the queue; appends PeerConnected and PeerDisconnected.
  void take_events(std::vector<Event>& events);

  /// True when the next take_events() has something to tell without any socket being readable.
  bool has_news() const {
    return choked_ && told_up_;
  }
  /// True while it waits for its queue to drain, which no socket tells.
  bool draining() const {
    return handshaken_ && !told_up_;
  }

  /// A peer's ROUTER has no business to answer: what comes back is thrown away, at most `messages_max`; says how many.
  std::size_t discard_received(std::size_t messages_max);

  /// The connection's smoothed round trip as the kernel measures it; 0: unknown.
  std::uint64_t rtt_us() const;

  zmq::socket_ref dealer() {
    return dealer_;
  }
  zmq::socket_ref monitor() {
    return monitor_;
  }

  std::uint64_t bytes_sent() const {
    return bytes_sent_;
  }
  std::uint64_t send_failed() const {
    return send_failed_;
  }

 private:
  /// What the I/O thread has not written yet; shared with the messages, which may outlive the link.
  struct Queued {
    std::atomic<std::size_t> bytes{0};
    std::atomic<std::size_t> frames{0};
  };
  struct OwnedFrame;

  bool queue(std::string&& bytes);
  bool drained() const;
  void tell_down(std::vector<Event>& events);

  const NodeId id_;
  zmq::socket_t dealer_;
  zmq::socket_t monitor_;
  std::shared_ptr<Queued> queued_ = std::make_shared<Queued>();
  int descriptor_ = -1;
  bool handshaken_ = false;
  bool choked_ = false;
  bool told_up_ = false;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t send_failed_ = 0;
};

}  // namespace inkmesh::mesh
