// A frame of a link: refused, or one that comes back from its own bytes. A run's author may be written twice where one
// byte would do, so the bytes need not be these.
#include "expect.h"
#include "wire/mesh_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace inkmesh;
  const auto frame = wire::decode_frame(fuzz::text_of(bytes, size));
  if (!frame) return 0;
  const std::string again = wire::encode(*frame);
  fuzz::expect(again.size() <= size);
  const auto back = wire::decode_frame(again);
  fuzz::expect(back && wire::encode(*back) == again);
  return 0;
}
