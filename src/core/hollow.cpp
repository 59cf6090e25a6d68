#include "inkmesh/hollow.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace inkmesh {
namespace {

/// In the order of the enumeration.
constexpr std::array<std::string_view, 9> kNames = {"new_or_lost", "other_list", "restored", "copied", "lost_records",
                                                    "lost_life",   "set_back",   "twin",     "unknown"};
static_assert(kNames.size() == static_cast<std::size_t>(HollowBecause::unknown) + 1);

}  // namespace

std::string_view name_of(HollowBecause because) {
  return kNames.at(static_cast<std::size_t>(because));
}

HollowBecause hollow_because(std::string_view mark) {
  const auto found = std::find(kNames.begin(), kNames.end(), mark);
  return found == kNames.end() ? HollowBecause::unknown : static_cast<HollowBecause>(found - kNames.begin());
}

}  // namespace inkmesh
