// A broken invariant ends the process, in release too: going on could store a stroke that is not the one it claims.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace inkmesh::store {

[[noreturn]] inline void broken(const std::string& what) {
  std::fprintf(stderr, "inkmesh: broken invariant in the store: %s\n", what.c_str());
  std::abort();
}

}  // namespace inkmesh::store
