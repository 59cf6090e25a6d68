#include "mesh/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "mesh/limits.h"

namespace inkmesh::mesh {
namespace {

constexpr int kSilentBeatsMax = kLinkTimeoutMs / kHeartbeatIntervalMs;
constexpr int kHandshakeBeatsMax = kHandshakeTimeoutMs / kHeartbeatIntervalMs;
constexpr std::size_t kPiecesMax = 16;
/// Of a long queue in one turn, so that no peer keeps the loop for itself.
constexpr std::size_t kFlushBytesMax = std::size_t{4} << 20;

/// What the kernel took; nothing: it is full; less than 0: the connection is lost.
ssize_t send_pieces(int socket, iovec* pieces, std::size_t count) {
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = count;
  for (;;) {
    const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return sent;
    // EAGAIN also before the connection is made.
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) return -1;
  }
}

iovec piece_of(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

template <typename Value>
void set_option(int socket, int level, int option, Value value) {
  // Each is an improvement; a connection without it works as well.
  static_cast<void>(setsockopt(socket, level, option, &value, sizeof value));
}

}  // namespace

Connection::Connection(Poller& poller, Descriptor&& socket, zmtp::Role role)
    : poller_(poller), socket_(std::move(socket)), reader_(role, kMaxMessageBytes) {
  set_option(socket_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, unsigned{kTcpMaxRetransmitMs});
  queue_.push_back(zmtp::opening(role));
  queued_bytes_ = queue_.front().size();
  listens_for_ = EPOLLIN | EPOLLOUT;
  poller_.watch(socket_.get(), listens_for_, &ready_);
}

void Connection::listen_for(std::uint32_t events) {
  if (std::exchange(listens_for_, events) != events) poller_.change(socket_.get(), events, &ready_);
}

void Connection::end() {
  state_ = State::ended;
  socket_ = Descriptor();
  queue_.clear();
  queued_bytes_ = written_of_first_ = 0;
  waits_ = write_failed_ = false;
  ready_ = 0;
}

void Connection::give_up_writing() {
  write_failed_ = true;
  queue_.clear();
  queued_bytes_ = written_of_first_ = 0;
  listen_for(EPOLLIN);
}

std::size_t Connection::read(std::string& scratch) {
  if (state_ == State::ended) return 0;
  for (;;) {
    const ssize_t count = recv(socket_.get(), scratch.data(), scratch.size(), MSG_DONTWAIT);
    if (count > 0) {
      heard_ = true;
      return static_cast<std::size_t>(count);
    }
    if (count < 0 && errno == EINTR) continue;
    if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) end();
    return 0;
  }
}

bool Connection::take_next() {
  using Found = zmtp::Reader::Found;
  while (state_ != State::ended) {
    switch (reader_.next()) {
      case Found::message:
        return true;
      case Found::opened:
        state_ = State::open;
        break;
      case Found::ping:
        // Who does not read gets no answers: they would pile up.
        if (queue_.empty()) write(zmtp::pong(reader_.payload()), {});
        break;
      case Found::broken:
        end();
        return false;
      case Found::nothing:
        return false;
    }
  }
  return false;
}

void Connection::send(std::string_view message) {
  write(zmtp::MessageHeader(message.size()).view(), message);
}

void Connection::write(std::string_view head, std::string_view body) {
  if (state_ == State::ended || write_failed_) return;
  std::size_t sent = 0;
  if (queue_.empty()) {
    std::array<iovec, 2> pieces{piece_of(head), piece_of(body)};
    const ssize_t taken = send_pieces(socket_.get(), pieces.data(), pieces.size());
    if (taken < 0) return give_up_writing();
    sent = static_cast<std::size_t>(taken);
  }
  if (sent == head.size() + body.size()) return;
  std::string rest;
  rest.reserve(head.size() + body.size() - sent);
  if (sent < head.size()) rest += head.substr(sent);
  rest += body.substr(sent - std::min(sent, head.size()));
  queued_bytes_ += rest.size();
  queue_.push_back(std::move(rest));
  listen_for(EPOLLIN | EPOLLOUT);
}

void Connection::flush() {
  std::size_t left = kFlushBytesMax;
  while (!queue_.empty() && left > 0) {
    std::array<iovec, kPiecesMax> pieces{};
    std::size_t count = 0;
    std::size_t offered = 0;
    for (; count < std::min(queue_.size(), pieces.size()) && offered < left; ++count) {
      std::string_view piece = queue_[count];
      if (count == 0) piece.remove_prefix(written_of_first_);
      pieces[count] = piece_of(piece);
      offered += piece.size();
    }
    const ssize_t taken = send_pieces(socket_.get(), pieces.data(), count);
    if (taken < 0) return give_up_writing();
    if (taken == 0) break;
    connected_ = true;
    auto gone = static_cast<std::size_t>(taken);
    queued_bytes_ -= gone;
    left -= std::min(left, gone);
    gone += std::exchange(written_of_first_, 0);
    for (; !queue_.empty() && gone >= queue_.front().size(); queue_.pop_front())
      gone -= queue_.front().size();
    written_of_first_ = gone;
  }
  listen_for(queue_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void Connection::beat() {
  silent_beats_ = std::exchange(heard_, false) ? 0 : silent_beats_ + 1;
  if (silent_beats_ >= kSilentBeatsMax) return end();
  if (state_ == State::open) return write(zmtp::ping(kLinkTimeoutMs), {});
  if (++beats_ > kHandshakeBeatsMax) end();
}

void Connection::linger(int timeout_ms) {
  using std::chrono::steady_clock;
  const auto until = steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (state_ == State::open && !queue_.empty()) {
    flush();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now()).count();
    pollfd what{socket_.get(), POLLOUT, 0};
    if (left <= 0 || (!queue_.empty() && ::poll(&what, 1, static_cast<int>(left)) == 0)) break;
  }
  if (state_ == State::ended) return;
  // What is closed with something unread takes back what it has sent.
  std::array<char, 1024> unread{};
  while (recv(socket_.get(), unread.data(), unread.size(), MSG_DONTWAIT) > 0) {
  }
  shutdown(socket_.get(), SHUT_WR);
}

std::uint64_t Connection::rtt_us() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (state_ != State::open || getsockopt(socket_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_rtt;
}

}  // namespace inkmesh::mesh
