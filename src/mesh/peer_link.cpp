#include "mesh/peer_link.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <stdexcept>
#include <utility>

#include "mesh/limits.h"

namespace inkmesh::mesh {
namespace {

/// A name that was looked up tells nobody.
constexpr MonotonicMs kLookUpCheckMs = 20;
/// In one turn.
constexpr std::size_t kAnswersMax = 256;
constexpr std::size_t kQueuedFramesMax = 4096;
constexpr std::size_t kQueuedBytesMax = std::size_t{32} << 20;
constexpr std::size_t kDrainedFrames = kQueuedFramesMax / 8;
constexpr std::size_t kDrainedBytes = kQueuedBytesMax / 8;

bool full(const Connection& connection, std::size_t more) {
  return connection.queued_messages() >= kQueuedFramesMax || connection.queued_bytes() + more > kQueuedBytesMax;
}

bool drained(const Connection& connection) {
  return connection.queued_messages() <= kDrainedFrames && connection.queued_bytes() <= kDrainedBytes;
}

}  // namespace

PeerLink::PeerLink(Poller& poller, Resolver& resolver, const NodeSettings& peer)
    : poller_(poller), resolver_(resolver), id_(peer.id), address_(peer.mesh.advertise), pause_ms_(kReconnectMs) {}

void PeerLink::send(std::string_view frame) {
  if (!told_up_ || !connection_) return;
  choked_ = choked_ || full(*connection_, frame.size());
  if (choked_) {
    ++send_failed_;
    return;
  }
  connection_->send(frame);
  bytes_sent_ += frame.size();
}

void PeerLink::turn(MonotonicMs now, std::string& scratch, std::vector<Event>& events) {
  if (!connection_) {
    if (now >= act_at_) connect(now);
    return;
  }
  std::size_t messages_left = kAnswersMax;
  connection_->serve(scratch, messages_left, [this](std::size_t, std::string_view) { ++answered_; });
  const bool open = connection_->state() == Connection::State::open;
  if (choked_ || !open) tell_down(events);
  if (connection_->state() == Connection::State::ended || (!open && now >= due_ms())) return disconnect(now);
  if (!open || told_up_ || !drained(*connection_)) return;
  left_to_try_.clear();
  choked_ = false;
  told_up_ = true;
  events.emplace_back(PeerConnected{id_});
}

MonotonicMs PeerLink::due_ms() const {
  constexpr MonotonicMs kNever = std::numeric_limits<MonotonicMs>::max();
  if (!connection_) return act_at_;
  switch (connection_->state()) {
    case Connection::State::shaking_hands:
      return connection_->connected() ? kNever : connecting_since_ + static_cast<MonotonicMs>(kConnectTimeoutMs);
    case Connection::State::open:
      return (choked_ && told_up_) || connection_->waits() ? 0 : kNever;
    case Connection::State::ended:
      break;
  }
  return 0;
}

void PeerLink::beat() {
  if (!connection_) return;
  connection_->beat();
  // One that stands for a while; one that is closed again and again is not asked ever faster.
  if (told_up_) pause_ms_ = kReconnectMs;
}

void PeerLink::linger(int timeout_ms) {
  if (connection_) connection_->linger(timeout_ms);
}

void PeerLink::connect(MonotonicMs now) {
  if (const auto known = numeric(address_)) return connect_to(*known, now);
  if (left_to_try_.empty()) {
    auto found = resolver_.look_up(address_);
    if (!found) {
      act_at_ = now + kLookUpCheckMs;
      return;
    }
    if (found->empty()) return disconnect(now);
    left_to_try_ = std::move(*found);
  }
  const SocketAddress next = left_to_try_.front();
  left_to_try_.erase(left_to_try_.begin());
  connect_to(next, now);
}

void PeerLink::connect_to(const SocketAddress& address, MonotonicMs now) {
  Descriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const bool begun =
      socket && (::connect(socket.get(), address.get(), address.size) == 0 || errno == EINPROGRESS || errno == EINTR);
  if (!begun) return disconnect(now);
  connecting_since_ = now;
  try {
    connection_.emplace(poller_, std::move(socket), zmtp::Role::dealer);
  } catch (const std::runtime_error&) {  // the kernel watches no more
    disconnect(now);
  }
}

void PeerLink::disconnect(MonotonicMs now) {
  connection_.reset();
  choked_ = false;
  const int more = static_cast<int>(random_()) % (pause_ms_ / 2);
  act_at_ = now + static_cast<MonotonicMs>(pause_ms_ + more);
  pause_ms_ = std::min(2 * pause_ms_, kReconnectMaxMs);
}

void PeerLink::tell_down(std::vector<Event>& events) {
  if (told_up_) events.emplace_back(PeerDisconnected{id_});
  told_up_ = false;
}

}  // namespace inkmesh::mesh
