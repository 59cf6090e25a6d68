// What a WebSocket client sends, as the edge counts it: the verdict is the same however the bytes are cut, and nothing
// is allocated. The first byte is the length of the pieces.
#include <algorithm>

#include "door.h"
#include "edge/frame_walk.h"

namespace {

using namespace inkmesh;
using edge::FrameWalk;
using fuzz::expect;

/// Small, so that short inputs reach every verdict.
constexpr edge::FrameLimits kLimits{{5, 4}, {5, 6}, 3};
constexpr MonotonicMs kNow = 1'000;

struct Outcome {
  FrameWalk::Verdict verdict = FrameWalk::Verdict::fine;
  MonotonicMs unfinished_since_ms = 0;
  bool may_go_on = false;

  bool operator==(const Outcome&) const = default;
};

/// Until the connection would be closed.
Outcome walk(std::string_view text, std::size_t piece) {
  FrameWalk frames;
  Outcome outcome;
  while (!text.empty() && outcome.verdict < FrameWalk::Verdict::abuse) {
    const std::size_t size = std::min(piece, text.size());
    outcome.verdict = std::max(outcome.verdict, frames.feed(text.data(), size, kNow, kLimits));
    text.remove_prefix(size);
  }
  outcome.unfinished_since_ms = frames.unfinished_since_ms();
  outcome.may_go_on = frames.may_go_on(kNow, kLimits);
  return outcome;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const auto text = fuzz::text_of(bytes + 1, size - 1);
  fuzz::within({0, 0}, size, [&] {
    const Outcome whole = walk(text, text.size());
    expect(walk(text, 1) == whole);
    expect(walk(text, std::size_t{bytes[0]} + 1) == whole);
    expect(whole.unfinished_since_ms == 0 || whole.unfinished_since_ms == kNow);
    return 0;
  });
  return 0;
}
