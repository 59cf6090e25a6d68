// What led to a broken promise, as few lines as may be: of a run's trace those that concern the promise's channel,
// strokes, authors and nodes.
#pragma once

#include <cstddef>
#include <string>

#include "run.h"

namespace inkmesh::sim {

struct View {
  std::size_t lines_max = 80;  ///< the last ones
  bool all = false;            ///< everything that happened, whatever it concerns
};

/// The result of a recorded run. Its violation is the last line.
std::string history(const Result& result, const View& view);

}  // namespace inkmesh::sim
