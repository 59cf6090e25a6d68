// One run: clients at work while things go wrong, then everything is whole and must come together.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "checker.h"
#include "options.h"
#include "trace.h"

namespace inkmesh::sim {

struct Result {
  std::optional<Checker::Violation> violation;
  std::vector<std::pair<Origin, Seq>> concerned;  ///< strokes that the violation names, by place or by op
  std::uint64_t trace_hash = 0;
  std::uint64_t steps = 0;  ///< things that happened
  SimUs virtual_us = 0;
  SimUs converged_us = 0;  ///< from the faults' end until all had come together
  std::uint64_t acks = 0;
  std::uint64_t owed_acks = 0;       ///< publishes that had to be answered within a second
  std::vector<Trace::Line> history;  ///< when recorded
};

/// The same options give the same result.
Result run(const Options& options, bool record = false);

}  // namespace inkmesh::sim
