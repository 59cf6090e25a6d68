#include "load/fleet.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/clock.h"
#include "common/net.h"

namespace inkmesh::bench {
namespace {

constexpr std::size_t kRead = std::size_t{256} * 1024;
/// NATS puts all that waits for a client into one frame, of up to 64 MiB.
constexpr std::size_t kLargestFrame = std::size_t{65} << 20;
/// Of loopback, from which the clients come: an address has some 28,000 ports, of which earlier runs' still rest.
constexpr std::uint32_t kConnectionsPerAddress = 8000;
constexpr int kSmallBuffer = 4096;
constexpr std::size_t kLargestUpgrade = std::size_t{16} * 1024;

// RFC 6455's own example.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

}  // namespace

void Listener::lost(Connection& connection, const std::string& why) {
  throw RunFailed("connection " + std::to_string(connection.index) + " (" + connection.client + "): " + why);
}

Fleet::Fleet(const std::vector<std::string>& urls, const Dialect& dialect, Listener& listener)
    : dialect_(dialect),
      listener_(listener),
      message_opcode_(dialect.binary() ? Opcode::binary : Opcode::text),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      buffer_(kLargestFrame + 16 + kRead) {
  for (const auto& url : urls) {
    addresses_.push_back(parse_address(url));
    const auto scheme = url.find("://");
    const auto start = scheme == std::string::npos ? 0 : scheme + 3;
    hosts_.push_back(url.substr(start, url.find('/', start) - start));
  }
}

Fleet::~Fleet() {
  for (const auto& connection : connections_) {
    if (connection->fd >= 0) ::close(connection->fd);
  }
  ::close(epoll_);
}

Connection& Fleet::open(std::uint32_t node, std::string client, bool small) {
  auto connection = std::make_unique<Connection>();
  connection->index = static_cast<std::uint32_t>(connections_.size());
  connection->node = node % static_cast<std::uint32_t>(addresses_.size());
  connection->client = std::move(client);
  connection->small = small;
  connections_.push_back(std::move(connection));
  waiting_.push_back(connections_.back().get());
  return *connections_.back();
}

void Fleet::reopen(Connection& connection, std::uint32_t node) {
  forget(connection);
  connection.node = node % static_cast<std::uint32_t>(addresses_.size());
  waiting_.push_back(&connection);
}

void Fleet::close(Connection& connection) {
  forget(connection);
}

void Fleet::start_waiting() {
  while (!waiting_.empty() && opening_ < opening_limit_) {
    Connection& next = *waiting_.front();
    waiting_.pop_front();
    connect(next);
  }
}

void Fleet::connect(Connection& connection) {
  connection.fd = connect_to(addresses_[connection.node], connection.small ? kSmallBuffer : 0,
                             connection.index / kConnectionsPerAddress);
  connection.state = Connection::State::connecting;
  ++opening_;
  if (connection.fd < 0) {
    drop(connection, std::string("cannot connect: ") + std::strerror(errno));
    return;
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.ptr = &connection;
  connection.wants_write = true;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
}

void Fleet::finish_connect(Connection& connection) {
  if (const int error = socket_error(connection.fd); error != 0) {
    drop(connection, std::string("cannot connect: ") + std::strerror(error));
    return;
  }
  connection.state = Connection::State::upgrading;
  std::string& out = connection.output;
  out.append("GET ").append(dialect_.path()).append(" HTTP/1.1\r\nHost: ").append(hosts_[connection.node]);
  out.append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
  out.append(kKey).append("\r\n");
  if (const auto protocol = dialect_.subprotocol(); !protocol.empty()) {
    out.append("Sec-WebSocket-Protocol: ").append(protocol).append("\r\n");
  }
  out.append("\r\n");
  flush(connection);
}

void Fleet::drop(Connection& connection, const std::string& why) {
  forget(connection);
  listener_.lost(connection, why);
}

void Fleet::forget(Connection& connection) {
  if (connection.state != Connection::State::closed && connection.state != Connection::State::ready) --opening_;
  if (connection.fd >= 0) ::close(connection.fd);
  connection.fd = -1;
  connection.state = Connection::State::closed;
  connection.silent = false;
  connection.input.clear();
  connection.output.clear();
}

void Fleet::watch(Connection& connection) {
  epoll_event event{};
  event.events =
      (connection.silent ? 0U : std::uint32_t{EPOLLIN}) | (connection.wants_write ? std::uint32_t{EPOLLOUT} : 0U);
  event.data.ptr = &connection;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

void Fleet::stop_reading(Connection& connection) {
  connection.silent = true;
  watch(connection);
}

void Fleet::start_reading(Connection& connection) {
  connection.silent = false;
  watch(connection);
}

void Fleet::send(Connection& connection, std::string_view message) {
  append_client_frame(message_opcode_, message, connection.output);
}

void Fleet::subscribe(Connection& connection, std::string_view channel) {
  message_.clear();
  dialect_.subscribe(++connection.last_id, channel, message_);
  send(connection, message_);
  flush(connection);
}

void Fleet::resume(Connection& connection, std::string_view channel, std::string_view cursor) {
  message_.clear();
  if (!dialect_.resume(++connection.last_id, channel, cursor, message_)) {
    throw RunFailed("servers of this kind give nobody what was missed");
  }
  send(connection, message_);
  flush(connection);
}

void Fleet::publish(Connection& connection, std::uint64_t op, std::string_view channel, std::string_view data) {
  message_.clear();
  dialect_.publish(op, connection.client, channel, data, message_);
  send(connection, message_);
}

void Fleet::flush(Connection& connection) {
  std::size_t sent = 0;
  while (sent < connection.output.size()) {
    const auto count =
        ::send(connection.fd, connection.output.data() + sent, connection.output.size() - sent, MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      // What the socket says of its end is read where it is read from.
      if (errno != EAGAIN) sent = connection.output.size();
      break;
    }
    sent += static_cast<std::size_t>(count);
  }
  connection.output.erase(0, sent);
  const bool wants_write = !connection.output.empty();
  if (wants_write == connection.wants_write) return;
  connection.wants_write = wants_write;
  watch(connection);
}

void Fleet::turn(std::uint64_t wait_ns) {
  start_waiting();
  std::array<epoll_event, 512> events{};
  const timespec wait{.tv_sec = static_cast<time_t>(wait_ns / kSecond),
                      .tv_nsec = static_cast<long>(wait_ns % kSecond)};
  const int count = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    Connection& connection = *static_cast<Connection*>(event.data.ptr);
    // An event of this turn may have closed or reopened it.
    if (connection.fd < 0) continue;
    if (connection.state == Connection::State::connecting) {
      finish_connect(connection);
      continue;
    }
    if ((event.events & EPOLLOUT) != 0) flush(connection);
    if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) readable(connection);
  }
}

void Fleet::readable(Connection& connection) {
  const std::size_t kept = connection.input.size();
  std::memcpy(buffer_.data(), connection.input.data(), kept);
  const auto count = recv(connection.fd, buffer_.data() + kept, kRead, 0);
  if (count <= 0) {
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    drop(connection,
         count == 0 ? "the server closed it" : std::string("the server closed it: ") + std::strerror(errno));
    return;
  }
  const auto now = now_ns();
  bytes_read_ += static_cast<std::uint64_t>(count);
  const std::size_t size = kept + static_cast<std::size_t>(count);
  const int fd = connection.fd;
  const std::size_t used = parse(connection, buffer_.data(), size, now);
  if (connection.fd != fd) return;
  connection.input.assign(buffer_.data() + used, size - used);
  if (!connection.output.empty() && !connection.wants_write) flush(connection);
}

std::size_t Fleet::parse(Connection& connection, char* bytes, std::size_t size, std::uint64_t now) {
  std::size_t at = 0;
  if (connection.state == Connection::State::upgrading) {
    at = read_upgrade(connection, std::string_view(bytes, size));
    if (connection.state == Connection::State::upgrading) return 0;
  }
  const int fd = connection.fd;
  while (connection.fd == fd && fd >= 0) {
    Frame frame;
    std::size_t used = 0;
    const auto parsed = parse_frame(bytes + at, size - at, kLargestFrame, frame, used);
    if (parsed == Parsed::more) return at;
    if (parsed == Parsed::broken) {
      drop(connection, "what came is no WebSocket frame, or too large");
      return size;
    }
    at += used;
    if (frame.opcode == Opcode::text || frame.opcode == Opcode::binary) {
      if (!frame.fin) throw RunFailed("a message came in fragments: a stroke might be missed between them");
      read_message(connection, frame.payload, now);
    } else if (frame.opcode == Opcode::ping) {
      append_client_frame(Opcode::pong, frame.payload, connection.output);
    } else if (frame.opcode == Opcode::close) {
      drop(connection, "the server sent a close frame: " +
                           std::string(frame.payload.substr(std::min<std::size_t>(2, frame.payload.size()))));
      return size;
    }
  }
  return size;
}

std::size_t Fleet::read_upgrade(Connection& connection, std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() > kLargestUpgrade) drop(connection, "the answer to the handshake has no end");
    return 0;
  }
  const auto head = bytes.substr(0, end);
  if (!head.starts_with("HTTP/1.1 101") || head.find(kAccept) == std::string_view::npos) {
    drop(connection, "the handshake was refused: " + std::string(head.substr(0, head.find('\r'))));
    return bytes.size();
  }
  greet(connection);
  return end + 4;
}

