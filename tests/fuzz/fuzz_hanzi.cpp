// A file of characters: refused, or strokes that a whiteboard can draw.
#include "cli/hanzi.h"
#include "cli/json_slice.h"
#include "door.h"

namespace {

using namespace inkmesh;
using fuzz::expect;

/// A stroke is written at some 20 bytes for each point, which takes six bytes at least, after three levels of slices.
constexpr fuzz::Growth kGrowth{640, 16 * 1024};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const cli::PageLayout page{40, 60, 150, "#1a1a1a", 4};
  const auto text = fuzz::text_of(bytes + 1, size - 1);
  const auto draw = [&] { return cli::strokes_of_character(text, page, bytes[0]); };
  const auto strokes = fuzz::within(kGrowth, size, draw);
  if (!strokes) return 0;
  expect(cli::slice_object(text).has_value());
  for (const std::string& stroke : *strokes) {
    const auto data = cli::slice_object(stroke);
    expect(data && data->text("t") == "pen" && data->text("c") == page.colour);
    const auto points = cli::slice_array(data->raw("p"));
    expect(points && !points->empty() && points->size() <= 2'000);
    for (const std::string_view point : *points)
      expect(cli::slice_array(point)->size() == 3);
  }
  return 0;
}
