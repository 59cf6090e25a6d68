#include "mesh/peer_link.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "mesh/limits.h"

namespace inkmesh::mesh {
namespace {

/// A name that was looked up tells nobody.
constexpr MonotonicMs kLookUpCheckMs = 20;
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

PeerLink::PeerLink(Poller& poller, const NodeSettings& peer)
    : poller_(poller), id_(peer.id), address_(peer.mesh.advertise), pause_ms_(kReconnectMs) {}

PeerLink::~PeerLink() = default;

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
  connection_->serve(scratch, [this](std::size_t, std::string_view) { ++answered_; });
  const bool open = connection_->state() == Connection::State::open;
  if (choked_ || !open) tell_down(events);
  if (connection_->state() == Connection::State::ended || (!open && now >= due_ms())) return disconnect(now);
  if (!open || told_up_ || !drained(*connection_)) return;
  pause_ms_ = kReconnectMs;
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
      return connecting_since_ +
             static_cast<MonotonicMs>(connection_->connected() ? kHandshakeTimeoutMs : kConnectTimeoutMs);
    case Connection::State::open:
      return choked_ && told_up_ ? 0 : kNever;
    case Connection::State::ended:
      break;
  }
  return 0;
}

void PeerLink::beat() {
  if (connection_) connection_->beat();
}

void PeerLink::linger(int timeout_ms) {
  if (connection_) connection_->linger(timeout_ms);
}

void PeerLink::connect(MonotonicMs now) {
  if (const auto known = numeric(address_)) return connect_to(*known, now);
  if (looked_up_.valid()) return take_looked_up(now);
  if (left_to_try_.empty()) return look_up(now);
  const SocketAddress next = left_to_try_.front();
  left_to_try_.erase(left_to_try_.begin());
  connect_to(next, now);
}

void PeerLink::look_up(MonotonicMs now) {
  try {
    looked_up_ = std::async(std::launch::async, [address = address_] { return addresses_of(address); });
    act_at_ = now + kLookUpCheckMs;
  } catch (const std::system_error&) {  // no thread to be had
    disconnect(now);
  }
}

void PeerLink::take_looked_up(MonotonicMs now) {
  if (looked_up_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    act_at_ = now + kLookUpCheckMs;
    return;
  }
  try {
    left_to_try_ = looked_up_.get();
  } catch (const std::runtime_error&) {  // unknown, for now
    act_at_ = now + static_cast<MonotonicMs>(kReconnectMaxMs);
  }
}

void PeerLink::connect_to(const SocketAddress& address, MonotonicMs now) {
  Descriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const bool begun =
      socket && (::connect(socket.get(), address.get(), address.size) == 0 || errno == EINPROGRESS || errno == EINTR);
  if (!begun) return disconnect(now);
  connecting_since_ = now;
  connection_.emplace(poller_, std::move(socket), zmtp::Role::dealer);
}

void PeerLink::disconnect(MonotonicMs now) {
  connection_.reset();
  choked_ = false;
  act_at_ = now + static_cast<MonotonicMs>(pause_ms_);
  pause_ms_ = std::min(2 * pause_ms_, kReconnectMaxMs);
}

void PeerLink::tell_down(std::vector<Event>& events) {
  if (told_up_) events.emplace_back(PeerDisconnected{id_});
  told_up_ = false;
}

}  // namespace inkmesh::mesh
