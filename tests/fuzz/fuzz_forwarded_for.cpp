// Addresses: a trusted proxy as in cluster.yaml, the other end of a socket, and the value of X-Forwarded-For, a line
// each. The client is the other end or one that the header names, and whoever is not trusted cannot name another.
#include <arpa/inet.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "door.h"
#include "edge/address.h"

namespace {

using namespace inkmesh;
using edge::IpAddress;
using fuzz::expect;

constexpr fuzz::Growth kGrowth{4, 64};

std::optional<IpAddress> parsed(std::string_view text) {
  const auto address = fuzz::within(kGrowth, text.size(), [&] { return edge::parse_ip(text); });
  if (!address) return std::nullopt;
  char written[INET6_ADDRSTRLEN];
  expect(inet_ntop(AF_INET6, address->data(), written, sizeof written) != nullptr);
  expect(edge::parse_ip(written) == address);
  expect(edge::parse_ip('[' + std::string(written) + "]:80") == address);
  return address;
}

edge::TrustedProxies trusted(std::string_view extra) {
  const std::vector<std::string> known = {"127.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/33"};
  try {
    auto entries = known;
    entries.emplace_back(extra);
    return edge::TrustedProxies(entries);
  } catch (const std::runtime_error&) {
    return edge::TrustedProxies(known);
  }
}

/// As the edge does, but written down from the left.
IpAddress expected(const edge::TrustedProxies& proxies, const IpAddress& peer, std::string_view header) {
  std::vector<std::string_view> hops;
  while (!header.empty())
    hops.push_back(fuzz::cut(header, ','));
  IpAddress client = peer;
  for (; !hops.empty() && proxies.contains(client); hops.pop_back()) {
    std::string_view hop = hops.back();
    hop.remove_prefix(std::min(hop.find_first_not_of(" \t"), hop.size()));
    hop = hop.substr(0, hop.find_last_not_of(" \t") + 1);
    const auto address = edge::parse_ip(hop);
    if (!address) break;
    client = *address;
  }
  return client;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  auto header = fuzz::text_of(bytes, size);
  const edge::TrustedProxies proxies = trusted(fuzz::cut(header, '\n'));
  const auto peer = parsed(fuzz::cut(header, '\n'));
  if (!peer) return 0;
  const IpAddress client = fuzz::within(kGrowth, header.size(), [&] { return proxies.client_of(*peer, header); });
  // A comma at the very end is an empty hop.
  if (!header.ends_with(',')) expect(client == expected(proxies, *peer, header));
  if (!proxies.contains(*peer)) expect(client == *peer);
  return 0;
}
