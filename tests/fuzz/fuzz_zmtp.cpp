// What comes to a node's port for links: the same is found however the bytes are cut, and what is held is within its
// bound. The first byte is the length of the pieces.
#include <algorithm>
#include <string>

#include "door.h"
#include "mesh/zmtp.h"

namespace {

using namespace inkmesh;
using fuzz::expect;
using mesh::zmtp::Reader;
using mesh::zmtp::Role;

/// Small, so that short inputs reach it.
constexpr std::size_t kMessageBytesMax = 512;

/// All that was found, in order; until the connection would be closed.
std::string found_in(std::string_view text, std::size_t piece) {
  Reader reader(Role::router, kMessageBytesMax);
  std::string all;
  Reader::Found found = Reader::Found::nothing;
  while (!text.empty() && found != Reader::Found::broken) {
    const std::size_t size = std::min(piece, text.size());
    reader.take(text.substr(0, size));
    while ((found = reader.next()) != Reader::Found::nothing) {
      all += static_cast<char>(found);
      if (found == Reader::Found::broken) break;
      if (found == Reader::Found::opened) continue;
      expect(reader.payload().size() <= kMessageBytesMax);
      all += std::to_string(reader.payload().size()) + ' ';
      all += reader.payload();
      if (found == Reader::Found::message) all += std::to_string(reader.parts());
    }
    reader.keep();
    text.remove_prefix(size);
  }
  return all;
}

/// An opening takes 64 bytes that are the same in every connection: the rest of the input is tried behind one, too.
std::string behind_an_opening(std::string_view text) {
  return mesh::zmtp::opening(Role::dealer) + std::string(text);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const auto raw = fuzz::text_of(bytes + 1, size - 1);
  for (const std::string& text : {std::string(raw), behind_an_opening(raw)}) {
    const std::string whole = found_in(text, text.size());
    expect(found_in(text, 1) == whole);
    expect(found_in(text, std::size_t{bytes[0]} + 1) == whole);
    fuzz::within({4, 2048}, text.size(), [&] {
      Reader reader(Role::router, kMessageBytesMax);
      reader.take(text);
      for (Reader::Found found = reader.next(); found != Reader::Found::nothing && found != Reader::Found::broken;
           found = reader.next()) {
      }
      reader.keep();
      return 0;
    });
  }
  return 0;
}
