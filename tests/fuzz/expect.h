// What must hold for every input: a fuzzer stops where it does not.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace inkmesh::fuzz {

inline void expect(bool holds) {
  if (!holds) std::abort();
}

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace inkmesh::fuzz
