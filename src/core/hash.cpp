#define XXH_INLINE_ALL
#include <xxhash.h>

#include "inkmesh/stroke.h"

namespace inkmesh {
namespace {

std::uint64_t hash(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace

std::uint64_t channel_hash(std::string_view channel) {
  return hash(channel, 0);
}

std::uint64_t data_hash(std::string_view data) {
  return hash(data, 1);
}

std::uint64_t chain_hash(std::uint64_t previous, const Stroke& stroke) {
  const std::uint64_t fields[] = {
      previous, stroke.seq, stroke.ts, stroke.op, hash(stroke.origin, 2), hash(stroke.client, 3), hash(stroke.data, 4)};
  return XXH3_64bits(fields, sizeof fields);
}

}  // namespace inkmesh
