// One character of UTF-8, checked.
#pragma once

#include <cstddef>

namespace inkmesh::wire {

/// The length (2 to 4 bytes) of the well-formed multi-byte character at `at`, or 0 where there is none: a stray or
/// missing continuation byte, an overlong form, a surrogate, a code point past U+10FFFF. `at` < `end`.
inline std::size_t utf8_multibyte(const char* at, const char* end) {
  const auto byte = [at](std::size_t i) { return static_cast<unsigned char>(at[i]); };
  const auto continues = [&byte](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const auto left = static_cast<std::size_t>(end - at);
  const unsigned char lead = byte(0);
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return left >= 2 && continues(1) ? 2 : 0;
  if (lead < 0xF0) {
    if (left < 3 || !continues(1) || !continues(2)) return 0;
    const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = lead == 0xED && byte(1) > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead > 0xF4 || left < 4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  const bool overlong = lead == 0xF0 && byte(1) < 0x90;
  const bool too_large = lead == 0xF4 && byte(1) > 0x8F;
  return overlong || too_large ? 0 : 4;
}

}  // namespace inkmesh::wire
