// JSON objects of results, written as they are filled.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "load/histogram.h"

namespace inkmesh::bench {

class JsonObject {
 public:
  JsonObject& add(std::string_view key, std::string_view value);
  JsonObject& add(std::string_view key, const char* value) {
    return add(key, std::string_view(value));
  }
  JsonObject& add(std::string_view key, double value);
  JsonObject& add(std::string_view key, bool value) {
    return raw(key, value ? "true" : "false");
  }
  template <std::integral Number>
  JsonObject& add(std::string_view key, Number value) {
    return raw(key, std::to_string(value));
  }
  JsonObject& add(std::string_view key, const JsonObject& value) {
    return raw(key, value.text());
  }
  JsonObject& add(std::string_view key, const std::vector<std::string>& values);
  JsonObject& add(std::string_view key, const std::vector<double>& values);
  /// Nanoseconds as microseconds: count, mean, p50, p90, p99, p999, max, curve.
  JsonObject& add(std::string_view key, const Histogram& values);

  std::string text() const {
    return "{" + body_ + "}";
  }

 private:
  JsonObject& raw(std::string_view key, std::string_view value);
  std::string body_;
};

}  // namespace inkmesh::bench
