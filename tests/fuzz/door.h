// What every door has in common: its entry point, and what must hold for every input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "allowance.h"

/// A door's entry point: libFuzzer calls it, and so does the replay. Aborts where something does not hold.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace inkmesh::fuzz {

inline void expect(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: does not hold\n", file, line);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

/// The text before the first `separator`, which is cut off `rest` together with it; all of it when there is none.
inline std::string_view cut(std::string_view& rest, char separator) {
  const std::string_view head = rest.substr(0, rest.find(separator));
  rest.remove_prefix(head.size() < rest.size() ? head.size() + 1 : head.size());
  return head;
}

}  // namespace inkmesh::fuzz
