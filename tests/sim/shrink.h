// A failing run made as simple as it can be: one thing after the other is left out, as long as the same promise breaks.
#pragma once

#include <string>

#include "options.h"
#include "run.h"

namespace inkmesh::sim {

/// What is broken, whoever it is and wherever: a violation's words without names and numbers.
std::string kind_of(const Checker::Violation& violation);

struct Shrunk {
  Options options;  ///< the simplest that were found, or those that were given
  unsigned runs = 0;
  unsigned left_out = 0;    ///< so many steps of `simpler` held
  bool reproduced = false;  ///< what was given breaks a promise: else nothing was tried
  bool gave_up = false;     ///< the runs were used up
  bool other_seed = false;  ///< the simplest run's seed is not the one that was given
};
/// At most `runs_max` runs. Where a simpler run of the same seed holds, some of other seeds are tried.
Shrunk shrink(const Options& failing, unsigned runs_max);

/// What came of it, for a person.
std::string describe(const Shrunk& shrunk);

}  // namespace inkmesh::sim
