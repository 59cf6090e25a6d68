#include "heap.h"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace {

std::int64_t g_bytes = 0;

}  // namespace

void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  void* const block = std::malloc(size);
  if (block != nullptr) g_bytes += static_cast<std::int64_t>(malloc_usable_size(block));
  return block;
}

void* operator new(std::size_t size) {
  void* const block = operator new(size, std::nothrow);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  g_bytes -= static_cast<std::int64_t>(malloc_usable_size(block));
  std::free(block);
}

void operator delete(void* block, std::size_t) noexcept {
  operator delete(block);
}

void operator delete(void* block, const std::nothrow_t& /*tag*/) noexcept {
  operator delete(block);
}

std::int64_t inkmesh::sim::heap_bytes() {
  return g_bytes;
}
