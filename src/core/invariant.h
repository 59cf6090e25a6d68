// A broken invariant ends the process, in release too: going on could lose or double a stroke.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace inkmesh::core {

/// Told first. A simulator throws from it: it has a history to show before it ends.
inline void (*on_broken_invariant)(const char* what) = nullptr;

inline void require(bool holds, const char* what) {
  if (holds) return;
  if (on_broken_invariant != nullptr) on_broken_invariant(what);
  std::fprintf(stderr, "inkmesh: broken invariant: %s\n", what);
  std::abort();
}

}  // namespace inkmesh::core
