// What a decoder may allocate, measured against the length of its input: past it the program aborts where the memory is
// asked for, so that the stack shows who asked.
#pragma once

#include <cstddef>

namespace inkmesh::fuzz {

/// Total of all that is asked for, whether or not it is given back: `per_byte` for each byte of the input, and `base`.
struct Growth {
  std::size_t per_byte;
  std::size_t base;
};

/// Counts what this thread asks for, with new or malloc, until its end. Not nested.
class Allowance {
 public:
  Allowance(std::size_t input_bytes, Growth growth);
  ~Allowance();
  Allowance(const Allowance&) = delete;
  Allowance& operator=(const Allowance&) = delete;
};

/// `decode()` on an input of so many bytes, within its allowance.
template <class Decode>
auto within(Growth growth, std::size_t input_bytes, Decode decode) {
  const Allowance allowance(input_bytes, growth);
  return decode();
}

}  // namespace inkmesh::fuzz
