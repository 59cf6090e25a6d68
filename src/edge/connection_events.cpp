// What happens on one connection: its handshake, its messages, its bytes in and out, its end.
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <utility>

#include <asio/post.hpp>

#include "edge/shard_impl.h"

namespace inkmesh::edge {
namespace {

namespace http = websocketpp::http;

constexpr const char* kSubprotocol = "inkmesh.v1";

Connection& of(Transport& transport) {
  return static_cast<Connection&>(transport);
}

std::size_t hard_bound(const LimitSettings& limits) {
  return 2 * std::size_t{limits.outbox_bytes} + (std::size_t{1} << 20);
}

}  // namespace

// ---- the handshake --------------------------------------------------------------------------------------------------

bool ShardImpl::count_address(Connection& c) {
  if (c.counted) return true;
  const IpAddress client = shared_.proxies.client_of(c.address, c.get_request_header("X-Forwarded-For"));
  if (client == c.address) return true;
  if (!shared_.addresses.enter(client)) return false;
  c.address = client;
  c.counted = true;
  return true;
}

/// From the handshake on: an upgrade that was granted must not be one too many once it is open.
bool ShardImpl::take_place(Connection& c) {
  if (shared_.served.fetch_add(1, std::memory_order_relaxed) >= limits_.connections) {
    shared_.served.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  c.served = true;
  return true;
}

int ShardImpl::refusal_of(Connection& c) {
  if (draining_) return 503;
  if (path_of(c.get_request().get_uri()) != "/ws") return 404;
  // A body would be taken for frames.
  if (!c.get_request_header("Content-Length").empty() || !c.get_request_header("Transfer-Encoding").empty()) return 400;
  if (!valid_websocket_key(c.get_request_header("Sec-WebSocket-Key"))) return 400;
  const auto& offered = c.get_requested_subprotocols();
  if (std::find(offered.begin(), offered.end(), kSubprotocol) != offered.end()) {
    std::error_code ignored;
    c.select_subprotocol(kSubprotocol, ignored);
  } else if (!c.get_request_header("Sec-WebSocket-Protocol").empty()) {
    return 400;
  }
  if (!count_address(c)) return 429;
  return take_place(c) ? 0 : 503;
}

bool ShardImpl::on_validate(Connection& c) {
  const int refusal = refusal_of(c);
  if (refusal == 0) return true;
  if (refusal == 429 || refusal == 503) add(stats_.refused, 1);
  c.set_status(static_cast<http::status_code::value>(refusal));
  return false;
}

void ShardImpl::on_open(Connection& c) {
  set_phase(c, Phase::open);
  c.enter_frames();
  forget_request(c);
  look_again(c, c.phase_since_ms + limits_.idle_ms);
  if (draining_) close_softly(c, kCloseGoingAway, "the node stops");
}

void ShardImpl::on_http(Connection& c) {
  const EdgeRequest& request = c.get_request();
  // Its own deadlines from here on: websocketpp's would cut a slow download.
  c.defer_http_response();
  set_phase(c, Phase::asked);
  c.head_only = request.get_method() == "HEAD";
  if (!count_address(c)) {
    add(stats_.refused, 1);
    return respond(c, http_error(429, "too many connections from this address"));
  }
  if (draining_ || !take_place(c)) {
    add(stats_.refused, 1);
    return respond(c, http_error(503, draining_ ? "the node stops" : "too many connections"));
  }
  const std::string& target = request.get_uri();
  auto own = route_http(request.get_method(), target, request.get_header("Transfer-Encoding"), shared_.files);
  if (own) return respond(c, std::move(*own));

  HttpRequest asked;
  asked.conn = c.client.conn | kConnHttpBit;
  asked.method = request.get_method();
  asked.target = target;
  asked.bearer = std::string(bearer_of(request.get_header("Authorization")));
  asked.body = request.get_body();
  look_again(c, c.phase_since_ms + kHttpAnswerMs);
  if (!shared_.sink.http(std::move(asked))) respond(c, http_error(503, "the node is too busy"));
}

void ShardImpl::respond(Connection& c, HttpResponse&& response) {
  if (http_bytes_ > 0 && response.body.size() > kHttpSmallBytes &&
      http_bytes_ + response.body.size() > http_bytes_max_) {
    response = http_error(503, "too many answers on their way");
    response.headers.emplace_back("Retry-After", "1");
  }
  c.http_bytes = response.body.size();
  http_bytes_ += c.http_bytes;
  set_phase(c, Phase::answering);
  look_again(c, c.phase_since_ms + kHttpWriteMs);
  try {
    c.set_status(static_cast<http::status_code::value>(response.status));
    if (!response.body.empty()) {
      c.replace_header("Content-Type", response.content_type);
      if (!c.head_only) c.set_body(response.body);
      c.replace_header("Content-Length", std::to_string(response.body.size()));
    }
    for (const auto& [name, value] : response.headers)
      c.replace_header(name, value);
    std::error_code error;
    c.send_http_response(error);
    if (error) return cut(c);
    // It is in the write's buffer now; once is enough.
    forget_request(c);
  } catch (const std::exception&) {
    cut(c);
  }
}

// ---- bytes and messages in ------------------------------------------------------------------------------------------

bool ShardImpl::on_read(Transport& transport, const char* data, std::size_t size) {
  Connection& c = of(transport);
  const FrameWalk::Verdict verdict = c.walk.feed(data, size, transport.alive_ms(), frame_limits_);
  if (c.phase != Phase::open || verdict == FrameWalk::Verdict::fine) return true;
  if (verdict == FrameWalk::Verdict::abuse) {
    close_for_abuse(c, "too many frames");
    return false;
  }
  if (verdict == FrameWalk::Verdict::broken) {
    std::error_code error;
    c.close(kCloseBroken, "a length in too many bytes", error);
    if (error) cut(c);
    return false;
  }
  if (!c.slowed) {
    c.slowed = true;
    update_reading(c);
    look_again(c, transport.alive_ms() + kSlowedMs);
  }
  return true;
}

void ShardImpl::on_message(Connection& c, const Message& message) {
  add(stats_.messages_in, 1);
  if (c.phase != Phase::open || c.closing_since_ms != 0) return;
  if (message.get_opcode() != websocketpp::frame::opcode::text) {
    return close_softly(c, kCloseNotText, "messages are JSON text");
  }
  Reply reply = protocol_.on_text(c.client, message.get_payload(), c.alive_ms());
  if (!reply.text.empty()) push(c, text_frame(reply.text), 1, 0);
  if (reply.abuse != nullptr) close_for_abuse(c, reply.abuse);
}

bool ShardImpl::on_ping(Connection& c, const std::string& payload) {
  if (c.phase != Phase::open) return false;
  if (!c.pings.take(kPingRate, c.alive_ms())) {
    close_for_abuse(c, "too many pings");
    return false;
  }
  if (!c.writing() && c.get_buffered_amount() == 0) return true;
  c.pong_owed = true;
  c.owed_pong = payload;
  return false;
}

void ShardImpl::update_reading(Connection& c) {
  c.set_reading_paused(c.slowed || c.crowded);
}

// ---- frames out -----------------------------------------------------------------------------------------------------

void ShardImpl::push(Connection& c, const SharedBytes& frames, std::size_t count, std::size_t cost) {
  const std::size_t bytes = frames->size();
  // The core's window and the pause in reading keep an outbox far below this.
  if (c.outbox.bytes() + bytes > hard_bound(limits_)) return cut(c);
  c.outbox.push(frames, bytes, cost);
  add(stats_.frames_out, count);
  add(stats_.outbox_bytes, bytes);
  const std::uint64_t unsent = c.outbox.bytes();
  if (unsent > stats_.outbox_bytes_max.load(std::memory_order_relaxed)) stats_.outbox_bytes_max.store(unsent);
  if (!c.crowded && c.outbox.uncounted_bytes() > limits_.outbox_bytes / 2) {
    c.crowded = true;
    update_reading(c);
  }
  mark_dirty(c);
  flush_soon();
}

void ShardImpl::mark_dirty(Connection& c) {
  if (std::exchange(c.dirty, true)) return;
  dirty_.push_back(&c);
}

void ShardImpl::flush_soon() {
  if (std::exchange(flush_posted_, true)) return;
  asio::post(io_, [this] {
    flush_posted_ = false;
    flush();
  });
}

void ShardImpl::flush() {
  // A pump may close a connection, and so mark others dirty; none is destroyed before the loop turns.
  while (!dirty_.empty()) {
    flushing_.swap(dirty_);
    for (std::size_t i = 0; i < flushing_.size(); ++i) {
      if (i + 1 < flushing_.size()) {
        // A write takes longer than memory does.
        flushing_[i + 1]->prefetch();
        __builtin_prefetch(&flushing_[i + 1]->outbox);
        __builtin_prefetch(&flushing_[i + 1]->closing_since_ms);
      }
      flushing_[i]->dirty = false;
      pump(*flushing_[i]);
    }
    flushing_.clear();
  }
  tell_written();
}

void ShardImpl::pump(Connection& c) {
  if (pumped_ == &c) return;
  const Connection* outer = std::exchange(pumped_, &c);
  const auto can_write = [&] {
    return c.phase == Phase::open && !c.writing() && !c.outbox.in_flight() &&
           c.get_state() == websocketpp::session::state::open;
  };
  while (c.outbox.waiting() && can_write()) {
    std::array<iovec, kWritePartsMax> parts;
    std::size_t count = 0;
    std::size_t bytes = 0;
    c.outbox.next(kWritePartsMax, kWriteBytesMax, [&](const SharedBytes& frames) {
      parts[count++] = iovec{const_cast<char*>(frames->data()), frames->size()};
      bytes += frames->size();
    });
    const std::ptrdiff_t sent = c.send_now(parts.data(), count);
    if (sent < 0) {
      cut(c);
      break;
    }
    const std::size_t before = c.outbox.bytes();
    const std::size_t part = c.outbox.sent(static_cast<std::size_t>(sent));
    settle(c, before);
    if (static_cast<std::size_t>(sent) < bytes) c.finish(c.outbox.take(), part);
  }
  if (c.close_code != 0 && can_write() && c.outbox.empty()) {
    std::error_code error;
    c.close(std::exchange(c.close_code, std::uint16_t{0}), c.close_reason, error);
    if (error) cut(c);
  }
  pumped_ = outer;
}

void ShardImpl::on_written(Transport& transport) {
  Connection& c = of(transport);
  if (c.phase != Phase::open) return;
  if (c.outbox.in_flight() && !c.writing()) {
    const std::size_t before = c.outbox.bytes();
    c.outbox.written();
    settle(c, before);
  }
  if (c.pong_owed && !c.writing()) {
    c.pong_owed = false;
    std::error_code ignored;
    c.pong(c.owed_pong, ignored);
  }
  pump(c);
  if (flushing_.empty()) tell_written();
}

void ShardImpl::on_write_failed(Transport& transport) {
  cut(of(transport));
}

/// Something has left the outbox, which had `before` bytes.
void ShardImpl::settle(Connection& c, std::size_t before) {
  const std::size_t left = before - c.outbox.bytes();
  add(stats_.bytes_out, left);
  add(stats_.outbox_bytes, std::uint64_t{0} - left);
  if (c.crowded && c.outbox.uncounted_bytes() < limits_.outbox_bytes / 4) {
    c.crowded = false;
    update_reading(c);
  }
  if (c.outbox.unreported() >= limits_.outbox_bytes / 8) return report(c);
  if (c.outbox.unreported() == 0 || std::exchange(c.reporting, true)) return;
  reporting_.push_back(c.client.conn);
  if (std::exchange(report_armed_, true)) return;
  report_timer_.expires_after(std::chrono::milliseconds(kReportMs));
  report_timer_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled) report_all();
  });
}

