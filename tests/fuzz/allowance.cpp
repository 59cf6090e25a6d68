#include "allowance.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

// The linker's --wrap sends the program's calls of malloc here, those of header-only libraries among them.
extern "C" {
void* __real_malloc(std::size_t bytes);
void* __real_calloc(std::size_t count, std::size_t bytes);
void* __real_realloc(void* memory, std::size_t bytes);
void* __wrap_malloc(std::size_t bytes);
void* __wrap_calloc(std::size_t count, std::size_t bytes);
void* __wrap_realloc(void* memory, std::size_t bytes);
}

namespace {

thread_local bool counting = false;
thread_local std::size_t input_size = 0;
thread_local std::size_t allowed = 0;
thread_local std::size_t left = 0;

void charge(std::size_t bytes) {
  if (!counting) return;
  if (bytes > left) {
    counting = false;
    std::fprintf(stderr,
                 "an allocation of %zu bytes where %zu were left of the %zu that an input of %zu bytes justifies\n",
                 bytes, left, allowed, input_size);
    std::abort();
  }
  left -= bytes;
}

void* allocate(std::size_t bytes) {
  charge(bytes);
  void* const memory = __real_malloc(std::max<std::size_t>(bytes, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* __wrap_malloc(std::size_t bytes) {
  charge(bytes);
  return __real_malloc(bytes);
}
void* __wrap_calloc(std::size_t count, std::size_t bytes) {
  std::size_t total = 0;
  charge(__builtin_mul_overflow(count, bytes, &total) ? SIZE_MAX : total);
  return __real_calloc(count, bytes);
}
void* __wrap_realloc(void* memory, std::size_t bytes) {
  charge(bytes);
  return __real_realloc(memory, bytes);
}

void* operator new(std::size_t bytes) {
  return allocate(bytes);
}
void* operator new[](std::size_t bytes) {
  return allocate(bytes);
}
void* operator new(std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  charge(bytes);
  return __real_malloc(std::max<std::size_t>(bytes, 1));
}
void* operator new[](std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  charge(bytes);
  return __real_malloc(std::max<std::size_t>(bytes, 1));
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
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t& /*tag*/) noexcept {
  std::free(memory);
}

namespace inkmesh::fuzz {

Allowance::Allowance(std::size_t input_bytes, Growth growth) {
  if (counting) std::abort();
  input_size = input_bytes;
  allowed = growth.per_byte * input_bytes + growth.base;
  left = allowed;
  counting = true;
}

Allowance::~Allowance() {
  counting = false;
}

}  // namespace inkmesh::fuzz
