// Counts what this thread allocates with operator new: the test program's own replaces the library's.
#pragma once

#include <cstddef>

namespace inkmesh::test {

struct Allocations {
  std::size_t largest_bytes = 0;
  std::size_t total_bytes = 0;
  std::size_t count = 0;
};

/// Starts counting from nothing.
void reset_allocations();
Allocations allocations();

}  // namespace inkmesh::test
