// The store's twin in memory, for tests and simulation. Same answers as lmdb_store; and it can be hurt: a lost disk,
// refused writes, a map that is full, damaged records.
#pragma once

#include <cstdint>
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
  WriteOutcome keep(const std::vector<const Note*>& notes) override;
  std::map<std::string, std::string> notes() override;
  std::vector<StoredHead> heads() override;
  Seq head(const Channel& channel, std::string_view origin) const override;
  bool has_channel(const Channel& channel) const override;
  ReadDone read(const Read& read) override;
  SinceFound find_since(const FindSince& find) override;
  std::optional<KnownOp> find_op(const Channel& channel, const ClientName& client, Op op) override;
  StoreUsage usage() override;

  // ---- loss, refusals, damage -----------------------------------------------------------------------------------

  /// The disk is lost: nothing is left. The map keeps its size.
  void lose_disk();
  /// What an operator does with backups: a copy of the contents, and one that is put back.
  struct Backup;
  std::shared_ptr<const Backup> backup() const;
  void restore(const Backup& backup);
  /// Not refused, whatever is.
  void set_note(const Note& note);
  /// The next `times` appends and repairs come to `result` and store nothing.
  void refuse_next(WriteResult result, unsigned times = 1);
  /// Resizes the map. What is stored stays, though it be more.
  void set_map_bytes(std::uint64_t map_bytes);
  /// Flips a bit of a record: reads name it as damaged until it is repaired. False when it is not stored.
  bool damage(const Channel& channel, const Origin& origin, Seq seq);

  // ---- for checkers -----------------------------------------------------------------------------------------------

  /// The stored stroke; nullptr when there is none or its record is damaged.
  StrokePtr intact(const Channel& channel, std::string_view origin, Seq seq) const;
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
  std::optional<WriteOutcome> injected();
  std::optional<WriteOutcome> refusal(const std::vector<const Append*>& groups) const;
  void put(const Append::Item& item);
  const Records* find(const Channel& channel, std::string_view origin) const;

  mutable std::mutex mutex_;
  std::map<Channel, ChannelRecords, std::less<>> channels_;
  std::uint64_t map_bytes_ = UINT64_MAX;
  std::uint64_t used_bytes_ = 0;
  std::uint64_t strokes_ = 0;
  std::uint64_t damaged_ = 0;
  WriteResult refuse_with_ = WriteResult::ok;
  unsigned refuse_times_ = 0;
  std::map<std::string, std::string> notes_;
};

}  // namespace inkmesh::store
