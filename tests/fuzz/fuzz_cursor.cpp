// A cursor as in `?cursor=`: none, or one that comes back from its own JSON.
#include "expect.h"
#include "wire/client_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace inkmesh;
  const auto cursor = wire::parse_cursor(fuzz::text_of(bytes, size));
  if (!cursor) return 0;
  for (const auto& [origin, seq] : cursor->seqs())
    fuzz::expect(plausible_origin(origin) && seq >= 1 && seq <= kNumberMax);
  const std::string text = wire::encode(SendLive{0, "c", *cursor, true});
  const std::size_t begin = text.find("\"cursor\":") + 9;
  const std::size_t end = text.rfind(",\"complete\"");
  fuzz::expect(wire::parse_cursor(text.substr(begin, end - begin)) == cursor);
  return 0;
}
