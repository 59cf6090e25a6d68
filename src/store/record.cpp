#define XXH_INLINE_ALL
#include "store/record.h"

#include <xxhash.h>

#include <cstring>
#include <memory>
#include <string>

#include "store/broken.h"

namespace inkmesh::store {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values are copied as they lie in memory");

constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kStrokeHeaderBytes = kChecksumBytes + 8 + 8 + 1 + 1;
constexpr std::size_t kOpHeaderBytes = kChecksumBytes + 8 + 8 + 8;
constexpr std::size_t kStrokeValueBytesMax = kStrokeHeaderBytes + kClientBytesMax + kDataBytesMax;
constexpr unsigned char kDuplicateFlag = 1;

void put(char* out, std::uint64_t number) {
  std::memcpy(out, &number, sizeof number);
}

std::uint64_t get(std::string_view value, std::size_t offset) {
  std::uint64_t number = 0;
  std::memcpy(&number, value.data() + offset, sizeof number);
  return number;
}

std::uint64_t checksum(std::string_view key, std::string_view body) {
  return XXH3_64bits_withSeed(key.data(), key.size(), XXH3_64bits(body.data(), body.size()));
}

void seal(std::string_view key, char* value, std::size_t size) {
  put(value, checksum(key, {value + kChecksumBytes, size - kChecksumBytes}));
}

bool intact(std::string_view key, std::string_view value) {
  return get(value, 0) == checksum(key, value.substr(kChecksumBytes));
}

std::size_t client_bytes(std::string_view stroke_value) {
  return static_cast<unsigned char>(stroke_value[kStrokeHeaderBytes - 1]);
}

bool countable(std::uint64_t number, std::uint64_t min) {
  return number >= min && number <= kNumberMax;
}

/// A whole stroke that the core can have written: what it could not, a peer would refuse for ever.
bool intact_stroke(std::string_view key, std::string_view value) {
  // A damaged page can claim a value that reaches past the file's end.
  if (value.size() < kStrokeHeaderBytes || value.size() > kStrokeValueBytesMax || !intact(key, value)) return false;
  const std::string_view text = value.substr(kStrokeHeaderBytes);
  const std::size_t client = client_bytes(value);
  return client < text.size() && text.size() - client <= kDataBytesMax && valid_client(text.substr(0, client)) &&
         countable(get(value, 8), 0) && countable(get(value, 16), 1) &&
         static_cast<unsigned char>(value[24]) <= kDuplicateFlag;
}

void check_name(std::string_view name, std::size_t bytes_max) {
  if (name.empty() || name.size() > bytes_max) broken("a name of " + std::to_string(name.size()) + " bytes in a key");
}

}  // namespace

void Key::add(std::string_view bytes) {
  std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  bytes_[size_++] = '\0';
}

void Key::add_number(std::uint64_t number) {
  const std::uint64_t big_endian = __builtin_bswap64(number);
  std::memcpy(bytes_.data() + size_, &big_endian, sizeof big_endian);
  size_ += sizeof big_endian;
}

Key Key::of_stroke(std::string_view channel, std::string_view origin, Seq seq) {
  check_name(channel, kChannelBytesMax);
  check_name(origin, kOriginBytesMax);
  Key key;
  key.add(channel);
  key.add(origin);
  key.add_number(seq);
  return key;
}

Key Key::of_head(std::string_view channel, std::string_view origin) {
  check_name(channel, kChannelBytesMax);
  check_name(origin, kOriginBytesMax);
  Key key;
  key.add(channel);
  key.add(origin);
  --key.size_;
  return key;
}

Key Key::of_heads(std::string_view channel) {
  check_name(channel, kChannelBytesMax);
  Key key;
  key.add(channel);
  return key;
}

Key Key::of_op(std::string_view channel, std::string_view client, Op op) {
  check_name(channel, kChannelBytesMax);
  check_name(client, kClientBytesMax);
  Key key;
  key.add(channel);
  key.add(client);
  key.add_number(op);
  return key;
}

void Key::set_seq(Seq seq) {
  size_ -= sizeof seq;
  add_number(seq);
}

std::size_t stroke_value_bytes(const Stroke& stroke) {
  return kStrokeHeaderBytes + stroke.client.size() + stroke.data.size();
}

void encode_stroke(std::string_view key, const Stroke& stroke, bool duplicate, char* out) {
  put(out + 8, stroke.ts);
  put(out + 16, stroke.op);
  out[24] = static_cast<char>(duplicate ? kDuplicateFlag : 0);
  out[25] = static_cast<char>(stroke.client.size());
  std::memcpy(out + kStrokeHeaderBytes, stroke.client.data(), stroke.client.size());
  std::memcpy(out + kStrokeHeaderBytes + stroke.client.size(), stroke.data.data(), stroke.data.size());
  seal(key, out, stroke_value_bytes(stroke));
}

StrokePtr decode_stroke(std::string_view key, std::string_view value, const Channel& channel, const Origin& origin,
                        Seq seq) {
  if (!intact_stroke(key, value)) return nullptr;
  auto stroke = std::make_shared<Stroke>();
  stroke->channel = channel;
  stroke->origin = origin;
  stroke->seq = seq;
  stroke->ts = get(value, 8);
  stroke->op = get(value, 16);
  stroke->duplicate = (static_cast<unsigned char>(value[24]) & kDuplicateFlag) != 0;
  const std::size_t client = client_bytes(value);
  stroke->client.assign(value.data() + kStrokeHeaderBytes, client);
  stroke->data.assign(value.data() + kStrokeHeaderBytes + client, value.size() - kStrokeHeaderBytes - client);
  return stroke;
}

std::optional<TimeUs> decode_stroke_ts(std::string_view key, std::string_view value) {
  if (!intact_stroke(key, value)) return std::nullopt;
  return get(value, 8);
}

void encode_head(std::string_view key, const Head& head, char* out) {
  put(out + 8, head.seq);
  put(out + 16, head.chain);
  put(out + 24, head.ts);
  seal(key, out, kHeadValueBytes);
}

std::optional<Head> decode_head(std::string_view key, std::string_view value) {
  if (value.size() != kHeadValueBytes || !intact(key, value)) return std::nullopt;
  const Head head{get(value, 8), get(value, 16), get(value, 24)};
  if (!countable(head.seq, 1)) return std::nullopt;
  return head;
}

std::string_view origin_in_head_key(std::string_view key, std::string_view prefix) {
  return key.substr(prefix.size());
}

std::string_view channel_in_head_key(std::string_view key) {
  const std::size_t end = key.find('\0');
  return end == std::string_view::npos ? std::string_view() : key.substr(0, end);
}

std::size_t encode_op(std::string_view key, const KnownOp& known, char* out) {
  put(out + 8, known.seq);
  put(out + 16, known.ts);
  put(out + 24, known.data_hash);
  std::memcpy(out + kOpHeaderBytes, known.origin.data(), known.origin.size());
  const std::size_t size = kOpHeaderBytes + known.origin.size();
  seal(key, out, size);
  return size;
}

std::optional<KnownOp> decode_op(std::string_view key, std::string_view value) {
  if (value.size() <= kOpHeaderBytes || value.size() > kOpValueBytesMax || !intact(key, value)) return std::nullopt;
  if (!valid_origin(value.substr(kOpHeaderBytes)) || !countable(get(value, 8), 1) || !countable(get(value, 16), 0)) {
    return std::nullopt;
  }
  return KnownOp{Origin(value.substr(kOpHeaderBytes)), get(value, 8), get(value, 16), get(value, 24)};
}

}  // namespace inkmesh::store
