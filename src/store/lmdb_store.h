// The LMDB replica. docs/storage_format.md has the grammar of its keys and values.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "inkmesh/types.h"
#include "store/store.h"

namespace inkmesh::store {

/// The store could not be opened; what() says which file, why, and what to do.
struct StoreError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct LmdbSettings {
  std::string path;  ///< a folder, made when it is missing
  std::uint64_t map_size_bytes = 0;
  NodeId node = {};  ///< whose store it is: written into a new one, compared with an old one; empty: not looked at
};

/// Opens (or makes) the store. Refuses a newer format version, a network file system, a folder that another process
/// has open, another node's store, a file that is cut short or seen to be damaged. Throws StoreError. `LmdbStore` is
/// thread-safe as Store says.
std::unique_ptr<Store> open_lmdb_store(const LmdbSettings& settings);

}  // namespace inkmesh::store
