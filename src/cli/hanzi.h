// Characters of hanzi-writer-data (or of makemeahanzi, from which it is made) as pen strokes of the whiteboard.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inkmesh::cli {

/// Where characters go: cells of `size` in rows on the whiteboard's 1600 x 1000, from the left and the top, over again
/// when the board is full.
struct PageLayout {
  double left = 0;
  double top = 0;
  double size = 200;
  std::string colour = "#1a1a1a";
  double width = 4;
};

/// The pen paths (`medians`) of one character as strokes' data, in the order in which they are written. `cell` counts
/// characters from 0. Nothing when the JSON is no such object.
std::optional<std::vector<std::string>> strokes_of_character(std::string_view json, const PageLayout& page,
                                                             std::size_t cell);

}  // namespace inkmesh::cli
