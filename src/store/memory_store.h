// The store's twin in memory, for tests and simulation. Same answers as lmdb_store; and it can be hurt: writes that a
// crash undoes, refused writes, a map that is full, damaged records, a lost disk.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/store.h"

namespace inkmesh::store {

/// Deterministic: ordered containers, no clock, no randomness. Thread rules as Store's; the members below that hurt it
/// may be called from any thread.
class MemoryStore : public Store {
 public:
  MemoryStore() = default;
  /// `map_bytes`: what fits, each stroke counted by cost_of(). An append past it is refused as full.
  explicit MemoryStore(std::uint64_t map_bytes) : map_bytes_(map_bytes) {}

  WriteOutcome append(const std::vector<const Append*>& groups) override;
  WriteOutcome repair(const Repair& repair) override;
  std::vector<StoredHead> heads() override;
  ReadDone read(const Read& read) override;
  SinceFound find_since(const FindSince& find) override;
  std::optional<KnownOp> find_op(const Channel& channel, const ClientName& client, Op op) override;
  StoreUsage usage() override;

  // ---- crashes --------------------------------------------------------------------------------------------------

  /// From now on an append (one transaction) is readable at once but is on disk only after sync(). Off at first: each
  /// append is on disk when it returns, as lmdb_store's are.
  void set_manual_sync(bool manual);
  /// Everything appended is on disk.
  void sync();
  /// Appends that are not on disk yet.
  std::size_t unsynced() const;
  /// The machine stops: of the unsynced appends the first `kept` had reached the disk, the rest is undone.
  void crash(std::size_t kept);
  /// The disk is lost: nothing is left, unsynced or not. Settings stay.
  void lose_disk();

  // ---- refusals and damage ----------------------------------------------------------------------------------------

  /// The next `times` appends and repairs come to `result` and store nothing.
  void refuse_next(WriteResult result, unsigned times = 1);
  /// Resizes the map. What is stored stays, though it be more.
  void set_map_bytes(std::uint64_t map_bytes);
  /// Flips a bit of a record: reads name it as damaged until it is repaired. False when it is not stored.
  bool damage(const Channel& channel, const Origin& origin, Seq seq);

  // ---- for checkers -----------------------------------------------------------------------------------------------

  /// The last seq of an origin that is on disk (undamaged or not), 0 for none.
  Seq durable_head(const Channel& channel, const Origin& origin) const;
  /// The stored stroke, damaged or not; nullptr when there is none.
  StrokePtr stored(const Channel& channel, const Origin& origin, Seq seq) const;
  /// Damaged records that nobody has repaired yet.
  std::uint64_t damaged() const;

 private:
  struct Record {
    StrokePtr stroke;
    std::uint64_t chain = 0;
    bool damaged = false;
  };
  /// Records of seq 1, 2, 3 ...
  using Records = std::vector<Record>;
  using OpKey = std::pair<ClientName, Op>;
  struct ChannelRecords {
    std::map<Origin, Records, std::less<>> origins;
    std::map<OpKey, std::pair<Origin, Seq>> ops;
  };
  /// What crash() needs to undo one append, in order of appending.
  struct Undo {
    Channel channel;
    Origin origin;
    std::optional<OpKey> indexed;
  };
  using Transaction = std::vector<Undo>;

  std::optional<WriteOutcome> injected();
  std::optional<WriteOutcome> refusal(const std::vector<const Append*>& groups) const;
  Undo put(const Append::Item& item);
  void undo(const Undo& step);
  const Records* find(const Channel& channel, std::string_view origin) const;

  mutable std::mutex mutex_;
  std::map<Channel, ChannelRecords, std::less<>> channels_;
  std::uint64_t map_bytes_ = UINT64_MAX;
  std::uint64_t used_bytes_ = 0;
  std::uint64_t strokes_ = 0;
  std::uint64_t damaged_ = 0;
  bool manual_sync_ = false;
  std::deque<Transaction> unsynced_;
  WriteResult refuse_with_ = WriteResult::ok;
  unsigned refuse_times_ = 0;
};

}  // namespace inkmesh::store
