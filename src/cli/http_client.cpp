#include "cli/http_client.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "node/config/config_values.h"

namespace inkmesh::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kHeadBytesMax = std::size_t{64} << 10;
constexpr std::size_t kBodyBytesMax = std::size_t{64} << 20;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int fd() const {
    return fd_;
  }

 private:
  int fd_;
};

struct Exchange {
  std::string name;
  Clock::time_point deadline;

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(name + ": " + what);
  }

  void wait(int fd, short events) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entry{fd, events, 0};
    const int ready = left > 0 ? ::poll(&entry, 1, static_cast<int>(left)) : 0;
    if (ready == 0) fail("no answer in time");
    if (ready < 0 && errno != EINTR) fail(std::strerror(errno));
  }
};

std::unique_ptr<Socket> connect_to(const Address& address, const Exchange& exchange) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (failed != 0) exchange.fail(::gai_strerror(failed));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  int error = ECONNREFUSED;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    auto socket = std::make_unique<Socket>(::socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket->fd() < 0) exchange.fail(std::strerror(errno));
    if (::connect(socket->fd(), info->ai_addr, info->ai_addrlen) == 0) return socket;
    error = errno;
    if (error != EINPROGRESS) continue;
    exchange.wait(socket->fd(), POLLOUT);
    socklen_t length = sizeof(error);
    if (::getsockopt(socket->fd(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
    if (error == 0) return socket;
  }
  exchange.fail(std::strerror(error));
}

void send_all(const Socket& socket, std::string_view text, const Exchange& exchange) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket.fd(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      exchange.wait(socket.fd(), POLLOUT);
    } else if (errno != EINTR) {
      exchange.fail(std::strerror(errno));
    }
  }
}

/// Appends what came; false at the end of the stream.
bool receive_some(const Socket& socket, std::string& text, const Exchange& exchange) {
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = ::recv(socket.fd(), buffer.data(), buffer.size(), 0);
    if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
    if (got >= 0) return got > 0;
    if (errno == EAGAIN) {
      exchange.wait(socket.fd(), POLLIN);
    } else if (errno != EINTR) {
      exchange.fail(std::strerror(errno));
    }
  }
}

/// A header's value from a head with lower-case names, or nothing.
std::optional<std::string> header(const std::string& head, const std::string& name) {
  const std::size_t at = head.find("\r\n" + name + ":");
  if (at == std::string::npos) return std::nullopt;
  const std::size_t begin = head.find_first_not_of(' ', at + name.size() + 3);
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

}  // namespace

HttpAnswer http_get(const Address& address, const std::string& target, std::chrono::milliseconds timeout) {
  const std::string name = config::format_address(address);
  const Exchange exchange{name, Clock::now() + timeout};
  const auto socket = connect_to(address, exchange);
  send_all(*socket, "GET " + target + " HTTP/1.1\r\nHost: " + name + "\r\nConnection: close\r\n\r\n", exchange);
  std::string text;
  std::size_t head_end = std::string::npos;
  while ((head_end = text.find("\r\n\r\n")) == std::string::npos) {
    if (text.size() > kHeadBytesMax) exchange.fail("its headers have no end");
    if (!receive_some(*socket, text, exchange)) exchange.fail("the connection closed before an answer");
  }
  std::string head = text.substr(0, head_end + 2);
  std::transform(head.begin(), head.end(), head.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  HttpAnswer answer;
  if (head.size() < 12 || head.compare(0, 7, "http/1.") != 0) exchange.fail("this is no HTTP server");
  const auto status = config::parse_whole(std::string_view(head).substr(9, 3));
  if (!status) exchange.fail("this is no HTTP server");
  if (header(head, "transfer-encoding")) exchange.fail("a chunked answer, which no node gives");
  answer.status = static_cast<int>(*status);
  answer.body = text.substr(head_end + 4);
  const auto length_text = header(head, "content-length");
  const auto length = length_text ? config::parse_whole(*length_text) : std::nullopt;
  while (!length || answer.body.size() < *length) {
    if (answer.body.size() > kBodyBytesMax) exchange.fail("an answer over 64 MiB");
    if (receive_some(*socket, answer.body, exchange)) continue;
    if (length) exchange.fail("the connection closed within the answer");
    break;
  }
  if (length) answer.body.resize(static_cast<std::size_t>(*length));
  return answer;
}

}  // namespace inkmesh::cli
