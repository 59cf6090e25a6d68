// What a workload has to say at its end.
#pragma once

#include <string>
#include <vector>

#include "load/json.h"

namespace inkmesh::bench {

struct Result {
  JsonObject figures;
  std::vector<std::string> failures;  ///< empty: the figures count
};

}  // namespace inkmesh::bench
