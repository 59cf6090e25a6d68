#include <algorithm>
#include <array>
#include <string_view>

#include "inkmesh/types.h"

namespace inkmesh {
namespace {

constexpr std::size_t kEpochChars = 8;

bool alphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool name_of(std::string_view name, std::size_t bytes_max, std::string_view marks) {
  if (name.empty() || name.size() > bytes_max) return false;
  return std::all_of(name.begin(), name.end(),
                     [marks](char c) { return alphanumeric(c) || marks.find(c) != std::string_view::npos; });
}

}  // namespace

bool valid_channel(std::string_view name) {
  return name_of(name, kChannelBytesMax, "_.:-");
}

bool valid_client(std::string_view name) {
  return name_of(name, kClientBytesMax, "_.:-");
}

bool valid_node_id(std::string_view id) {
  return name_of(id, kNodeIdBytesMax, "_-");
}

bool valid_origin(std::string_view origin) {
  if (origin.size() < kEpochChars + 2) return false;
  const std::size_t tilde = origin.size() - kEpochChars - 1;
  if (origin[tilde] != '~' || !valid_node_id(origin.substr(0, tilde))) return false;
  const std::string_view epoch = origin.substr(tilde + 1);
  return std::all_of(epoch.begin(), epoch.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

bool plausible_origin(std::string_view origin) {
  return !origin.empty() && origin.size() <= kForeignOriginBytesMax &&
         std::all_of(origin.begin(), origin.end(),
                     [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
}

Epoch epoch_from_bits(std::uint64_t bits) {
  constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  Epoch epoch(kEpochChars, '0');
  for (char& c : epoch) {
    c = alphabet[bits & 31U];
    bits >>= 5U;
  }
  return epoch;
}

Origin make_origin(const NodeId& node, const Epoch& epoch) {
  return node + "~" + epoch;
}

std::string_view node_of(std::string_view origin) {
  return origin.substr(0, origin.rfind('~'));
}

}  // namespace inkmesh
