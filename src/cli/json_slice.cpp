#include "cli/json_slice.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <limits>

#include "node/config/config_values.h"
#include "wire/json_scanner.h"

namespace inkmesh::cli {
namespace {

constexpr unsigned kAnyDepth = std::numeric_limits<unsigned>::max();

}  // namespace

std::string_view JsonObject::raw(std::string_view name) const {
  const auto at = std::find_if(members_.rbegin(), members_.rend(), [&](const Member& m) { return m.name == name; });
  return at == members_.rend() ? std::string_view{} : at->raw;
}

std::string JsonObject::text(std::string_view name) const {
  return text_of(raw(name));
}

std::optional<std::uint64_t> JsonObject::number(std::string_view name) const {
  return config::parse_whole(raw(name));
}

bool JsonObject::flag(std::string_view name) const {
  return raw(name) == "true";
}

std::optional<JsonObject> slice_object(std::string_view json) {
  wire::JsonScanner scanner(json, kAnyDepth);
  std::vector<JsonObject::Member> members;
  std::string_view name;
  if (!scanner.begin_object()) return std::nullopt;
  while (scanner.next_member(name)) {
    wire::JsonSlice value;
    if (!scanner.value(value)) return std::nullopt;
    // A name that is no text (half of a surrogate pair) is none that anyone asks for.
    members.push_back({wire::unescape(name).value_or(std::string()), value.text});
  }
  if (scanner.fault() != nullptr || !scanner.end()) return std::nullopt;
  return JsonObject(std::move(members));
}

std::optional<std::vector<std::string_view>> slice_array(std::string_view json) {
  wire::JsonScanner scanner(json, kAnyDepth);
  std::vector<std::string_view> elements;
  if (!scanner.begin_array()) return std::nullopt;
  while (scanner.next_element()) {
    wire::JsonSlice value;
    if (!scanner.value(value)) return std::nullopt;
    elements.push_back(value.text);
  }
  if (scanner.fault() != nullptr || !scanner.end()) return std::nullopt;
  return elements;
}

std::string text_of(std::string_view raw) {
  wire::JsonScanner scanner(raw, kAnyDepth);
  wire::JsonSlice value;
  if (!scanner.value(value) || !scanner.end() || value.kind != wire::JsonKind::string) return {};
  return wire::unescape(value.text).value_or(std::string());
}

std::string json_mistake(std::string_view json) {
  wire::JsonScanner scanner(json, kAnyDepth);
  wire::JsonSlice value;
  if (scanner.value(value) && scanner.end()) return {};
  return std::string(scanner.fault()) + " (byte " + std::to_string(scanner.fault_at() + 1) + ")";
}

std::string json_string(std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace inkmesh::cli
