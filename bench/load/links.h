// The bytes that nodes send each other, read from outside: what the kernel counts of the TCP connections at their
// ports.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace inkmesh::bench {

/// Connections that have one of these ports at one of their ends, both directions. On one machine each has two sockets,
/// and a byte is counted at the one that sent it, once the other has it.
class Links {
 public:
  void add(std::uint16_t port) {
    ports_.insert(port);
  }
  bool empty() const {
    return ports_.empty();
  }

  /// Since the connections began. Throws std::runtime_error where the kernel does not tell.
  std::uint64_t bytes() const;

 private:
  std::set<std::uint16_t> ports_;
};

}  // namespace inkmesh::bench
