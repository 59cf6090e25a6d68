#include "edge/shard.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <utility>

#include <asio/post.hpp>

#include "edge/shard_impl.h"
#include "wire/client_codec.h"

namespace inkmesh::edge {
namespace {

FrameLimits frame_limits_of(const LimitSettings& limits) {
  FrameLimits out;
  const std::uint32_t messages = std::max(5'000U, 2 * (limits.publish_per_s + limits.signal_per_s));
  out.fragments_max = fragments_max(kFrameBytesMax);
  out.messages = Rate{messages, messages};
  out.extras = Rate{1'000, 2 * out.fragments_max};
  return out;
}

bool descriptors_short(const asio::error_code& error) {
  const int code = error.value();
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

}  // namespace

std::unique_ptr<Shard> Shard::make(unsigned index, EdgeShared& shared, const std::vector<int>& listeners) {
  return std::make_unique<ShardImpl>(index, shared, listeners);
}

ShardImpl::ShardImpl(unsigned index, EdgeShared& shared, const std::vector<int>& listeners)
    : index_(index),
      shared_(shared),
      limits_(shared.settings.limits),
      frame_limits_(frame_limits_of(limits_)),
      handshakes_max_(std::max<std::size_t>(1, limits_.handshakes / std::max(1U, shared.settings.shards))),
      http_bytes_max_(kHttpBytesMax / std::max(1U, shared.settings.shards)),
      io_(1),
      work_(io_.get_executor()),
      protocol_(shared.settings.node, limits_, shared.sink, std::random_device{}() | std::uint64_t{index} << 32),
      wheel_(monotonic_ms()),
      tick_timer_(io_),
      report_timer_(io_),
      grace_timer_(io_) {
  // Its first call finds out the byte order and writes that down for all threads: before there are any.
  static_cast<void>(websocketpp::lib::net::_htonll(1));
  endpoint_.set_user_agent("inkmesh");
  endpoint_.set_max_http_body_size(kFrameBytesMax);
  for (const int fd : listeners) {
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
    auto listener = std::make_unique<Listener>(io_);
    listener->acceptor.assign(bound.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), fd);
    listeners_.push_back(std::move(listener));
  }
}

ShardImpl::~ShardImpl() {
  if (thread_.joinable()) {
    drain(0, 0);
    join();
  }
}

void ShardImpl::start() {
  for (const auto& listener : listeners_)
    accept_next(*listener);
  arm_tick();
  thread_ = std::thread([this] { run(); });
}

void ShardImpl::run() {
  for (;;) {
    try {
      while (const std::size_t handled = io_.run_one())
        rest(handled + io_.poll());
      return;
    } catch (const std::exception&) {
      // Out of memory, in all likelihood: the handler that threw is lost, its connection goes by its deadlines.
      continue;
    }
  }
}

/// Where many speak, those who do within a moment are heard together: waking up for each costs more than hearing it.
/// What is to be sent does not wait.
void ShardImpl::rest(std::size_t handled) {
  const auto now_us = [] {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count());
  };
  const std::uint64_t now = now_us();
  pace_.take(now, handled >= kSharedRound ? kSharedRoundUs : kRoundUs);
  const std::uint64_t wait = pace_.wait_us(now);
  if (wait == 0) return;
  {
    std::unique_lock lock(inbox_mutex_);
    resting_ = true;
    const bool called = wake_.wait_for(lock, std::chrono::microseconds(wait), [this] { return woken_; });
    resting_ = false;
    if (!called) return;
  }
  carry_out();
}

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

// ---- commands from other threads ------------------------------------------------------------------------------------

void ShardImpl::post(std::vector<ShardCommand>&& commands) {
  if (commands.empty()) return;
  {
    const std::lock_guard lock(inbox_mutex_);
    if (joined_) return;
    if (inbox_.empty()) {
      inbox_.swap(commands);
    } else {
      inbox_.insert(inbox_.end(), std::make_move_iterator(commands.begin()), std::make_move_iterator(commands.end()));
    }
    if (std::exchange(woken_, true)) return;
    if (resting_) return wake_.notify_one();
  }
  asio::post(io_, [this] { carry_out(); });
}

void ShardImpl::carry_out() noexcept {
  {
    const std::lock_guard lock(inbox_mutex_);
    taken_.swap(inbox_);
    woken_ = false;
  }
  for (std::size_t i = 0; i < taken_.size();) {
    ShardCommand& command = taken_[i];
    if (std::holds_alternative<Outgoing>(command)) {
      i += deliver(&command, taken_.data() + taken_.size());
      continue;
    }
    ++i;
    if (auto* answer = std::get_if<AnswerHttp>(&command)) {
      Connection* c = find(answer->conn & ~kConnHttpBit);
      if (c != nullptr && c->phase == Phase::asked) respond(*c, std::move(answer->response));
    } else if (auto* close = std::get_if<CloseConn>(&command)) {
      Connection* c = find(close->conn);
      if (c != nullptr && c->phase == Phase::open) close_softly(*c, close->code, std::move(close->reason));
    }
  }
  taken_.clear();
  flush();
}

std::size_t ShardImpl::deliver(const ShardCommand* const first, const ShardCommand* end) {
  const auto& to = std::get<Outgoing>(*first).to;
  const ShardCommand* next = first;
  std::size_t bytes = 0;
  std::size_t cost = 0;
  while (next != end) {
    const auto* one = std::get_if<Outgoing>(next);
    if (one == nullptr || one->to != to || (next != first && one->mistake)) break;
    const std::size_t size = kTextHeaderMax + one->text->size();
    // What costs and what does not is counted apart.
    if (next != first && (bytes + size > kMergedBytesMax || (cost == 0) != (one->cost == 0))) break;
    bytes += size;
    cost += one->cost;
    ++next;
  }
  const auto count = static_cast<std::size_t>(next - first);
  SharedBytes frames;
  for (Connection* c : find_all(to)) {
    if (c == nullptr || c->phase != Phase::open || c->closing_since_ms != 0) continue;
    if (!frames) {
      auto made = std::make_shared<std::string>();
      made->reserve(bytes);
      for (const ShardCommand* one = first; one != next; ++one)
        append_text_frame(*made, *std::get<Outgoing>(*one).text);
      frames = std::move(made);
    }
    push(*c, frames, count, cost);
    // A refusal goes to one connection, and is of a list of its own.
    const bool mistake = std::get<Outgoing>(*first).mistake;
    if (mistake && !c->client.errors.take(kErrorRate, monotonic_ms())) close_for_abuse(*c, "too many errors");
  }
  return count;
}

const std::vector<Connection*>& ShardImpl::find_all(const std::shared_ptr<const std::vector<ConnId>>& list) {
  for (const Found& known : found_) {
    if (known.list == list) return known.here;
  }
  const auto first = std::lower_bound(list->begin(), list->end(), ConnId{index_} << kConnShardShift);
  const auto last = std::lower_bound(first, list->end(), ConnId{index_ + 1} << kConnShardShift);
  const bool many = static_cast<std::size_t>(last - first) >= kManyRecipients;
  Found& made = many ? found_[found_next_++ % found_.size()] : found_once_;
  made.list = many ? list : nullptr;
  made.here.clear();
  for (auto at = first; at != last; ++at)
    made.here.push_back(find(*at));
  return made.here;
}

Connection* ShardImpl::find(ConnId conn) {
  const auto found = connections_.find(conn);
  return found == connections_.end() ? nullptr : found->second.get();
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

// ---- the end --------------------------------------------------------------------------------------------------------

void ShardImpl::drain(std::uint32_t grace_ms, std::uint32_t retry_ms) {
  asio::post(io_, [this, grace_ms, retry_ms] { begin_drain(grace_ms, retry_ms); });
}

void ShardImpl::begin_drain(std::uint32_t grace_ms, std::uint32_t retry_ms) {
  if (std::exchange(draining_, true)) return;
  asio::error_code ignored;
  for (const auto& listener : listeners_) {
    listener->acceptor.close(ignored);
    listener->retry.cancel(ignored);
  }
  const auto goaway = text_frame(wire::encode_goaway(retry_ms));
  std::vector<Connection::ptr> all;
  for (const auto& [conn, c] : connections_)
    all.push_back(c);
  for (const Connection::ptr& c : all) {
    if (c->phase == Phase::handshake) cut(*c);
    if (c->phase == Phase::open) {
      push(*c, goaway, 1, 0);
      close_softly(*c, kCloseGoingAway, "the node stops");
    }
  }
  flush();
  grace_timer_.expires_after(std::chrono::milliseconds(grace_ms));
  grace_timer_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled) hard_stop();
  });
  maybe_finish();
}

void ShardImpl::hard_stop() {
  std::vector<Connection::ptr> all;
  for (const auto& [conn, c] : connections_)
    all.push_back(c);
  for (const Connection::ptr& c : all) {
    cut(*c);
    c->close_socket();
  }
}

void ShardImpl::maybe_finish() {
  if (!draining_ || !connections_.empty()) return;
  asio::error_code ignored;
  tick_timer_.cancel(ignored);
  report_timer_.cancel(ignored);
  grace_timer_.cancel(ignored);
  work_.reset();
  io_.stop();
}

void ShardImpl::join() {
  if (!thread_.joinable()) return;
  thread_.join();
  {
    const std::lock_guard lock(inbox_mutex_);
    joined_ = true;
    inbox_.clear();
  }
  // Handlers of what was cancelled still hold connections.
  io_.restart();
  io_.poll();
}

}  // namespace inkmesh::edge
