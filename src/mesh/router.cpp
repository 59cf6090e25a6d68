#include "mesh/router.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "mesh/addresses.h"

namespace inkmesh::mesh {
namespace {

constexpr int kBacklog = 128;
/// Of one listener in one turn.
constexpr std::size_t kAcceptsMax = 16;
/// Of all guests in one turn: what the core does for each takes time that clients and the store wait for.
constexpr std::size_t kMessagesMax = 512;

/// Nothing, and errno, when it cannot be listened on.
Descriptor listen_on(const SocketAddress& address, bool any_family) {
  Descriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  bool good = socket && setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
  if (address.family() == AF_INET6) {
    // Where a name has addresses of both families each is bound for itself; "::" alone takes both.
    const int only = any_family ? 0 : 1;
    good = good && setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) == 0;
  }
  good = good && ::bind(socket.get(), address.get(), address.size) == 0 && ::listen(socket.get(), kBacklog) == 0;
  return good ? std::move(socket) : Descriptor();
}

}  // namespace

Router::Router(Poller& poller, const Address& listen, std::size_t connections_max)
    : poller_(poller), connections_max_(connections_max) {
  std::string why;
  for (const SocketAddress& address : addresses_of(listen)) {
    auto listener = std::make_unique<Listener>();
    listener->socket = listen_on(address, listen.host == "::");
    if (listener->socket) {
      poller_.watch(listener->socket.get(), EPOLLIN, &listener->ready);
      listeners_.push_back(std::move(listener));
      continue;
    }
    const int error = errno;
    why = "cannot listen on " + endpoint_of({host_of(address), listen.port}) + ": " + std::strerror(error);
    // A name may have addresses that this machine cannot listen on (`localhost` where IPv6 is off): one is enough.
    if (error != EADDRNOTAVAIL && error != EAFNOSUPPORT) throw std::runtime_error(why);
  }
  if (listeners_.empty()) throw std::runtime_error(why);
}

void Router::turn(std::string& scratch, const OnMessage& on_message) {
  for (const auto& listener : listeners_) {
    if (std::exchange(listener->ready, 0) != 0 && !resting_) accept(*listener);
  }
  std::size_t left = kMessagesMax;
  // Each turn another one is the first, so that who says much silences nobody.
  ++turns_;
  for (std::size_t n = 0; n < guests_.size(); ++n) {
    Guest& guest = *guests_[(turns_ + n) % guests_.size()];
    guest.connection.serve(scratch, left, [&](std::size_t parts, std::string_view last) {
      guest.is_peer = on_message({parts, last, guest.address}) || guest.is_peer;
    });
  }
  remove_ended();
}

bool Router::waits() const {
  return std::any_of(guests_.begin(), guests_.end(), [](const auto& guest) { return guest->connection.waits(); });
}

void Router::accept(Listener& listener) {
  for (std::size_t n = 0; n < kAcceptsMax; ++n) {
    SocketAddress from;
    from.size = sizeof from.bytes;
    Descriptor socket(accept4(listener.socket.get(), reinterpret_cast<sockaddr*>(&from.bytes), &from.size,
                              SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        resting_ = true;
        for (const auto& each : listeners_)
          poller_.change(each->socket.get(), 0, &each->ready);
      }
      return;
    }
    make_room();
    try {
      guests_.push_back(std::make_unique<Guest>(poller_, std::move(socket), host_of(from)));
    } catch (const std::runtime_error&) {  // the kernel watches no more: one connection less
      return;
    }
  }
}

void Router::make_room() {
  if (guests_.size() < connections_max_) return;
  auto goes = std::find_if(guests_.begin(), guests_.end(), [](const auto& guest) { return !guest->is_peer; });
  if (goes == guests_.end()) goes = guests_.begin();
  guests_.erase(goes);
}

void Router::remove_ended() {
  std::erase_if(guests_, [](const auto& guest) { return guest->connection.state() == Connection::State::ended; });
}

void Router::beat() {
  for (const auto& guest : guests_)
    guest->connection.beat();
  remove_ended();
  if (!std::exchange(resting_, false)) return;
  for (const auto& listener : listeners_)
    poller_.change(listener->socket.get(), EPOLLIN, &listener->ready);
}

}  // namespace inkmesh::mesh
