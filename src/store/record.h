// The bytes of the store's keys and values, and nothing of LMDB.
//
//   table    key                                        value
//   strokes  channel 0x00 origin 0x00 seq:u64be         checksum:u64 ts:u64 op:u64 flags:u8 client_bytes:u8 client data
//   heads    channel 0x00 origin                        checksum:u64 seq:u64 chain:u64 ts:u64
//   ops      channel 0x00 client 0x00 op:u64be          checksum:u64 seq:u64 ts:u64 data_hash:u64 origin
//   meta     "format"                                   version:u32
//
// u64be is big-endian, so that keys sort by number; all else is little-endian. Names never hold a 0x00, so a channel's
// records lie together, an origin's among them, in the order of seq: what lies past a cursor is one range for each
// origin. checksum = XXH3(key, seeded with XXH3(the value past the checksum)): a record that turns up under another key
// is as wrong as a flipped bit. flags: bit 0 is the duplicate mark, the rest is 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "inkmesh/core.h"
#include "inkmesh/event.h"
#include "inkmesh/stroke.h"
#include "inkmesh/types.h"

namespace inkmesh::store {

/// A table's key, built in place. Aborts on a name that is too long or empty: the core lets none in.
class Key {
 public:
  static Key of_stroke(std::string_view channel, std::string_view origin, Seq seq);
  static Key of_head(std::string_view channel, std::string_view origin);
  /// What the keys of all heads of a channel begin with.
  static Key of_heads(std::string_view channel);
  static Key of_op(std::string_view channel, std::string_view client, Op op);

  /// Overwrites the number that an of_stroke() key ends with.
  void set_seq(Seq seq);

  std::string_view bytes() const {
    return {bytes_.data(), size_};
  }

 private:
  void add(std::string_view bytes);
  void add_number(std::uint64_t number);

  // 128 + 1 + 64 + 1 + 8 is the longest, an op's. LMDB takes keys of up to 511 bytes.
  std::array<char, 208> bytes_;
  std::size_t size_ = 0;
};

static_assert(kChannelBytesMax + 1 + kClientBytesMax + 1 + 8 <= 208 &&
              kChannelBytesMax + 1 + kOriginBytesMax + 1 + 8 <= 208);

// ---- strokes --------------------------------------------------------------------------------------------------------

std::size_t stroke_value_bytes(const Stroke& stroke);
/// Writes stroke_value_bytes() bytes to `out`.
void encode_stroke(std::string_view key, const Stroke& stroke, bool duplicate, char* out);
/// Null when the checksum or the shape is wrong. `channel`, `origin` and `seq` are those of the key.
StrokePtr decode_stroke(std::string_view key, std::string_view value, const Channel& channel, const Origin& origin,
                        Seq seq);
/// A stroke's ts; nothing when the checksum or the shape is wrong.
std::optional<TimeUs> decode_stroke_ts(std::string_view key, std::string_view value);

// ---- heads ----------------------------------------------------------------------------------------------------------

struct Head {
  Seq seq = 0;
  std::uint64_t chain = 0;
  TimeUs ts = 0;
};

constexpr std::size_t kHeadValueBytes = 32;
void encode_head(std::string_view key, const Head& head, char* out);
std::optional<Head> decode_head(std::string_view key, std::string_view value);
/// The origin in a head's key, given the prefix that of_heads() made.
std::string_view origin_in_head_key(std::string_view key, std::string_view prefix);
/// The channel in a head's key; empty when the key has no 0x00.
std::string_view channel_in_head_key(std::string_view key);

// ---- ops ------------------------------------------------------------------------------------------------------------

constexpr std::size_t kOpValueBytesMax = 32 + kOriginBytesMax;
/// Returns how many bytes were written; `out` has room for kOpValueBytesMax.
std::size_t encode_op(std::string_view key, const KnownOp& known, char* out);
std::optional<KnownOp> decode_op(std::string_view key, std::string_view value);

}  // namespace inkmesh::store
