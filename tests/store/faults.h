// Faults of the disk: this program's own fdatasync, fallocate, pwrite and writev stand before the C library's, for LMDB
// too. Off, they are the system calls.
#pragma once

#include <atomic>

namespace inkmesh::store {

struct Faults {
  std::atomic<int> fdatasync_errno{0};  ///< what every fdatasync fails with; 0: none
  std::atomic<int> fallocate_errno{0};
  std::atomic<int> write_errno{0};       ///< pwrite and writev
  std::atomic<bool> write_short{false};  ///< pwrite and writev write one byte less
  std::atomic<unsigned> fdatasync_calls{0};
};

extern Faults faults;

/// Ends every fault with its scope.
struct FaultsEnd {
  ~FaultsEnd();
};

}  // namespace inkmesh::store
