// The bytes of the journal's records, and nothing of files.
//
//   record   checksum:u64 previous:u64 generation:u64 payload_bytes:u32 magic:u32 payload, then zeros to a whole block
//   payload  for each stroke, in the order of their appends:
//            channel_bytes:u8 channel origin_bytes:u8 origin (channel_bytes 0: both as of the stroke before)
//            client_bytes:u8 client seq:u64 ts:u64 op:u64 chain:u64 data_bytes:u32 data
//
// Numbers are little-endian. checksum = XXH3(all that follows it, payload included). `previous` is the checksum of the
// record before in the same segment, the segment's generation for the first one: what an earlier generation left
// behind the last record is then no record that follows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inkmesh/effect.h"

namespace inkmesh::store {

/// Records begin and end at whole blocks, so that no write touches a block that holds an earlier record.
constexpr std::size_t kJournalBlockBytes = 4096;
constexpr std::size_t kJournalHeaderBytes = 32;

/// Builds a record in a buffer that is used again.
class JournalRecordWriter {
 public:
  void begin();
  void add(const Append::Item& item);
  /// What it takes in the journal, whole blocks.
  std::size_t bytes() const;
  /// The record. Valid until begin(). Sets `checksum` to the record's.
  std::string_view finish(std::uint64_t generation, std::uint64_t previous, std::uint64_t& checksum);

 private:
  std::string bytes_;
  std::string_view channel_;  ///< of the last stroke, in the caller's items
  std::string_view origin_;
};

struct JournalRecord {
  std::uint64_t checksum = 0;
  std::uint64_t previous = 0;
  std::uint64_t generation = 0;
  std::string_view payload;

  /// Whole blocks.
  std::size_t bytes() const;
};

/// The record that `bytes` begin with; nothing when there is none or its checksum is wrong.
std::optional<JournalRecord> read_journal_record(std::string_view bytes);

/// A payload's strokes; nothing when any of it is what no node writes.
std::optional<std::vector<Append::Item>> decode_journal_payload(std::string_view payload);

}  // namespace inkmesh::store
