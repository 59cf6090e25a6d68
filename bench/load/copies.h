// To how many other nodes of an inkmesh cluster a stroke has to go: to its channel's homes, and to those where somebody
// has it open. What flows between nodes is held against it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "load/drawing.h"

namespace inkmesh::bench {

/// For each member of the plan; 0 where it does not draw. The nodes' ids are ws1, ws2, …; `homes`: of each channel.
std::vector<std::uint32_t> copies_by_member(const DrawingPlan& plan, const std::vector<std::string>& channel_names,
                                            std::uint32_t nodes, std::uint32_t homes);

}  // namespace inkmesh::bench
