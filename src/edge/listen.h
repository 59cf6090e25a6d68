// Listening sockets, several for one address (SO_REUSEPORT), so that each shard accepts for itself.
#pragma once

#include <cstdint>
#include <vector>

#include "inkmesh/config.h"

namespace inkmesh::edge {

/// Binds and listens on every address that `where.host` resolves to, `shards` times each. Port 0 takes a free one, the
/// same for all. Returns, for each shard, its non-blocking descriptors, which the caller owns. Refuses a port that
/// another process listens on, SO_REUSEPORT or not. Throws std::runtime_error with the address and the reason.
std::vector<std::vector<int>> listen_on(const Address& where, unsigned shards, std::uint16_t& port);

}  // namespace inkmesh::edge
