// An epoll whose news are noted where the watched one looks for them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <sys/epoll.h>

#include "mesh/descriptor.h"

namespace inkmesh::mesh {

class Poller {
 public:
  /// Throws std::runtime_error when descriptors have run out.
  Poller();

  /// From now on wait() adds to `ready` (EPOLLIN, EPOLLOUT, ...) for as long as something is; null: only wakes. Ends
  /// when the descriptor is closed, and `ready` must stay until then. Throws std::runtime_error when the kernel
  /// refuses.
  void watch(int descriptor, std::uint32_t events, std::uint32_t* ready);
  /// Other events of a watched one.
  void change(int descriptor, std::uint32_t events, std::uint32_t* ready);

  /// At most so long; less than 0: until something is ready. A signal may end it early.
  void wait(std::int64_t timeout_ms);

  /// Readable when something is ready.
  int descriptor() const {
    return epoll_.get();
  }

 private:
  Descriptor epoll_;
  std::vector<epoll_event> found_;
};

}  // namespace inkmesh::mesh
