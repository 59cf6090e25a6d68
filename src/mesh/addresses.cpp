#include "mesh/addresses.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace inkmesh::mesh {
namespace {

bool is_ipv6(const std::string& host) {
  return host.find(':') != std::string::npos;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const {
    freeaddrinfo(list);
  }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

/// Null, and why in `error`, when the host has no address of that family.
Addresses look_up(const Address& address, int family, int flags, std::string& error) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  const int result = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (result == 0) return Addresses(found);
  error = gai_strerror(result);
  return nullptr;
}

SocketAddress address_of(const addrinfo& found) {
  SocketAddress address;
  std::memcpy(&address.bytes, found.ai_addr, found.ai_addrlen);
  address.size = found.ai_addrlen;
  return address;
}

std::uint16_t port_of(const SocketAddress& address) {
  // sin_port and sin6_port stand at the same place.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address.bytes)->sin_port);
}

}  // namespace

std::string endpoint_of(const Address& address) {
  const std::string host = is_ipv6(address.host) ? "[" + address.host + "]" : address.host;
  return "tcp://" + host + ":" + std::to_string(address.port);
}

std::string host_of(const SocketAddress& address) {
  std::array<char, NI_MAXHOST> text{};
  if (getnameinfo(address.get(), address.size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) return {};
  const std::string_view host(text.data());
  constexpr std::string_view kMapped = "::ffff:";
  const bool mapped = host.starts_with(kMapped) && host.find('.') != std::string_view::npos;
  return std::string(mapped ? host.substr(kMapped.size()) : host);
}

std::optional<SocketAddress> numeric(const Address& address) {
  std::string ignored;
  const Addresses list = look_up(address, AF_UNSPEC, AI_NUMERICHOST, ignored);
  if (!list) return std::nullopt;
  return address_of(*list);
}

std::vector<SocketAddress> addresses_of(const Address& address) {
  std::string error;
  const Addresses list = look_up(address, AF_UNSPEC, 0, error);
  if (!list) throw std::runtime_error("cannot look up " + endpoint_of(address) + ": " + error);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    const SocketAddress found = address_of(*entry);
    const bool known = std::any_of(addresses.begin(), addresses.end(),
                                   [&](const SocketAddress& other) { return host_of(other) == host_of(found); });
    if (!known) addresses.push_back(found);
  }
  std::stable_partition(addresses.begin(), addresses.end(),
                        [](const SocketAddress& each) { return each.family() == AF_INET; });
  return addresses;
}

std::vector<std::string> bind_endpoints(const Address& address) {
  std::vector<std::string> endpoints;
  for (const SocketAddress& found : addresses_of(address))
    endpoints.push_back(endpoint_of({host_of(found), port_of(found)}));
  return endpoints;
}

bool connects_by_ipv6(const Address& address) {
  if (const auto known = numeric(address)) return known->family() == AF_INET6;
  std::string ignored;
  return look_up(address, AF_INET, 0, ignored) == nullptr;
}

}  // namespace inkmesh::mesh
