// What a node tells `inkmesh tail`: a message a line. What comes out is JSON, a line for each stroke; the cursor never
// goes back but where the node says so, and can be shown again.
#include <stdexcept>

#include "cli/channel_reader.h"
#include "door.h"

namespace {

using namespace inkmesh;
using fuzz::expect;

/// An empty stroke, three bytes, is a broken promise with a sentence of its own.
constexpr fuzz::Growth kGrowth{640, 16 * 1024};

void check(const cli::ReaderNews& news) {
  expect(!news.retry_ms || *news.retry_ms <= 10'000);
  std::string_view lines = news.lines;
  while (!lines.empty()) {
    const auto line = cli::slice_object(fuzz::cut(lines, '\n'));
    expect(line && line->text("channel") == "c" && !line->raw("origin").empty() && line->number("seq").has_value());
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  auto rest = fuzz::text_of(bytes, size);
  cli::ChannelReader reader("c", {});
  try {
    while (!rest.empty()) {
      const std::string_view message = fuzz::cut(rest, '\n');
      check(fuzz::within(kGrowth, message.size(), [&] { return reader.take(message); }));
      expect(cli::cursor_of(cli::json_of(reader.cursor())) == reader.cursor());
      expect(cli::slice_object(reader.subscribe_message()).has_value());
    }
  } catch (const std::runtime_error&) {
    // The node refused for good.
  }
  return 0;
}
