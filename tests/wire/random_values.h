// Seeded random names, numbers and JSON: the same seed gives the same values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "inkmesh/cursor.h"
#include "inkmesh/types.h"

namespace inkmesh::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// `min` to `max`, both included.
  std::uint64_t between(std::uint64_t min, std::uint64_t max);
  std::uint64_t bits();
  bool chance(unsigned one_in);
  /// Small ones, large ones and the ends of the range.
  std::uint64_t number(std::uint64_t min = 0, std::uint64_t max = kNumberMax);

  std::string name(std::string_view alphabet, std::size_t chars_max);
  Channel channel();
  ClientName client();
  NodeId node();
  Epoch epoch();
  Origin origin();
  Cursor cursor(std::size_t entries_max);

  /// A JSON value with odd whitespace, numbers and escapes, at most `levels` deep.
  std::string json(unsigned levels);

 private:
  std::string space();
  std::string json_string();

  std::mt19937_64 engine_;
};

}  // namespace inkmesh::test
