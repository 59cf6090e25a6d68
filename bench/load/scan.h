// Values in a server's JSON, found by their keys without a parse: its messages are known to be well-formed.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

namespace inkmesh::bench {

inline std::uint64_t number_at(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The number behind `key`, which ends with a colon; 0 when there is none.
inline std::uint64_t number_of(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  return at == std::string_view::npos ? 0 : number_at(text.substr(at + key.size()));
}

inline std::string_view text_of(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == std::string_view::npos) return {};
  const auto rest = text.substr(at + key.size());
  return rest.substr(0, rest.find('"'));
}

}  // namespace inkmesh::bench
