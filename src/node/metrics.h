// A node's numbers as Prometheus reads them (text format 0.0.4).
#pragma once

#include <string>

#include "node/snapshot.h"

namespace inkmesh::node {

constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_text(const Snapshot& now);

}  // namespace inkmesh::node
