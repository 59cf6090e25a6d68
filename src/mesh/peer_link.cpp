#include "mesh/peer_link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>
#include <utility>

#include "mesh/addresses.h"
#include "mesh/sockets.h"

namespace inkmesh::mesh {
namespace {

constexpr int kQueuedFramesMax = 4096;
/// ZeroMQ's own mark counts messages, and a frame may have 4 MiB.
constexpr std::size_t kQueuedBytesMax = std::size_t{32} << 20;
constexpr std::size_t kDrainedFrames = kQueuedFramesMax / 8;
constexpr int kMonitored = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED;
constexpr std::size_t kDrainedBytes = kQueuedBytesMax / 8;

}  // namespace

/// A frame's bytes while ZeroMQ holds them; freed by its I/O thread once they are written, or lost.
struct PeerLink::OwnedFrame {
  std::string bytes;
  std::shared_ptr<Queued> queued;

  OwnedFrame(std::string&& taken, std::shared_ptr<Queued> counted)
      : bytes(std::move(taken)), queued(std::move(counted)) {
    queued->bytes.fetch_add(bytes.size(), std::memory_order_relaxed);
    queued->frames.fetch_add(1, std::memory_order_release);
  }
  ~OwnedFrame() {
    queued->frames.fetch_sub(1, std::memory_order_acq_rel);
    queued->bytes.fetch_sub(bytes.size(), std::memory_order_relaxed);
  }
  OwnedFrame(const OwnedFrame&) = delete;
  OwnedFrame& operator=(const OwnedFrame&) = delete;

  /// On the I/O thread. ZeroMQ orders the hand-over inside itself, where ThreadSanitizer does not look; the pair on
  /// `frames` shows it.
  static void release(void*, void* hint) {
    delete static_cast<OwnedFrame*>(hint);
  }
};

PeerLink::PeerLink(zmq::context_t& context, const NodeSettings& peer)
    : id_(peer.id), dealer_(context, zmq::socket_type::dealer), monitor_(context, zmq::socket_type::pair) {
  set_common_options(dealer_, kQueuedFramesMax);
  // Only to a finished connection: what would wait for one is stale, the core starts over from the peer's heads.
  dealer_.set(zmq::sockopt::immediate, true);
  dealer_.set(zmq::sockopt::rcvhwm, 1);
  dealer_.set(zmq::sockopt::ipv6, connects_by_ipv6(peer.mesh.advertise));
  // No routing id of its own: the peer's ROUTER names each connection anew. With a fixed one, a link that reconnects
  // before its dead predecessor was noticed would be refused, and any other process could sit on the name. Who speaks
  // is said by the frame, and will be by its key.

  const std::string events = "inproc://monitor-" + id_;
  if (zmq_socket_monitor(dealer_.handle(), events.c_str(), kMonitored) != 0) {
    throw zmq::error_t();
  }
  monitor_.set(zmq::sockopt::linger, 0);
  monitor_.connect(events);
  dealer_.connect(endpoint_of(peer.mesh.advertise));
}

PeerLink::~PeerLink() {
  zmq_socket_monitor(dealer_.handle(), nullptr, 0);
}

bool PeerLink::send(std::string&& bytes) {
  if (!told_up_) return false;
  if (!choked_ && queue(std::move(bytes))) return true;
  ++send_failed_;
  choked_ = true;
  return false;
}

bool PeerLink::queue(std::string&& bytes) {
  const std::size_t size = bytes.size();
  if (queued_->bytes.load(std::memory_order_relaxed) + size > kQueuedBytesMax) return false;
  auto* frame = new OwnedFrame(std::move(bytes), queued_);
  zmq::message_t message(frame->bytes.data(), size, OwnedFrame::release, frame);
  bool sent = dealer_.send(message, zmq::send_flags::dontwait).has_value();
  if (!sent) {
    // The socket looks at its commands once a millisecond only: it may not know of a new or drained connection yet.
    static_cast<void>(dealer_.get(zmq::sockopt::events));
    sent = dealer_.send(message, zmq::send_flags::dontwait).has_value();
  }
  if (sent) bytes_sent_ += size;
  return sent;
}

bool PeerLink::drained() const {
  return queued_->bytes.load(std::memory_order_relaxed) <= kDrainedBytes &&
         queued_->frames.load(std::memory_order_relaxed) <= kDrainedFrames;
}

void PeerLink::tell_down(std::vector<Event>& events) {
  if (told_up_) events.emplace_back(PeerDisconnected{id_});
  told_up_ = false;
}

void PeerLink::take_events(std::vector<Event>& events) {
  if (choked_) tell_down(events);
  zmq::message_t part;
  while (monitor_.recv(part, zmq::recv_flags::dontwait)) {
    std::uint16_t event = 0;
    std::int32_t value = 0;
    if (part.size() >= sizeof event + sizeof value) {
      std::memcpy(&event, part.data(), sizeof event);
      std::memcpy(&value, static_cast<const char*>(part.data()) + sizeof event, sizeof value);
    }
    while (part.more() && monitor_.recv(part, zmq::recv_flags::dontwait)) {
    }
    tell_down(events);
    handshaken_ = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    if (event == ZMQ_EVENT_CONNECTED) descriptor_ = value;
  }
  if (!draining() || !drained()) return;
  // Lets the socket take the finished connection in before the first frame.
  static_cast<void>(dealer_.get(zmq::sockopt::events));
  choked_ = false;
  told_up_ = true;
  events.emplace_back(PeerConnected{id_});
}

std::uint64_t PeerLink::rtt_us() const {
  // ZeroMQ may have closed the descriptor and not told us yet: the worst that can come of it is another socket's time.
  tcp_info info{};
  socklen_t size = sizeof info;
  if (!handshaken_ || getsockopt(descriptor_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_rtt;
}

std::size_t PeerLink::discard_received(std::size_t messages_max) {
  zmq::message_t part;
  std::size_t messages = 0;
  while (messages < messages_max && dealer_.recv(part, zmq::recv_flags::dontwait)) {
    if (!part.more()) ++messages;
  }
  return messages;
}

}  // namespace inkmesh::mesh
