// Numbers of the command lines of inkmesh_sim, inkmesh_mutants and inkmesh_scale.
#pragma once

#include <charconv>
#include <string_view>
#include <system_error>

namespace inkmesh::sim {

/// False when the text is not one number from its first character to its last, or one that Number cannot hold.
template <typename Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace inkmesh::sim
