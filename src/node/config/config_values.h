// The values of cluster.yaml: addresses, sizes, numbers. Text in, value or nothing out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inkmesh/config.h"

namespace inkmesh::config {

/// "127.0.0.1:8081", "[::1]:8081", "ws1.example.org:8081". IPv6 addresses come back in their short form, IPv4 ones that
/// are mapped into IPv6 as IPv4, names in lower case, so that equal addresses are equal text.
std::optional<Address> parse_address(std::string_view text);

/// How parse_address() reads it back: IPv6 in brackets.
std::string format_address(const Address& address);

/// The numeric addresses that a host stands for as far as its text tells: localhost for two, any other for itself.
std::vector<std::string> hosts_meant(const std::string& host);

/// True for 0.0.0.0 and ::, at which one can listen but not be found.
bool is_wildcard(const Address& address);

/// An IPv4 or IPv6 address without a port, in its short form.
std::optional<std::string> parse_ip(std::string_view text);

/// A whole number in decimal digits, without leading zeros: to some readers they are octal.
std::optional<std::uint64_t> parse_whole(std::string_view text);

/// A number with its unit: B, KiB, MiB, GiB or TiB ("64GiB").
std::optional<std::uint64_t> parse_size(std::string_view text);

/// With the largest unit that divides it: 1048576 is "1MiB".
std::string format_size(std::uint64_t bytes);

/// The known word that is nearest to a mistyped one, or empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace inkmesh::config
