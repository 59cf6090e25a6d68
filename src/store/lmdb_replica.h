// The LMDB store's parts: one class, in three files. lmdb_store.cpp opens it, lmdb_read.cpp answers, lmdb_write.cpp
// appends.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "store/folder.h"
#include "store/lmdb_env.h"
#include "store/lmdb_store.h"
#include "store/record.h"
#include "store/store.h"

namespace inkmesh::store {

/// Begins the keys of notes in the table meta.
inline constexpr std::string_view kNotePrefix = "note:";

class LmdbReplica final : public Store {
 public:
  explicit LmdbReplica(const LmdbSettings& settings);

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

 private:
  class Batch;

  void open_tables(const NodeId& node);
  void check_format(WriteTxn& txn, bool fresh);
  void check_owner(WriteTxn& txn, const NodeId& node);
  void check_copy(WriteTxn& txn);
  void count_channels();

  template <typename Body>
  WriteOutcome write(const Body& body);
  WriteOutcome outcome_of(const LmdbError& error);
  void reserve_disk(std::uint64_t pages);
  int grow_file(std::uint64_t size_bytes);
  int lengthen_file(std::uint64_t size_bytes);
  void tend_readers();

  /// Visits the channel's logs (or the only one) in the order of their origins, until `visit` says false.
  template <typename Visit>
  void for_each_log(Snapshot& snapshot, const Channel& channel, const Origin& only, const Visit& visit);

  std::uint64_t disk_free_bytes() const;
  StoreError damaged_head(std::string_view key) const;
  StoreError damaged_table(const char* name) const;
  void note_repaired(const Repair& repair, std::uint64_t commit);
  void expect_unrepaired(const Channel& channel, const ReadDone::Damaged& record, std::uint64_t commit);

  Folder folder_;
  Env env_;
  Tables tables_;
  mutable SnapshotPool snapshots_;
  std::atomic<std::uint64_t> channels_{0};
  /// Records that were repaired in this life, with the commit that did it.
  std::map<std::tuple<Channel, Origin, Seq>, std::uint64_t> repaired_;
  std::mutex repaired_mutex_;

  // The writer's.
  std::string dead_;  ///< why nothing is written any more
  bool can_reserve_ = true;
  std::uint64_t reserved_bytes_ = 0;
  std::chrono::steady_clock::time_point readers_tended_;
};

}  // namespace inkmesh::store
