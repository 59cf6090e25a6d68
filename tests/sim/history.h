// What led to a broken promise, as few lines as may be: of a run's trace those that concern the promise's channel,
// strokes, authors, clients and nodes; what goes on in the same way again and again is said once.
#pragma once

#include <cstddef>
#include <string>

#include "run.h"

namespace inkmesh::sim {

struct View {
  std::size_t lines_max = 60;  ///< the last ones
  bool all = false;            ///< everything that happened, whatever it concerns
};

/// The result of a recorded run. Its violation is the last line.
std::string history(const Result& result, const View& view);

}  // namespace inkmesh::sim
