#include "raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace inkmesh::edge::test {
namespace {

using Clock = std::chrono::steady_clock;

int new_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw std::system_error(errno, std::system_category(), "socket");
  return fd;
}

sockaddr_in loopback(const char* host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

}  // namespace

std::string client_frame(std::uint8_t first, std::string_view payload, bool masked) {
  constexpr std::array<unsigned char, 4> mask = {0x12, 0x34, 0x56, 0x78};
  const unsigned masked_bit = masked ? 0x80U : 0U;
  std::string out(1, static_cast<char>(first));
  const auto put = [&](std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i)
      out += static_cast<char>((value >> (8 * i)) & 0xFFU);
  };
  if (payload.size() < 126) {
    put(masked_bit | payload.size(), 1);
  } else if (payload.size() < 65'536) {
    put(masked_bit | 126U, 1);
    put(payload.size(), 2);
  } else {
    put(masked_bit | 127U, 1);
    put(payload.size(), 8);
  }
  if (!masked) return out.append(payload);
  for (const unsigned char byte : mask)
    out += static_cast<char>(byte);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out += static_cast<char>(static_cast<unsigned char>(payload[i]) ^ mask[i % 4]);
  }
  return out;
}

std::string upgrade_request(std::string_view path, std::string_view more) {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         std::string(more) + "\r\n";
}

RawClient::RawClient(std::uint16_t port, const char* from, int receive_buffer) : fd_(new_socket()) {
  if (receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const sockaddr_in source = loopback(from, 0);
  const int on = 1;
  setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) {
    throw std::system_error(errno, std::system_category(), "bind");
  }
  connect_to(port);
}

RawClient RawClient::unconnected() {
  return RawClient(new_socket());
}

void RawClient::connect_to(std::uint16_t port) {
  const sockaddr_in target = loopback("127.0.0.1", port);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) {
    throw std::system_error(errno, std::system_category(), "connect");
  }
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

RawClient::~RawClient() {
  close_now();
}

RawClient::RawClient(RawClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), ended_(other.ended_), in_(std::move(other.in_)) {}

void RawClient::close_now() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

bool RawClient::send_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

long RawClient::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
  return sent;
}

bool RawClient::fill(Clock::time_point deadline) {
  if (ended_) return false;
  const auto left = std::chrono::duration_cast<Millis>(deadline - Clock::now());
  pollfd ready{fd_, POLLIN, 0};
  if (poll(&ready, 1, std::max(0, static_cast<int>(left.count()))) <= 0) return false;
  std::array<char, 65'536> buffer;
  const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  in_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

std::string RawClient::upgrade(std::string_view path, std::string_view more) {
  send_raw(upgrade_request(path, more));
  return read_head();
}

std::string RawClient::read_head() {
  const auto deadline = Clock::now() + Millis(10'000);
  std::size_t end = std::string::npos;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos && fill(deadline)) {
  }
  if (end == std::string::npos) return std::exchange(in_, {});
  std::string head = in_.substr(0, end + 4);
  in_.erase(0, end + 4);
  return head;
}

RawClient& RawClient::open(std::string_view more) {
  const std::string head = upgrade("/ws", more);
  if (head.rfind("HTTP/1.1 101 ", 0) != 0) throw std::runtime_error("no upgrade: " + head);
  return *this;
}

std::optional<Frame> RawClient::read_frame(Millis timeout) {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint64_t>(static_cast<unsigned char>(in_[i])); };
    std::size_t header = 2;
    if (in_.size() >= 2) {
      std::uint64_t length = byte(1) & 0x7FU;
      const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
      header += extended;
      if (in_.size() >= header) {
        if (extended > 0) length = 0;
        for (std::size_t i = 0; i < extended; ++i)
          length = (length << 8) | byte(2 + i);
        if (in_.size() >= header + length) {
          Frame frame{static_cast<std::uint8_t>(byte(0)), in_.substr(header, length)};
          in_.erase(0, header + length);
          return frame;
        }
      }
    }
    if (!fill(deadline)) return std::nullopt;
  }
}

std::string RawClient::read_text(Millis timeout) {
  const auto deadline = Clock::now() + timeout;
  while (const auto frame = read_frame(std::chrono::duration_cast<Millis>(deadline - Clock::now()))) {
    if (frame->opcode() == kText) return frame->payload;
    if (frame->opcode() == kClose) return {};
  }
  return {};
}

unsigned RawClient::read_close(Millis timeout) {
  const auto deadline = Clock::now() + timeout;
  while (const auto frame = read_frame(std::chrono::duration_cast<Millis>(deadline - Clock::now()))) {
    if (frame->opcode() != kClose) continue;
    if (frame->payload.size() < 2) return 1005;
    return static_cast<unsigned>(static_cast<unsigned char>(frame->payload[0])) << 8U |
           static_cast<unsigned char>(frame->payload[1]);
  }
  return ended_ ? 1006 : 0;
}

std::string RawClient::read_all(Millis timeout) {
  const auto deadline = Clock::now() + timeout;
  while (fill(deadline)) {
  }
  return std::exchange(in_, {});
}

bool RawClient::closed_within(Millis timeout) {
  const auto deadline = Clock::now() + timeout;
  while (fill(deadline))
    in_.clear();
  return ended_;
}

std::size_t RawClient::drop(std::size_t bytes) {
  std::string buffer(bytes, '\0');
  const ssize_t got = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

std::optional<Millis> RawClient::round_trip(Millis timeout) {
  const auto begin = Clock::now();
  if (!send_text(R"({"type":"ping"})")) return std::nullopt;
  if (read_text(timeout) != R"({"type":"pong"})") return std::nullopt;
  return std::chrono::duration_cast<Millis>(Clock::now() - begin);
}

}  // namespace inkmesh::edge::test
