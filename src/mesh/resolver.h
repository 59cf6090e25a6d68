// Names to addresses without waiting: that may take seconds, and the loop has none to give.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "inkmesh/config.h"
#include "mesh/addresses.h"

namespace inkmesh::mesh {

class Resolver {
 public:
  /// Nothing yet: ask again with the same address, until there is an answer. It is taken by that call; empty: none
  /// found. A bounded number are looked up at a time, the others wait for their turn.
  std::optional<std::vector<SocketAddress>> look_up(const Address& address);

 private:
  struct Job;
  std::vector<std::shared_ptr<Job>> jobs_;
};

}  // namespace inkmesh::mesh
