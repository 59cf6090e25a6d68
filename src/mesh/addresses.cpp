#include "mesh/addresses.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace inkmesh::mesh {
namespace {

bool is_ipv4(const std::string& host) {
  in_addr parsed{};
  return inet_pton(AF_INET, host.c_str(), &parsed) == 1;
}

bool is_ipv6(const std::string& host) {
  return host.find(':') != std::string::npos;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const {
    freeaddrinfo(list);
  }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

/// Null, and why in `error`, when the name has no address of that family.
Addresses look_up(const std::string& host, int family, std::string& error) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int result = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (result == 0) return Addresses(found);
  error = gai_strerror(result);
  return nullptr;
}

}  // namespace

std::string endpoint_of(const Address& address) {
  const std::string host = is_ipv6(address.host) ? "[" + address.host + "]" : address.host;
  return "tcp://" + host + ":" + std::to_string(address.port);
}

std::vector<std::string> bind_endpoints(const Address& address) {
  if (is_ipv4(address.host) || is_ipv6(address.host)) return {endpoint_of(address)};
  std::string error;
  const Addresses list = look_up(address.host, AF_UNSPEC, error);
  if (!list) throw std::runtime_error("cannot listen on " + endpoint_of(address) + ": " + error);
  std::vector<std::string> endpoints;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) continue;
    std::string endpoint = endpoint_of({text, address.port});
    if (std::find(endpoints.begin(), endpoints.end(), endpoint) == endpoints.end()) {
      endpoints.push_back(std::move(endpoint));
    }
  }
  return endpoints;
}

bool connects_by_ipv6(const Address& address) {
  if (is_ipv4(address.host)) return false;
  if (is_ipv6(address.host)) return true;
  std::string ignored;
  return look_up(address.host, AF_INET, ignored) == nullptr;
}

}  // namespace inkmesh::mesh
