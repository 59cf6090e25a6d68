#include "shrink.h"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace inkmesh::sim {
namespace {

/// So many seeds for each simpler run, its own among them.
constexpr unsigned kSeedsOfEach = 5;
constexpr std::uint64_t kNextSeed = 1'000'000'007;

bool breaks(const Options& options, const std::string& kind) {
  const Result result = run(options);
  return result.violation && kind_of(*result.violation) == kind;
}

}  // namespace

std::string kind_of(const Checker::Violation& violation) {
  std::istringstream words(violation.text);
  std::string kind;
  for (std::string word; words >> word;) {
    const bool names =
        std::any_of(word.begin(), word.end(), [](unsigned char each) { return std::isdigit(each) != 0; });
    if (!names) kind += (kind.empty() ? "" : " ") + word;
  }
  return kind;
}

Shrunk shrink(const Options& failing, unsigned runs_max) {
  Shrunk shrunk{failing};
  const Result first = run(failing);
  ++shrunk.runs;
  shrunk.reproduced = first.violation.has_value();
  if (!shrunk.reproduced) return shrunk;
  const std::string kind = kind_of(*first.violation);
  const auto take_simpler = [&](unsigned other_seed) {
    for (Options& simpler_one : simpler(shrunk.options)) {
      if (shrunk.runs >= runs_max) {
        shrunk.gave_up = true;
        return false;
      }
      simpler_one.seed += other_seed * kNextSeed;
      ++shrunk.runs;
      if (!breaks(simpler_one, kind)) continue;
      shrunk.options = simpler_one;
      shrunk.other_seed = shrunk.options.seed != failing.seed;
      ++shrunk.left_out;
      return true;
    }
    return false;
  };
  for (unsigned other_seed = 0; other_seed < kSeedsOfEach && !shrunk.gave_up;)
    other_seed = take_simpler(other_seed) ? 0 : other_seed + 1;
  return shrunk;
}

std::string describe(const Shrunk& shrunk) {
  const std::string runs = std::to_string(shrunk.runs) + " runs";
  if (!shrunk.reproduced) return "cannot be made simpler: these options keep every promise when they are run again";
  if (shrunk.left_out == 0 && shrunk.gave_up)
    return "is not any simpler after " + runs + ", which is as many as it had";
  if (shrunk.left_out == 0) return "cannot be made simpler: none of " + runs + " with one thing less breaks the same";
  return "made simpler in " + std::to_string(shrunk.left_out) + " steps, " + runs +
         (shrunk.gave_up ? ", which is as many as it had" : "; with one thing less it holds") +
         (shrunk.other_seed ? ". What is left has a seed of its own, which alone repeats nothing" : "");
}

}  // namespace inkmesh::sim
