// A YAML file as a small tree that knows its lines. Its own reader on yaml-cpp's events, so that what a hostile or
// mistaken file can make us hold is bounded: size, depth, number of values; no aliases, no tags.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace inkmesh::config {

constexpr std::size_t kYamlBytesMax = std::size_t{1} << 20;
constexpr std::size_t kYamlDepthMax = 8;
constexpr std::size_t kYamlValuesMax = 50'000;

struct YamlValue {
  enum class Kind { nothing, scalar, list, map };

  Kind kind = Kind::nothing;
  unsigned line = 0;  ///< from 1
  std::string key;    ///< where the value stands in a map
  unsigned key_line = 0;
  std::string scalar;
  std::vector<YamlValue> children;  ///< of a list or a map, in the file's order; a map may hold a key twice
};

/// What is wrong with the text itself, and where.
struct YamlError {
  unsigned line = 0;
  std::string text;
};

/// Parses one document. Throws YamlError, and nothing else but std::bad_alloc.
YamlValue parse_yaml(std::string_view text);

}  // namespace inkmesh::config
