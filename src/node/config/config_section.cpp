#include "node/config/config_section.h"

#include <algorithm>
#include <map>
#include <utility>

#include "node/config/config_values.h"

namespace inkmesh::config {
namespace {

using Kind = YamlValue::Kind;

/// Says why a number with leading zeros is refused.
std::string zeros(const YamlValue& value) {
  const bool leading =
      value.scalar.size() > 1 && value.scalar[0] == '0' && value.scalar[1] >= '0' && value.scalar[1] <= '9';
  return leading ? ", without leading zeros" : "";
}

/// What a memory map is made of.
constexpr std::uint64_t kPageBytes = 4096;

}  // namespace

std::string shown(const YamlValue& value) {
  switch (value.kind) {
    case Kind::nothing:
      return "nothing";
    case Kind::list:
      return value.children.empty() ? "an empty list" : "a list";
    case Kind::map:
      return value.children.empty() ? "an empty map" : "a map";
    case Kind::scalar:
      break;
  }
  constexpr std::size_t kShownBytesMax = 60;
  std::string text = value.scalar.substr(0, kShownBytesMax);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return '"' + text + (value.scalar.size() > kShownBytesMax ? "…\"" : "\"");
}

Section::Section(const YamlValue& value, std::string path, Mistakes& mistakes)
    : value_(value), path_(std::move(path)), mistakes_(mistakes), is_map_(value.kind == Kind::map) {
  if (!is_map_) mistakes_.push_back({value.line, path_, "expected a map of keys and values, found " + shown(value)});
}

std::string Section::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const YamlValue* Section::optional(const std::string& key) {
  known_.push_back(key);
  const auto at = std::find_if(value_.children.begin(), value_.children.end(),
                               [&key](const YamlValue& child) { return child.key == key; });
  return is_map_ && at != value_.children.end() ? &*at : nullptr;
}

const YamlValue* Section::required(const std::string& key, const std::string& expected) {
  const YamlValue* value = optional(key);
  if (value == nullptr && is_map_) mistakes_.push_back({value_.line, path_of(key), "missing; expected " + expected});
  return value;
}

void Section::refuse(const YamlValue& value, const std::string& expected) {
  mistakes_.push_back({value.line, path_of(value.key), "expected " + expected + ", found " + shown(value)});
}

bool Section::read_whole(const std::string& key, std::uint64_t& number, std::uint64_t min, std::uint64_t max) {
  const YamlValue* value = optional(key);
  if (value == nullptr) return false;
  const auto found = parse_whole(value->scalar);
  if (!found || *found < min || *found > max) {
    refuse(*value, "a whole number from " + std::to_string(min) + " to " + std::to_string(max) + zeros(*value));
    return false;
  }
  number = *found;
  return true;
}

bool Section::read_size(const std::string& key, std::uint64_t& number, std::uint64_t min, std::uint64_t max) {
  const YamlValue* value = optional(key);
  if (value == nullptr) return false;
  const auto found = parse_size(value->scalar);
  if (!found || *found < min || *found > max || *found % kPageBytes != 0) {
    refuse(*value, "a size from " + format_size(min) + " to " + format_size(max) + " with its unit, in steps of 4KiB" +
                       zeros(*value));
    return false;
  }
  number = *found;
  return true;
}

void Section::finish() {
  if (!is_map_) return;
  std::map<std::string_view, unsigned> seen;
  for (const YamlValue& child : value_.children) {
    const auto [first, fresh] = seen.emplace(child.key, child.key_line);
    if (!fresh) {
      mistakes_.push_back(
          {child.key_line, path_of(child.key), "given twice, first in line " + std::to_string(first->second)});
    } else if (std::find(known_.begin(), known_.end(), child.key) == known_.end()) {
      mistakes_.push_back({child.key_line, path_of(child.key), "unknown key; " + advice(child.key)});
    }
  }
}

std::string Section::advice(const std::string& key) const {
  const std::string near = nearest(key, known_);
  if (!near.empty()) return "did you mean \"" + near + "\"?";
  std::string list = "expected one of ";
  for (std::size_t i = 0; i < known_.size(); ++i)
    list += (i == 0 ? "" : ", ") + known_[i];
  return list;
}

}  // namespace inkmesh::config