void ShardImpl::report(Connection& c) {
  const std::size_t cost = c.outbox.take_report();
  if (cost > 0) written_.push_back(Written{c.client.conn, cost});
}

void ShardImpl::tell_written() {
  if (!written_.empty()) shared_.sink.written(std::exchange(written_, {}));
}

// ---- the end --------------------------------------------------------------------------------------------------------

void ShardImpl::close_softly(Connection& c, std::uint16_t code, std::string reason) {
  if (c.closing_since_ms != 0) return;
  c.closing_since_ms = monotonic_ms();
  c.close_code = code;
  c.close_reason = std::move(reason);
  look_again(c, c.closing_since_ms + kCloseMs);
  mark_dirty(c);
  flush_soon();
}

void ShardImpl::close_for_abuse(Connection& c, const char* reason) {
  if (c.phase != Phase::open) return;
  add(stats_.closed_for_abuse, 1);
  const std::size_t before = c.outbox.bytes();
  c.outbox.clear();
  add(stats_.outbox_bytes, c.outbox.bytes() - before);
  c.closing_since_ms = monotonic_ms();
  c.close_code = 0;
  c.stop_reading();
  c.set_close_handshake_timeout(1'000);
  std::error_code error;
  c.close(kCloseAbuse, reason, error);
  if (error) cut(c);
}

void ShardImpl::cut(Connection& c) {
  c.forget_lingering();
  c.terminate(websocketpp::error::make_error_code(websocketpp::error::general));
}

void ShardImpl::set_phase(Connection& c, Phase phase) {
  if (c.phase == Phase::handshake) add(stats_.handshakes, std::uint64_t{0} - 1);
  if (c.phase == Phase::open) add(stats_.connections, std::uint64_t{0} - 1);
  if (phase == Phase::open) add(stats_.connections, 1);
  c.phase = phase;
  c.phase_since_ms = monotonic_ms();
}

void ShardImpl::on_over(Connection& c) {
  if (c.phase == Phase::over) return;
  tell_written();
  protocol_.on_gone(c.client);
  http_bytes_ -= c.http_bytes;
  const std::size_t before = c.outbox.bytes();
  c.outbox.clear();
  c.outbox.written();
  add(stats_.outbox_bytes, std::uint64_t{0} - before);
  if (c.served) shared_.served.fetch_sub(1, std::memory_order_relaxed);
  set_phase(c, Phase::over);
  if (c.lingering_since_ms() != 0) look_again(c, c.lingering_since_ms() + Transport::kLingerMs);
}

void ShardImpl::on_socket_closed(Transport& transport) {
  Connection& c = of(transport);
  on_over(c);
  if (c.dirty) dirty_.erase(std::remove(dirty_.begin(), dirty_.end(), &c), dirty_.end());
  if (c.counted) shared_.addresses.leave(c.address);
  shared_.sockets.fetch_sub(1, std::memory_order_relaxed);
  // A list may know it yet.
  for (Found& known : found_)
    known = Found{};
  connections_.erase(c.client.conn);
  maybe_finish();
}

}  // namespace inkmesh::edge