void Fleet::greet(Connection& connection) {
  connection.state = Connection::State::greeting;
  message_.clear();
  dialect_.hello(connection.client, message_);
  if (!message_.empty()) send(connection, message_);
  flush(connection);
  if (!dialect_.waits_for_welcome()) become_ready(connection);
}

void Fleet::become_ready(Connection& connection) {
  if (connection.state != Connection::State::greeting) return;
  connection.state = Connection::State::ready;
  --opening_;
  listener_.ready(connection);
}

void Fleet::read_message(Connection& connection, std::string_view message, std::uint64_t now) {
  if (connection.state == Connection::State::ready && listener_.message(connection, message, now)) return;
  const auto answer = dialect_.read(message);
  if (!answer.reply.empty()) send(connection, answer.reply);
  switch (answer.kind) {
    case Dialect::Answer::Kind::other:
      break;
    case Dialect::Answer::Kind::ready:
      become_ready(connection);
      break;
    case Dialect::Answer::Kind::subscribed:
      listener_.subscribed(connection, now);
      break;
    case Dialect::Answer::Kind::acked:
      listener_.acked(connection, now);
      break;
    case Dialect::Answer::Kind::failed:
      throw RunFailed("the server answered " + connection.client + ": " + std::string(message.substr(0, 200)));
  }
  std::size_t from = 0;
  Mark mark;
  while (next_mark(message, from, mark))
    listener_.delivered(connection, mark, now);
}

}  // namespace inkmesh::bench
