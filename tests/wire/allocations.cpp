#include "allocations.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

thread_local inkmesh::test::Allocations counted;

void* allocate(std::size_t bytes) {
  counted.largest_bytes = std::max(counted.largest_bytes, bytes);
  counted.total_bytes += bytes;
  ++counted.count;
  void* const memory = std::malloc(std::max<std::size_t>(bytes, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) {
  return allocate(bytes);
}
void* operator new[](std::size_t bytes) {
  return allocate(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}

namespace inkmesh::test {

void reset_allocations() {
  counted = {};
}

Allocations allocations() {
  return counted;
}

}  // namespace inkmesh::test
