#include "load/json.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace inkmesh::bench {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

std::string microseconds(std::uint64_t nanoseconds) {
  return number(static_cast<double>(nanoseconds) / 1000);
}

}  // namespace

JsonObject& JsonObject::raw(std::string_view key, std::string_view value) {
  if (!body_.empty()) body_ += ',';
  body_ += quoted(key);
  body_ += ':';
  body_ += value;
  return *this;
}

JsonObject& JsonObject::add(std::string_view key, std::string_view value) {
  return raw(key, quoted(value));
}

JsonObject& JsonObject::add(std::string_view key, double value) {
  return raw(key, number(value));
}

JsonObject& JsonObject::add(std::string_view key, const std::vector<std::string>& values) {
  std::string list;
  for (const auto& value : values)
    list += (list.empty() ? "" : ",") + quoted(value);
  return raw(key, "[" + list + "]");
}

JsonObject& JsonObject::add(std::string_view key, const std::vector<double>& values) {
  std::string list;
  for (const double value : values)
    list += (list.empty() ? "" : ",") + number(value);
  return raw(key, "[" + list + "]");
}

JsonObject& JsonObject::add(std::string_view key, const Histogram& values) {
  std::string curve;
  for (const auto& [share, value] : values.curve()) {
    curve += (curve.empty() ? "[" : ",[") + number(share) + "," + microseconds(value) + "]";
  }
  std::string body = "{\"count\":" + std::to_string(values.count()) + ",\"mean\":" + number(values.mean() / 1000);
  const auto point = [&](const char* name, double share) {
    body += std::string(",\"") + name + "\":" + microseconds(values.at(share));
  };
  point("p50", 0.5);
  point("p90", 0.9);
  point("p99", 0.99);
  point("p999", 0.999);
  body += ",\"max\":" + microseconds(values.max()) + ",\"curve\":[" + curve + "]}";
  return raw(key, body);
}

}  // namespace inkmesh::bench
