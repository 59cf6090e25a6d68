// How connections come, and what ends them when they do nothing.
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "edge/shard_impl.h"

namespace inkmesh::edge {
namespace {

bool descriptors_short(const asio::error_code& error) {
  const int code = error.value();
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

}  // namespace

// ---- accepting ------------------------------------------------------------------------------------------------------

void ShardImpl::accept_next(Listener& listener) {
  if (draining_) return;
  listener.acceptor.async_accept([this, &listener](const asio::error_code& error, asio::ip::tcp::socket socket) {
    on_accepted(listener, error, std::move(socket));
  });
}

void ShardImpl::on_accepted(Listener& listener, const asio::error_code& error, asio::ip::tcp::socket&& socket) {
  if (draining_ || error == asio::error::operation_aborted) return;
  if (error && descriptors_short(error)) {
    listener.retry.expires_after(std::chrono::milliseconds(kAcceptBackOffMs));
    listener.retry.async_wait([this, &listener](const asio::error_code& cancelled) {
      if (!cancelled) accept_next(listener);
    });
    return;
  }
  if (!error) {
    try {
      admit(std::move(socket));
    } catch (const std::exception&) {
      add(stats_.refused, 1);
    }
  }
  accept_next(listener);
}

void ShardImpl::admit(asio::ip::tcp::socket&& socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (getpeername(socket.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
  const auto address = ip_of(peer);
  const bool crowded = shared_.sockets.load(std::memory_order_relaxed) >= limits_.connections + limits_.handshakes;
  const bool counted = address && !shared_.proxies.contains(*address);
  if (!address || crowded || (counted && !shared_.addresses.enter(*address))) {
    add(stats_.refused, 1);
    return;
  }
  if (stats_.handshakes.load(std::memory_order_relaxed) >= handshakes_max_) evict_oldest_handshake();

  asio::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  // What a slow reader leaves unsent belongs into its outbox, where it is counted, not into the kernel.
  const int unsent_bytes = 128 * 1024;
  setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes, sizeof unsent_bytes);

  const Connection::ptr c = endpoint_.get_connection();
  c->adopt(std::move(socket), *this);
  c->client.conn = (ConnId{index_} << kConnShardShift) | ++last_conn_;
  c->address = *address;
  c->counted = counted;
  c->phase_since_ms = monotonic_ms();
  set_handlers(*c);
  connections_.emplace(c->client.conn, c);
  shared_.sockets.fetch_add(1, std::memory_order_relaxed);
  add(stats_.accepted, 1);
  add(stats_.handshakes, 1);
  while (!handshakes_.empty()) {
    const Connection* oldest = find(handshakes_.front());
    if (oldest != nullptr && oldest->phase == Phase::handshake) break;
    handshakes_.pop_front();
  }
  handshakes_.push_back(c->client.conn);
  c->start();
}

void ShardImpl::set_handlers(Connection& c) {
  // Each captures two pointers, which std::function keeps without an allocation.
  const auto guarded = [this](Connection& one, auto&& body) {
    try {
      body();
    } catch (const std::exception&) {
      cut(one);
    }
  };
  c.set_validate_handler([this, one = &c](const websocketpp::connection_hdl&) {
    try {
      return on_validate(*one);
    } catch (const std::exception&) {
      return false;
    }
  });
  c.set_http_handler(
      [this, one = &c, guarded](const websocketpp::connection_hdl&) { guarded(*one, [&] { on_http(*one); }); });
  c.set_open_handler([this, one = &c](const websocketpp::connection_hdl&) { on_open(*one); });
  c.set_message_handler([this, one = &c](const websocketpp::connection_hdl&, const Message::ptr& message) {
    try {
      on_message(*one, *message);
    } catch (const std::exception&) {
      cut(*one);
    }
  });
  c.set_ping_handler([this, one = &c](const websocketpp::connection_hdl&, const std::string& payload) {
    return on_ping(*one, payload);
  });
  c.set_termination_handler([this](const Connection::ptr& one) { on_over(*one); });
}

void ShardImpl::evict_oldest_handshake() {
  // Whoever has been shaking hands for longest makes room: a newcomer that means it is through within milliseconds.
  while (!handshakes_.empty()) {
    Connection* oldest = find(handshakes_.front());
    handshakes_.pop_front();
    if (oldest == nullptr || oldest->phase != Phase::handshake) continue;
    add(stats_.refused, 1);
    cut(*oldest);
    return;
  }
}

// ---- deadlines ------------------------------------------------------------------------------------------------------

void ShardImpl::arm_tick() {
  tick_timer_.expires_after(std::chrono::milliseconds(Wheel::kTickMs));
  tick_timer_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled) on_tick();
  });
}

void ShardImpl::on_tick() {
  const MonotonicMs now = monotonic_ms();
  wheel_.advance(now, [&](ConnId conn, std::uint64_t tick) {
    Connection* c = find(conn);
    if (c != nullptr && c->wheel_tick == tick) look_at(*c, now);
  });
  flush();
  arm_tick();
}

void ShardImpl::look_again(Connection& c, MonotonicMs due_ms) {
  c.wheel_tick = wheel_.add(c.client.conn, due_ms);
}

void ShardImpl::look_at(Connection& c, MonotonicMs now) {
  switch (c.phase) {
    case Phase::handshake:
      return;  // websocketpp's own timer
    case Phase::asked:
      if (now < c.phase_since_ms + kHttpAnswerMs) return look_again(c, c.phase_since_ms + kHttpAnswerMs);
      return respond(c, http_error(503, "the node did not answer in time"));
    case Phase::answering: {
      const MonotonicMs due = std::max(c.alive_ms(), c.phase_since_ms) + kHttpWriteMs;
      return now < due ? look_again(c, due) : cut(c);
    }
    case Phase::open:
      return look_at_open(c, now);
    case Phase::over: {
      const MonotonicMs due = c.lingering_since_ms() + Transport::kLingerMs;
      return now < due ? look_again(c, due) : c.close_socket();
    }
  }
}

void ShardImpl::look_at_open(Connection& c, MonotonicMs now) {
  const MonotonicMs alive = c.alive_ms();
  const MonotonicMs idle = limits_.idle_ms;
  if (now >= alive + 2 * idle) return cut(c);
  if (c.closing_since_ms != 0 && !draining_ && now >= c.closing_since_ms + kCloseMs) return cut(c);
  const MonotonicMs unfinished = c.walk.unfinished_since_ms();
  if (unfinished != 0 && now >= unfinished + kMessageMs) return close_for_abuse(c, "a message took too long");

  if (now >= alive + idle && c.pinged_ms <= alive) {
    std::error_code ignored;
    c.ping(std::string(), ignored);
    c.pinged_ms = now;
  }
  if (c.slowed && c.walk.may_go_on(now, frame_limits_)) {
    c.slowed = false;
    update_reading(c);
  }
  MonotonicMs due = c.pinged_ms > alive ? alive + 2 * idle : alive + idle;
  if (unfinished != 0) due = std::min(due, unfinished + kMessageMs);
  if (c.closing_since_ms != 0) due = std::min(due, c.closing_since_ms + kCloseMs);
  if (c.slowed) due = std::min(due, now + kSlowedMs);
  look_again(c, std::max(due, now + 1));
}

void ShardImpl::report_all() {
  report_armed_ = false;
  for (const ConnId conn : std::exchange(reporting_, {})) {
    Connection* c = find(conn);
    if (c == nullptr) continue;
    c->reporting = false;
    if (c->phase == Phase::open) report(*c);
  }
  tell_written();
}

}  // namespace inkmesh::edge
