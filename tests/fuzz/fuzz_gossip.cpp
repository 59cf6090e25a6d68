// A gossip message: refused, or the one whose bytes these are.
#include "expect.h"
#include "wire/mesh_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace inkmesh;
  const auto text = fuzz::text_of(bytes, size);
  if (const auto message = wire::decode_gossip(text)) fuzz::expect(wire::encode(*message) == text);
  return 0;
}
