// GET /status and GET /readyz: what people, the whiteboard and balancers ask a node.
#pragma once

#include <string>

#include "inkmesh/config.h"
#include "node/snapshot.h"

namespace inkmesh::node {

/// docs/operations.md has its fields.
std::string status_json(const ClusterConfig& config, const Snapshot& now);

/// `{"ready":false,"reasons":["..."]}`
std::string ready_json(const CoreStatus& core);

}  // namespace inkmesh::node
