#include "edge/transport.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/error.hpp>

namespace inkmesh::edge {
namespace {

using websocketpp::transport::error::make_error_code;

constexpr std::size_t kBuffersInOneWrite = 64;

Transport::error_code translated(const asio::error_code& error) {
  return error == asio::error::eof ? make_error_code(websocketpp::transport::error::eof) : error;
}

}  // namespace

void Transport::adopt(asio::ip::tcp::socket&& socket, TransportOwner& owner) {
  socket_ = std::make_unique<asio::ip::tcp::socket>(std::move(socket));
  fd_ = socket_->native_handle();
  owner_ = &owner;
  alive_ms_ = monotonic_ms();
}

Transport::timer_ptr Transport::set_timer(long duration_ms, websocketpp::transport::timer_handler handler) {
  auto timer = std::make_shared<asio::steady_timer>(socket_->get_executor(), std::chrono::milliseconds(duration_ms));
  timer->async_wait([timer, keep = get_shared(), handler = std::move(handler)](const asio::error_code& error) {
    handler(error ? make_error_code(websocketpp::transport::error::operation_aborted) : error_code());
  });
  return timer;
}

// ---- reading --------------------------------------------------------------------------------------------------------

void Transport::async_read_at_least(std::size_t, char* buf, std::size_t len,
                                    const websocketpp::transport::read_handler& handler) {
  if (shut_ || deaf_) return;
  // Every frame read comes with the same handler, which websocketpp keeps in the connection; it is copied once.
  if (!on_read_kept_) {
    on_read_ = handler;
    on_read_kept_ = frames_;
  }
  read_buf_ = buf;
  read_len_ = len;
  read_wanted_ = true;
  start_read();
}

void Transport::start_read() {
  if (paused_ || read_pending_ || held_bytes_ > 0 || closed_) return;
  read_pending_ = true;
  socket_->async_read_some(
      asio::buffer(read_buf_, read_len_),
      [this, keep = get_shared()](const asio::error_code& error, std::size_t size) { on_read_done(error, size); });
}

void Transport::on_read_done(const asio::error_code& error, std::size_t size) {
  read_pending_ = false;
  if (error) peer_gone_ = true;
  if (shut_) {
    drop_read(error, size);
    return;
  }
  if (!error) {
    alive_ms_ = monotonic_ms();
    if (paused_) {
      held_bytes_ = size;
      return;
    }
  }
  hand_over(translated(error), size);
}

void Transport::hand_over(error_code error, std::size_t size) {
  if (deaf_ || !read_wanted_) return;
  if (!error && !owner_->on_read(*this, read_buf_, size)) {
    deaf_ = true;
    return;
  }
  if (shut_) return;
  read_wanted_ = false;
  if (on_read_kept_) {
    on_read_(error, size);
  } else {
    // The handshake's handlers hold the connection: they must not stay in it.
    const auto handler = std::exchange(on_read_, nullptr);
    handler(error, size);
  }
}

void Transport::set_reading_paused(bool paused) {
  if (paused_ == paused) return;
  paused_ = paused;
  if (paused || closed_ || shut_ || deaf_) return;
  if (held_bytes_ > 0) {
    // Not from here: the caller may be in the middle of this connection's affairs.
    asio::post(socket_->get_executor(), [this, keep = get_shared()] {
      if (paused_ || held_bytes_ == 0) return;
      const std::size_t size = std::exchange(held_bytes_, 0);
      if (!shut_) hand_over({}, size);
    });
  } else if (read_wanted_) {
    start_read();
  }
}

// ---- writing --------------------------------------------------------------------------------------------------------

std::ptrdiff_t Transport::send_now(const iovec* parts, std::size_t count) {
  for (;;) {
    ssize_t sent = 0;
    if (count == 1) {
      sent = ::send(fd_, parts->iov_base, parts->iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(parts);
      message.msg_iovlen = count;
      sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (sent >= 0) {
      wrote_ = true;
      return sent;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) {
      peer_gone_ = true;
      return -1;
    }
  }
}

void Transport::finish(SharedBytes frame, std::size_t at) {
  rest_ = std::move(frame);
  rest_at_ = at;
  wait_for_room();
}

void Transport::wait_for_room() {
  socket_->async_wait(asio::ip::tcp::socket::wait_write, [this, keep = get_shared()](const asio::error_code& error) {
    if (!error) {
      alive_ms_ = monotonic_ms();
      return continue_write();
    }
    const bool failed = std::exchange(rest_, nullptr) != nullptr && !shut_;
    if (bufs_ != nullptr) {
      end_write(error);
    } else if (failed) {
      owner_->on_write_failed(*this);
    }
  });
}

/// False: not yet, or never.
bool Transport::finish_rest() {
  if (shut_) {
    rest_ = nullptr;
    return true;
  }
  while (rest_at_ < rest_->size()) {
    const iovec part{const_cast<char*>(rest_->data()) + rest_at_, rest_->size() - rest_at_};
    const std::ptrdiff_t sent = send_now(&part, 1);
    if (sent == 0) {
      wait_for_room();
      return false;
    }
    if (sent < 0) {
      rest_ = nullptr;
      if (bufs_ != nullptr) {
        end_write(error_code(EPIPE, std::system_category()));
      } else {
        owner_->on_write_failed(*this);
      }
      return false;
    }
    rest_at_ += static_cast<std::size_t>(sent);
  }
  rest_ = nullptr;
  return true;
}

void Transport::async_write(const char* buf, std::size_t len, websocketpp::transport::write_handler handler) {
  single_ = websocketpp::transport::buffer(buf, len);
  on_single_ = std::move(handler);
  bufs_ = &single_;
  bufs_count_ = 1;
  bufs_at_ = byte_at_ = 0;
  if (!rest_) continue_write();
}

void Transport::async_write(const std::vector<websocketpp::transport::buffer>& bufs,
                            const websocketpp::transport::write_handler& handler) {
  on_frames_ = &handler;
  bufs_ = bufs.data();
  bufs_count_ = bufs.size();
  bufs_at_ = byte_at_ = 0;
  if (!rest_) continue_write();
}

void Transport::continue_write() {
  if (rest_ != nullptr) {
    if (!finish_rest()) return;
    if (bufs_ == nullptr) return owner_->on_written(*this);
  }
  std::array<iovec, kBuffersInOneWrite> parts;
  while (bufs_at_ < bufs_count_) {
    if (shut_) return end_write(make_error_code(websocketpp::transport::error::action_after_shutdown));
    std::size_t count = 0;
    for (std::size_t i = bufs_at_; i < bufs_count_ && count < parts.size(); ++i) {
      const std::size_t skip = i == bufs_at_ ? byte_at_ : 0;
      if (bufs_[i].len == skip) continue;
      parts[count++] = iovec{const_cast<char*>(bufs_[i].buf) + skip, bufs_[i].len - skip};
    }
    if (count == 0) break;
    const std::ptrdiff_t sent = send_now(parts.data(), count);
    if (sent < 0) return end_write(error_code(EPIPE, std::system_category()));
    if (sent == 0) return wait_for_room();
    byte_at_ += static_cast<std::size_t>(sent);
    while (bufs_at_ < bufs_count_ && byte_at_ >= bufs_[bufs_at_].len)
      byte_at_ -= bufs_[bufs_at_++].len;
  }
  end_write({});
}

void Transport::end_write(error_code error) {
  bufs_ = nullptr;
  bufs_count_ = 0;
  if (on_single_) {
    const auto handler = std::exchange(on_single_, nullptr);
    handler(error);
  } else {
    (*on_frames_)(error);
  }
  owner_->on_written(*this);
}

// ---- the end --------------------------------------------------------------------------------------------------------

void Transport::async_shutdown(const websocketpp::transport::shutdown_handler& handler) {
  const ptr keep = get_shared();
  shut_ = true;
  if (!on_read_kept_) on_read_ = nullptr;
  asio::error_code ignored;
  if (writing()) socket_->cancel(ignored);
  if (abrupt_ || peer_gone_ || !wrote_) {
    close_socket();
  } else {
    socket_->shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    linger_since_ms_ = monotonic_ms();
    paused_ = false;
    held_bytes_ = 0;
    start_read();
  }
  handler(error_code());
}

void Transport::drop_read(const asio::error_code& error, std::size_t size) {
  linger_bytes_ += size;
  // A cancelled write takes the read with it; the peer is still there.
  const bool over = error && error != asio::error::operation_aborted;
  if (over || linger_bytes_ > kLingerBytes) return close_socket();
  start_read();
}

void Transport::close_socket() {
  if (std::exchange(closed_, true)) return;
  asio::error_code ignored;
  socket_->close(ignored);
  asio::post(socket_->get_executor(), [this, keep = get_shared()] { owner_->on_socket_closed(*this); });
}

}  // namespace inkmesh::edge
