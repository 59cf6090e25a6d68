// A broken invariant ends the process, in release too: going on could lose or double a stroke.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace inkmesh::core {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "inkmesh: broken invariant: %s\n", what);
  std::abort();
}

}  // namespace inkmesh::core
