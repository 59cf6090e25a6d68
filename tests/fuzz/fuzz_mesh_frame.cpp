// A frame of a link: refused, or one that comes back from its own bytes. A run's author may be written twice where one
// byte would do, so the bytes need not be these.
#include "door.h"
#include "inkmesh/stroke.h"
#include "wire/mesh_codec.h"

namespace {

/// What a list claims is asked for before its first value is read, and lists stand in each other: a frame of empty
/// messages, a byte each, that begins with a run of strokes, each five bytes and with its channel's name of its own.
constexpr std::size_t kRunGrowth = (sizeof(inkmesh::Stroke) + 4 * sizeof(void*) + inkmesh::kChannelBytesMax) / 5;
constexpr inkmesh::fuzz::Growth kGrowth{sizeof(inkmesh::LinkMessage) + kRunGrowth, 1024};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace inkmesh;
  const auto text = fuzz::text_of(bytes, size);
  const auto frame = fuzz::within(kGrowth, size, [&] { return wire::decode_frame(text); });
  if (!frame) return 0;
  const std::string again = wire::encode(*frame);
  fuzz::expect(again.size() <= size);
  if (again == text) return 0;
  const auto back = wire::decode_frame(again);
  fuzz::expect(back && wire::encode(*back) == again);
  return 0;
}
