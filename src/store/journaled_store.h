// A replica with a journal before it: a group of strokes is flushed to the journal and answered; a thread of its own
// takes what the journal gathered to the replica, in groups of some thousands, channel by channel. Until then readers
// find it in memory. What the replica cannot take (it is full) stays in the journal, and appends are refused.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "store/journal.h"
#include "store/lmdb_store.h"
#include "store/store.h"
#include "store/tail.h"

namespace inkmesh::store {

/// The note with which the replica keeps the journal's generation up to which it has all, in decimal. Ours alone.
constexpr const char* kAppliedNote = "journal";

struct JournalSettings {
  std::string folder;
  std::size_t segment_bytes = std::size_t{4} << 20;
  /// How long strokes wait for others before they go to the replica.
  std::chrono::milliseconds apply_after{5'000};
};

class JournaledStore final : public Store {
 public:
  /// Throws StoreError. A journal that was found damaged is noted: the store is not whole.
  JournaledStore(std::unique_ptr<Store> replica, const JournalSettings& settings);
  /// Takes all to the replica that it has room for.
  ~JournaledStore() override;

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

  /// True when the journal had lost records at the start.
  bool journal_damaged() const {
    return damaged_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// What is being taken to the replica: a segment's strokes, and how far it has come.
  struct Applying {
    std::uint64_t generation = 0;
    std::vector<Append::Item> items;
    std::size_t done = 0;
  };

  // The writer's (journaled_store.cpp).
  bool load(JournalFound found);
  bool load(Tail& tail, const std::vector<Append::Item>& items);
  void add(Tail& tail, const Append::Item& item);
  void expect_next(const std::vector<const Append*>& groups) const;
  WriteOutcome append_to_journal(const std::vector<const Append*>& groups);
  WriteOutcome append_to_replica(const std::vector<const Append*>& groups);
  bool wait_for_segment(std::unique_lock<std::mutex>& journal_lock);
  bool apply_all(std::unique_lock<std::mutex>& journal_lock);
  void seal();
  WriteOutcome stopped() const;
  std::uint64_t channels_of(const std::vector<const Append*>& groups) const;
  WriteOutcome outcome_of(int code, bool flush_failed);
  WriteOutcome write_replica(const std::function<WriteOutcome(Store&)>& write);
  void stop_applying(const WriteOutcome& outcome);

  // The applier's (journaled_apply.cpp).
  void apply_loop();
  bool wait_for_sealed();
  WriteOutcome apply();
  void free_sealed();

  // Readers' (journaled_read.cpp).
  Strokes waiting(const Channel& channel, const Cursor& after, std::string_view only, std::size_t max) const;
  void add_waiting(const Read& read, const Strokes& strokes, ReadDone& done);
  StrokePtr marked(const StrokePtr& stroke);
  void expect_alive() const;

  const std::unique_ptr<Store> replica_;
  const std::chrono::milliseconds apply_after_;
  Journal journal_;             ///< under journal_mutex_
  JournalRecordWriter record_;  ///< the writer's
  bool damaged_ = false;

  /// Held while a segment is written or changed. Taken before mutex_.
  std::mutex journal_mutex_;
  /// One writes to the replica at a time.
  std::mutex replica_mutex_;

  mutable std::mutex mutex_;
  std::condition_variable apply_wake_;
  std::condition_variable applied_;
  Tail active_;                          ///< the strokes of the segment that is written
  Tail sealed_;                          ///< of the other one, until the replica has them
  std::uint64_t sealed_generation_ = 0;  ///< of that segment; 0: it is free
  std::uint64_t strokes_ = 0;            ///< of all that is stored
  std::uint64_t channels_ = 0;
  Clock::time_point active_since_;  ///< its first stroke came
  bool stopping_ = false;
  WriteOutcome stopped_;  ///< why nothing goes to the replica: full (it is tried again) or fatal

  Applying applying_;  ///< the applier's

  std::mutex usage_mutex_;
  std::optional<StoreUsage> usage_;  ///< the replica's, as of usage_at_
  Clock::time_point usage_at_;

  std::thread applier_;
};

/// Opens (or makes) the store of a node: its LMDB replica and the journal, in one folder. Throws StoreError.
std::unique_ptr<JournaledStore> open_store(const LmdbSettings& settings);

}  // namespace inkmesh::store
