// A gossip message: refused, or the one whose bytes these are.
#include "door.h"
#include "wire/mesh_codec.h"

namespace {

constexpr inkmesh::fuzz::Growth kGrowth{4, 1024};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace inkmesh;
  const auto text = fuzz::text_of(bytes, size);
  const auto message = fuzz::within(kGrowth, size, [&] { return wire::decode_gossip(text); });
  if (message) fuzz::expect(wire::encode(*message) == text);
  return 0;
}
