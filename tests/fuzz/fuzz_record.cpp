// What a store holds: refused, or a value that has these very bytes. The first byte says which table; the rest is a
// value, as it stands and, since no chance meets a checksum, once more with the checksum that it should have.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <string>

#include "door.h"
#include "store/record.h"

namespace {

using namespace inkmesh;
using fuzz::expect;

constexpr fuzz::Growth kGrowth{2, 512};
constexpr std::size_t kChecksumBytes = 8;
const Channel kChannel = "drawing_abc123";
const Origin kOrigin = "ws1~5k2m9x1q";
const ClientName kClient = "ann";
constexpr Seq kSeq = 42;

void try_stroke(std::string_view value) {
  const store::Key key = store::Key::of_stroke(kChannel, kOrigin, kSeq);
  const auto decode = [&] { return store::decode_stroke(key.bytes(), value, kChannel, kOrigin, kSeq); };
  const StrokePtr stroke = fuzz::within(kGrowth, value.size(), decode);
  const auto ts = store::decode_stroke_ts(key.bytes(), value);
  expect(ts.has_value() == (stroke != nullptr));
  if (!stroke) return;
  expect(*ts == stroke->ts && stroke->ts <= kNumberMax && stroke->op >= 1 && stroke->op <= kNumberMax);
  expect(valid_client(stroke->client) && stroke->data.size() <= kDataBytesMax);
  std::string again(store::stroke_value_bytes(*stroke), '\0');
  store::encode_stroke(key.bytes(), *stroke, stroke->duplicate, again.data());
  expect(again == value);
}

void try_head(std::string_view value) {
  const store::Key key = store::Key::of_head(kChannel, kOrigin);
  expect(store::channel_in_head_key(key.bytes()) == kChannel);
  const auto head = fuzz::within({0, 0}, 0, [&] { return store::decode_head(key.bytes(), value); });
  if (!head) return;
  char again[store::kHeadValueBytes];
  store::encode_head(key.bytes(), *head, again);
  expect(std::string_view(again, sizeof again) == value);
  expect(head->seq >= 1 && head->seq <= kNumberMax);
}

void try_op(std::string_view value) {
  const store::Key key = store::Key::of_op(kChannel, kClient, 17);
  const auto known = fuzz::within(kGrowth, value.size(), [&] { return store::decode_op(key.bytes(), value); });
  if (!known) return;
  expect(valid_origin(known->origin) && known->seq >= 1 && known->seq <= kNumberMax && known->ts <= kNumberMax);
  char again[store::kOpValueBytesMax];
  const std::size_t size = store::encode_op(key.bytes(), *known, again);
  expect(std::string_view(again, size) == value);
}

/// With the checksum of docs/storage_format.md before it.
std::string sealed(std::string_view key, std::string_view body) {
  const std::uint64_t checksum = XXH3_64bits_withSeed(key.data(), key.size(), XXH3_64bits(body.data(), body.size()));
  std::string value(kChecksumBytes, '\0');
  std::memcpy(value.data(), &checksum, sizeof checksum);
  return value.append(body);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const auto value = fuzz::text_of(bytes + 1, size - 1);
  switch (bytes[0] % 3) {
    case 0:
      try_stroke(value);
      try_stroke(sealed(store::Key::of_stroke(kChannel, kOrigin, kSeq).bytes(), value));
      break;
    case 1:
      try_head(value);
      try_head(sealed(store::Key::of_head(kChannel, kOrigin).bytes(), value));
      break;
    default:
      try_op(value);
      try_op(sealed(store::Key::of_op(kChannel, kClient, 17).bytes(), value));
  }
  return 0;
}
