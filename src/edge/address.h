// Client addresses: parsing, trusted networks, X-Forwarded-For, and how many connections each address holds.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inkmesh::edge {

/// An IPv6 address, or an IPv4 one mapped into it.
using IpAddress = std::array<std::uint8_t, 16>;

/// `192.0.2.1`, `2001:db8::1`, either with a port (`192.0.2.1:80`, `[2001:db8::1]:80`). Nothing when it is neither.
std::optional<IpAddress> parse_ip(std::string_view text);

/// The address of a socket's other end. Nothing for families other than IPv4 and IPv6.
std::optional<IpAddress> ip_of(const sockaddr_storage& address);

/// Networks whose X-Forwarded-For is believed.
class TrustedProxies {
 public:
  /// Addresses, or networks such as `10.0.0.0/8`. Throws std::runtime_error naming the first that is neither.
  explicit TrustedProxies(const std::vector<std::string>& entries);

  bool contains(const IpAddress& address) const;

  /// Who is behind `peer`: the rightmost address of `forwarded_for` that is not trusted itself; `peer` when there is
  /// none or when it is not trusted.
  IpAddress client_of(const IpAddress& peer, std::string_view forwarded_for) const;

 private:
  struct Network {
    IpAddress address;
    unsigned bits;
  };
  std::vector<Network> networks_;
};

/// How many connections each address holds. All shards share one; taken once for each connection, so a lock is cheap.
class AddressCounts {
 public:
  explicit AddressCounts(std::uint32_t limit) : limit_(limit) {}

  /// False, and nothing counted, when the address holds as many as it may. IPv6 counts by /64: one line's prefix.
  bool enter(const IpAddress& address);
  void leave(const IpAddress& address);

 private:
  const std::uint32_t limit_;
  std::mutex mutex_;
  std::map<IpAddress, std::uint32_t> counts_;
};

}  // namespace inkmesh::edge
