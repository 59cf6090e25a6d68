// Addresses of cluster.yaml as ZeroMQ's endpoints and as the kernel's socket addresses.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

#include "inkmesh/config.h"

namespace inkmesh::mesh {

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;

  int family() const {
    return bytes.ss_family;
  }
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&bytes);
  }
};

/// `tcp://host:port`, an IPv6 host in brackets.
std::string endpoint_of(const Address& address);
/// The host alone, as digits; an IPv4 address inside IPv6 as IPv4.
std::string host_of(const SocketAddress& address);

/// Of an address whose host is numeric; nothing for a name.
std::optional<SocketAddress> numeric(const Address& address);

/// A name's are all that it has, IPv4 first. Waits for the resolver; throws std::runtime_error when the name is
/// unknown.
std::vector<SocketAddress> addresses_of(const Address& address);
/// The same as ZeroMQ's endpoints, which it binds where hosts are numeric only.
std::vector<std::string> bind_endpoints(const Address& address);

/// Whether a ZeroMQ connection to this address should look for IPv6. ZeroMQ takes the first address that it finds and
/// never another: a name that has an IPv4 address is looked up as IPv4, because whoever listens on a name binds all of
/// them.
bool connects_by_ipv6(const Address& address);

}  // namespace inkmesh::mesh
