#include "cli/hanzi.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "cli/json_slice.h"

namespace inkmesh::cli {
namespace {

constexpr double kBoardWidth = 1600;
constexpr double kBoardHeight = 1000;
/// The data's own square: x from 0 to 1024, y upwards from -124 to 900.
constexpr double kGlyphSize = 1024;
constexpr double kGlyphTop = 900;
constexpr std::size_t kPointsMax = 2'000;

std::optional<double> number_of(std::string_view raw) {
  double value = 0;
  const auto [stop, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (error != std::errc{} || stop != raw.data() + raw.size() || std::abs(value) > 1e6) return std::nullopt;
  return value;
}

/// A tenth of a unit is finer than any screen.
std::string written(double value) {
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%.1f", value);
  std::string out(text, static_cast<std::size_t>(size));
  if (out.size() > 2 && out.compare(out.size() - 2, 2, ".0") == 0) out.resize(out.size() - 2);
  return out;
}

/// A brush sets down, presses and lifts: light at both ends.
double pressure_at(std::size_t index, std::size_t count) {
  const double along = count < 2 ? 0.5 : static_cast<double>(index) / static_cast<double>(count - 1);
  return 0.35 + 0.4 * std::sin(along * 3.14159265358979);
}

}  // namespace

std::optional<std::vector<std::string>> strokes_of_character(std::string_view json, const PageLayout& page,
                                                             std::size_t cell) {
  const auto character = slice_object(json);
  const auto medians = character ? slice_array(character->raw("medians")) : std::nullopt;
  if (!medians) return std::nullopt;
  const auto columns = std::max<std::size_t>(1, static_cast<std::size_t>((kBoardWidth - page.left) / page.size));
  const auto rows = std::max<std::size_t>(1, static_cast<std::size_t>((kBoardHeight - page.top) / page.size));
  const double left = page.left + page.size * static_cast<double>(cell % columns);
  const double top = page.top + page.size * static_cast<double>(cell / columns % rows);
  const double scale = page.size / kGlyphSize;
  std::vector<std::string> strokes;
  for (const std::string_view median : *medians) {
    const auto points = slice_array(median);
    if (!points || points->empty() || points->size() > kPointsMax) return std::nullopt;
    std::string stroke = R"({"t":"pen","c":)" + json_string(page.colour) + ",\"w\":" + written(page.width) + ",\"p\":[";
    for (std::size_t i = 0; i < points->size(); ++i) {
      const auto point = slice_array((*points)[i]);
      if (!point || point->size() != 2) return std::nullopt;
      const auto x = number_of((*point)[0]);
      const auto y = number_of((*point)[1]);
      if (!x || !y) return std::nullopt;
      char pressure[16];
      std::snprintf(pressure, sizeof pressure, "%.2f", pressure_at(i, points->size()));
      stroke += (i == 0 ? "[" : ",[") + written(left + *x * scale) + "," + written(top + (kGlyphTop - *y) * scale) +
                "," + pressure + "]";
    }
    strokes.push_back(stroke + "]}");
  }
  return strokes;
}

}  // namespace inkmesh::cli
