// The store's port: a replica of strokes. lmdb_store is the real one, memory_store its twin for tests and simulation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inkmesh/core.h"
#include "inkmesh/cursor.h"
#include "inkmesh/effect.h"
#include "inkmesh/event.h"
#include "inkmesh/stroke.h"

namespace inkmesh::store {

/// What came of a write. Nothing of a refused write is stored.
enum class WriteResult {
  ok,
  full,   ///< the map or the disk has no room
  fatal,  ///< a failed flush, a broken file: the process must end; nothing may be trusted to be on disk or not
};

struct WriteOutcome {
  WriteResult result = WriteResult::ok;
  std::string detail;  ///< for a person, where not ok
};

struct StoreUsage {
  std::uint64_t map_bytes = 0;
  std::uint64_t used_bytes = 0;  ///< pages in use, free ones not counted
  std::uint64_t file_bytes = 0;
  std::uint64_t strokes = 0;
  std::uint64_t channels = 0;
  /// What used_bytes can grow to: the map, or the disk's room where that is less. 0: the map.
  std::uint64_t capacity_bytes = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  /// Stores groups of strokes in one durable transaction: all or nothing. One thread only (the writer's).
  /// A stroke whose (channel, client, op) is known under another (origin, seq) is stored with its duplicate mark, and
  /// the index keeps the first.
  virtual WriteOutcome append(const std::vector<const Append*>& groups) = 0;

  /// Overwrites records that are stored; others are left out. The same thread as append().
  virtual WriteOutcome repair(const Repair& repair) = 0;

  /// Keeps notes, in one transaction. The same thread as append().
  virtual WriteOutcome keep(const std::vector<const Note*>& notes) = 0;
  WriteOutcome note(const Note& note) {
    return keep({&note});
  }

  /// All notes, by name. At start, before any other thread.
  virtual std::map<std::string, std::string> notes() = 0;

  /// All heads. At start, before any other thread.
  virtual std::vector<StoredHead> heads() = 0;

  // Readers: any thread; each call takes its own short snapshot and copies out. A wrong record is an answer; where more
  // than a record is broken they throw, and the process must end.

  /// The last seq of an origin in a channel; 0 for none.
  virtual Seq head(const Channel& channel, std::string_view origin) const = 0;
  virtual bool has_channel(const Channel& channel) const = 0;
  virtual ReadDone read(const Read& read) = 0;
  virtual SinceFound find_since(const FindSince& find) = 0;
  virtual std::optional<KnownOp> find_op(const Channel& channel, const ClientName& client, Op op) = 0;
  virtual StoreUsage usage() = 0;
};

}  // namespace inkmesh::store
