#include "node/config/config_values.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>
#include <utility>

namespace inkmesh::config {
namespace {

constexpr std::size_t kHostBytesMax = 253;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Labels of letters, digits and hyphens (underscores too: container networks have them), joined by dots.
bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > kHostBytesMax) return false;
  std::size_t label = 0;
  bool only_numbers = true;
  for (const char c : text) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
    if (!letter && !is_digit(c)) return false;
    if (label == 0 && c == '-') return false;
    if (++label > 63) return false;
    only_numbers = only_numbers && !letter;
  }
  // "300.1.1.1" and "8081" are mistyped addresses, not names.
  return label > 0 && !only_numbers;
}

/// inet_pton takes a zero byte for the end.
bool to_binary(int family, std::string_view text, void* address) {
  return text.size() < INET6_ADDRSTRLEN && text.find('\0') == std::string_view::npos &&
         inet_pton(family, std::string(text).c_str(), address) == 1;
}

std::optional<std::string> parse_ipv4(std::string_view text) {
  in_addr address{};
  if (!to_binary(AF_INET, text, &address)) return std::nullopt;
  return std::string(text);
}

std::optional<std::string> parse_ipv6(std::string_view text) {
  in6_addr address{};
  if (!to_binary(AF_INET6, text, &address)) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  // The same address as the IPv4 one behind it, to those who listen and to those who connect.
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&address);
  const void* bytes = mapped ? &address.s6_addr[12] : address.s6_addr;
  if (inet_ntop(mapped ? AF_INET : AF_INET6, bytes, canonical.data(), canonical.size()) == nullptr) return std::nullopt;
  return std::string(canonical.data());
}

struct Unit {
  std::string_view name;
  unsigned shift;
};
constexpr std::array<Unit, 5> kUnits{{{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}, {"B", 0}}};

/// Insertions, removals, replacements, and swaps of neighbours (Damerau-Levenshtein, restricted).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_whole(text.substr(colon + 1));
  if (!port || *port < 1 || *port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  Address address{{}, static_cast<std::uint16_t>(*port)};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    auto ipv6 = parse_ipv6(host.substr(1, host.size() - 2));
    if (!ipv6) return std::nullopt;
    address.host = std::move(*ipv6);
    return address;
  }
  if (auto ipv4 = parse_ipv4(host)) {
    address.host = std::move(*ipv4);
    return address;
  }
  if (!is_host_name(host)) return std::nullopt;
  address.host = host;
  for (char& c : address.host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return address;
}

std::string format_address(const Address& address) {
  const std::string port = ":" + std::to_string(address.port);
  return address.host.find(':') == std::string::npos ? address.host + port : "[" + address.host + "]" + port;
}

std::vector<std::string> hosts_meant(const std::string& host) {
  if (host == "localhost") return {"127.0.0.1", "::1"};
  return {host};
}

bool is_wildcard(const Address& address) {
  return address.host == "0.0.0.0" || address.host == "::";
}

std::optional<std::string> parse_ip(std::string_view text) {
  auto ipv4 = parse_ipv4(text);
  return ipv4 ? ipv4 : parse_ipv6(text);
}

std::optional<std::uint64_t> parse_whole(std::string_view text) {
  // from_chars alone would take a sign.
  if (text.empty() || !is_digit(text.front()) || (text.front() == '0' && text.size() > 1)) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto* unit_begin = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto digits = static_cast<std::size_t>(unit_begin - text.begin());
  const auto number = parse_whole(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (text.substr(digits) != unit.name) continue;
    if (*number > (std::numeric_limits<std::uint64_t>::max() >> unit.shift)) return std::nullopt;
    return *number << unit.shift;
  }
  return std::nullopt;
}

std::string format_size(std::uint64_t bytes) {
  for (const Unit& unit : kUnits) {
    const std::uint64_t one = std::uint64_t{1} << unit.shift;
    if (bytes >= one && bytes % one == 0) return std::to_string(bytes / one) + std::string(unit.name);
  }
  return "0B";
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kWordBytesMax = 64;
  if (word.size() > kWordBytesMax) return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    // A word of three letters is within 2 of anything: demand that half of it is right.
    if (distance < best_distance && distance * 2 <= candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace inkmesh::config
