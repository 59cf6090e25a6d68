#include "edge/listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace inkmesh::edge {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const {
    return fd_;
  }
  int release() {
    return std::exchange(fd_, -1);
  }

 private:
  int fd_;
};

std::string name_of(const Address& where) {
  const bool v6 = where.host.find(':') != std::string::npos;
  return (v6 ? "[" + where.host + "]" : where.host) + ":" + std::to_string(where.port);
}

[[noreturn]] void fail(const Address& where, const std::string& reason) {
  throw std::runtime_error("cannot listen on " + name_of(where) + ": " + reason);
}

std::uint16_t port_of(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  // sin_port and sin6_port stand at the same place.
  sockaddr_in v4{};
  std::memcpy(&v4, &bound, sizeof v4);
  return ntohs(v4.sin_port);
}

Descriptor bound_socket(const Address& where, const addrinfo& found, bool shared, std::uint16_t port) {
  Descriptor fd(socket(found.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, found.ai_protocol));
  const int on = 1;
  const int off = 0;
  if (fd.get() < 0) fail(where, std::strerror(errno));
  bool good = setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
  if (shared) good = good && setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
  if (found.ai_family == AF_INET6) {
    // Where a name has addresses of both families each is bound for itself; "::" alone takes both.
    const int* only = where.host == "::" ? &off : &on;
    good = good && setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, only, sizeof *only) == 0;
  }
  sockaddr_storage address{};
  std::memcpy(&address, found.ai_addr, found.ai_addrlen);
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
  v4->sin_port = htons(port);
  good = good && bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), found.ai_addrlen) == 0;
  if (!good) fail(where, std::strerror(errno));
  return fd;
}

}  // namespace

std::vector<std::vector<int>> listen_on(const Address& where, unsigned shards, std::uint16_t& port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  const int status = getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &raw);
  if (status != 0) fail(where, gai_strerror(status));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(raw, &freeaddrinfo);

  port = where.port;
  std::vector<std::pair<unsigned, Descriptor>> open;
  // SO_REUSEPORT would share a port with another process of ours without a word; a bind without it does not. A port
  // that the kernel picks is free in both ways.
  for (const addrinfo* one = found.get(); one != nullptr && port != 0; one = one->ai_next) {
    bound_socket(where, *one, false, port);
  }
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    for (unsigned shard = 0; shard < shards; ++shard) {
      Descriptor fd = bound_socket(where, *one, true, port);
      if (port == 0) port = port_of(fd.get());
      if (listen(fd.get(), SOMAXCONN) != 0) fail(where, std::strerror(errno));
      open.emplace_back(shard, std::move(fd));
    }
  }
  std::vector<std::vector<int>> result(shards);
  for (auto& [shard, fd] : open)
    result[shard].push_back(fd.release());
  return result;
}

}  // namespace inkmesh::edge
