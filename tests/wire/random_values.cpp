#include "random_values.h"

#include <array>

namespace inkmesh::test {
namespace {

constexpr std::string_view kNameAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-";
constexpr std::string_view kNodeAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

}  // namespace

std::uint64_t Random::between(std::uint64_t min, std::uint64_t max) {
  return std::uniform_int_distribution<std::uint64_t>(min, max)(engine_);
}

std::uint64_t Random::bits() {
  return engine_();
}

bool Random::chance(unsigned one_in) {
  return between(1, one_in) == 1;
}

std::uint64_t Random::number(std::uint64_t min, std::uint64_t max) {
  switch (between(0, 4)) {
    case 0:
      return min;
    case 1:
      return max;
    case 2:
      return between(min, std::min(max, min + 300));
    default:
      return between(min, max);
  }
}

std::string Random::name(std::string_view alphabet, std::size_t chars_max) {
  const std::size_t chars = chance(8) ? chars_max : between(1, std::min<std::size_t>(chars_max, 20));
  std::string name;
  for (std::size_t i = 0; i < chars; ++i)
    name += alphabet[between(0, alphabet.size() - 1)];
  return name;
}

Channel Random::channel() {
  return name(kNameAlphabet, kChannelBytesMax);
}
ClientName Random::client() {
  return name(kNameAlphabet, kClientBytesMax);
}
NodeId Random::node() {
  return name(kNodeAlphabet, kNodeIdBytesMax);
}
Epoch Random::epoch() {
  return epoch_from_bits(bits());
}
Origin Random::origin() {
  return make_origin(node(), epoch());
}

Cursor Random::cursor(std::size_t entries_max) {
  Cursor cursor;
  for (std::uint64_t n = between(0, entries_max); n > 0; --n)
    cursor.set(origin(), number(1));
  return cursor;
}

std::string Random::space() {
  constexpr std::string_view spaces = " \t\r\n";
  std::string space;
  while (chance(4))
    space += spaces[between(0, 3)];
  return space;
}

std::string Random::json_string() {
  static const std::array<std::string, 14> pieces = {"a",
                                                     "stroke",
                                                     "\\n",
                                                     "\\\"",
                                                     "\\\\",
                                                     "\\/",
                                                     "\\u00e9",
                                                     "\\ud83d\\ude00",
                                                     "\\u0000",
                                                     "\xC3\xA9",
                                                     "\xE2\x82\xAC",
                                                     "\xF0\x9F\x98\x80",
                                                     "twelve bytes",
                                                     "\x7F"};
  std::string text = "\"";
  for (std::uint64_t n = between(0, 6); n > 0; --n)
    text += pieces[between(0, pieces.size() - 1)];
  return text + "\"";
}

std::string Random::json(unsigned levels) {
  static const std::array<std::string, 14> scalars = {"null", "true", "false",  "0",
                                                      "-0",   "1.0",  "1.50",   "-12.5",
                                                      "1e10", "1E+2", "2e-300", "123456789012345678901234567890",
                                                      "0.1",  "42"};
  const std::uint64_t kind = levels == 0 ? 0 : between(0, 3);
  if (kind <= 1) return kind == 0 ? scalars[between(0, scalars.size() - 1)] : json_string();
  const bool object = kind == 2;
  std::string text = (object ? "{" : "[") + space();
  for (std::uint64_t left = between(0, 4); left > 0; --left) {
    if (object) text += json_string() + space() + ":" + space();
    text += json(levels - 1) + space() + (left > 1 ? "," + space() : "");
  }
  return text + (object ? "}" : "]");
}

}  // namespace inkmesh::test
