// All that a node tells about itself at one moment: what /metrics and /status are made of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "edge/ws_edge.h"
#include "inkmesh/config.h"
#include "inkmesh/core.h"
#include "mesh/mesh.h"
#include "node/process.h"
#include "store/committer.h"
#include "store/store.h"

namespace inkmesh::node {

/// The loop thread's own work.
struct LoopStats {
  std::uint64_t turns = 0;
  std::uint64_t events = 0;
  std::uint64_t busy_us_total = 0;  ///< from the end of a wait to the start of the next
  std::uint64_t turn_us_max = 0;
  std::uint64_t refused = 0;  ///< requests that found the mailbox full
  std::uint64_t waiting = 0;  ///< in the mailboxes now
};

struct Snapshot {
  CoreStatus core;
  edge::EdgeStats edge;
  mesh::MeshStats mesh;
  store::CommitterStats committer;
  store::StoreUsage store;
  LoopStats loop;
  ProcessUsage process;
};

}  // namespace inkmesh::node
