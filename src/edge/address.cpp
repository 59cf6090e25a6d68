#include "edge/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace inkmesh::edge {
namespace {

constexpr std::size_t kMappedPrefixBytes = 12;

IpAddress mapped(const in_addr& v4) {
  IpAddress out{};
  out[10] = out[11] = 0xFF;
  std::memcpy(out.data() + kMappedPrefixBytes, &v4, sizeof v4);
  return out;
}

bool is_mapped(const IpAddress& address) {
  const IpAddress prefix = mapped(in_addr{});
  return std::equal(prefix.begin(), prefix.begin() + kMappedPrefixBytes, address.begin());
}

std::optional<IpAddress> parse_bare(std::string_view text) {
  // inet_pton takes a zero byte for the end.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string copy(text);
  in_addr v4{};
  if (inet_pton(AF_INET, copy.c_str(), &v4) == 1) return mapped(v4);
  IpAddress v6{};
  if (inet_pton(AF_INET6, copy.c_str(), v6.data()) == 1) return v6;
  return std::nullopt;
}

/// `:80`, or nothing.
bool is_port(std::string_view text) {
  if (text.empty()) return true;
  if (text.front() != ':' || text.size() == 1) return false;
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, end, port);
  return error == std::errc{} && stop == end;
}

bool same_prefix(const IpAddress& a, const IpAddress& b, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const unsigned mask = (0xFFU << (8 - rest)) & 0xFFU;
  return (a[whole] & mask) == (b[whole] & mask);
}

std::string_view trim(std::string_view text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

IpAddress counted_as(IpAddress address) {
  if (!is_mapped(address)) std::fill(address.begin() + 8, address.end(), std::uint8_t{0});
  return address;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (const auto bare = parse_bare(text)) return bare;
  if (!text.empty() && text.front() == '[') {
    const auto close = text.find(']');
    if (close == std::string_view::npos || !is_port(text.substr(close + 1))) return std::nullopt;
    return parse_bare(text.substr(1, close - 1));
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon))) return std::nullopt;
  return parse_bare(text.substr(0, colon));
}

std::optional<IpAddress> ip_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return mapped(v4.sin_addr);
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    IpAddress out{};
    std::memcpy(out.data(), &v6.sin6_addr, out.size());
    return out;
  }
  return std::nullopt;
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    const std::string_view text = entry;
    const auto slash = text.find('/');
    const auto address = parse_bare(text.substr(0, slash));
    const unsigned width = address && is_mapped(*address) ? 32 : 128;
    unsigned bits = width;
    bool good = address.has_value();
    if (good && slash != std::string_view::npos) {
      const char* end = text.data() + text.size();
      const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, bits);
      good = error == std::errc{} && stop == end && bits <= width;
    }
    if (!good) throw std::runtime_error("trusted proxy \"" + entry + "\": expected an IP address or a network");
    networks_.push_back(Network{*address, bits + (128 - width)});
  }
}

bool TrustedProxies::contains(const IpAddress& address) const {
  return std::any_of(networks_.begin(), networks_.end(),
                     [&](const Network& network) { return same_prefix(network.address, address, network.bits); });
}

IpAddress TrustedProxies::client_of(const IpAddress& peer, std::string_view forwarded_for) const {
  IpAddress client = peer;
  while (contains(client) && !forwarded_for.empty()) {
    const auto comma = forwarded_for.rfind(',');
    const auto hop = parse_ip(trim(comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1)));
    if (!hop) break;
    client = *hop;
    forwarded_for = comma == std::string_view::npos ? std::string_view{} : forwarded_for.substr(0, comma);
  }
  return client;
}

bool AddressCounts::enter(const IpAddress& address) {
  const std::lock_guard lock(mutex_);
  std::uint32_t& count = counts_[counted_as(address)];
  if (count >= limit_) return false;
  ++count;
  return true;
}

void AddressCounts::leave(const IpAddress& address) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(counted_as(address));
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace inkmesh::edge
