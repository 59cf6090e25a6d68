// A cursor as in `?cursor=`: none, or one that comes back from its own JSON.
#include "door.h"
#include "wire/client_codec.h"

namespace {

constexpr inkmesh::fuzz::Growth kGrowth{16, 1024};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace inkmesh;
  const auto text_in = fuzz::text_of(bytes, size);
  const auto cursor = fuzz::within(kGrowth, size, [&] { return wire::parse_cursor(text_in); });
  if (!cursor) return 0;
  for (const auto& [origin, seq] : cursor->seqs())
    fuzz::expect(plausible_origin(origin) && seq >= 1 && seq <= kNumberMax);
  const std::string text = wire::encode(SendLive{0, "c", *cursor, true});
  const std::size_t begin = text.find("\"cursor\":") + 9;
  const std::size_t end = text.rfind(",\"complete\"");
  fuzz::expect(wire::parse_cursor(text.substr(begin, end - begin)) == cursor);
  return 0;
}
