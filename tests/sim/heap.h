// How much of the heap is in use: for the programs that measure, which link heap.cpp and with it their own operator
// new.
#pragma once

#include <cstdint>

namespace inkmesh::sim {

/// Bytes that were allocated with new and not given back, with the allocator's rounding.
std::int64_t heap_bytes();

}  // namespace inkmesh::sim
