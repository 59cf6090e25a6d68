// LMDB with owners: an environment, its transactions and cursors end with their scope, errors are exceptions.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/lmdb_store.h"
#include "store/map_in_use.h"

namespace inkmesh::store {

struct LmdbError : StoreError {
  LmdbError(int code_, const std::string& doing);
  int code;  ///< LMDB's or errno's
};

/// Throws LmdbError unless `code` is 0.
inline void check(int code, const char* doing) {
  if (code != MDB_SUCCESS) throw LmdbError(code, doing);
}

inline MDB_val to_val(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
inline std::string_view to_view(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

struct Tables {
  MDB_dbi meta = 0;
  MDB_dbi heads = 0;
  MDB_dbi strokes = 0;
  MDB_dbi ops = 0;
};

/// What of the map is in use.
struct PageCount {
  std::uint64_t page_bytes = 0;
  std::uint64_t last = 0;  ///< pages from the file's begin to the last one in use
  std::uint64_t free = 0;  ///< of these, free ones
};

class Env {
 public:
  Env(const std::string& path, std::uint64_t map_size_bytes);
  ~Env();
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;

  MDB_env* get() const {
    return env_;
  }
  const std::string& path() const {
    return path_;
  }
  int fd() const;
  /// As LMDB has it: rounded, and never below what the file uses.
  std::uint64_t map_bytes() const;
  std::uint64_t page_bytes() const;
  /// Of the last commit.
  std::uint64_t last_page() const;
  /// Its number: a snapshot that has one as high sees it.
  std::uint64_t last_commit() const;

 private:
  void check_length() const;
  void check_commits() const;

  const std::string path_;
  MDB_env* env_ = nullptr;
};

/// The writer's. Aborts at the end of its scope unless it was committed.
class WriteTxn {
 public:
  explicit WriteTxn(const Env& env);
  ~WriteTxn();
  WriteTxn(const WriteTxn&) = delete;
  WriteTxn& operator=(const WriteTxn&) = delete;

  MDB_txn* get() const {
    return txn_;
  }
  /// Flushed when it returns. Every cursor must be closed. Throws LmdbError.
  void commit();

 private:
  const MapInUse in_use_;
  MDB_txn* txn_ = nullptr;
};

class TableCursor {
 public:
  TableCursor(MDB_txn* txn, MDB_dbi table);
  ~TableCursor();
  TableCursor(const TableCursor&) = delete;
  TableCursor& operator=(const TableCursor&) = delete;

  MDB_cursor* get() const {
    return cursor_;
  }
  /// False when there is no such entry.
  bool find(MDB_val& key, MDB_val& value, MDB_cursor_op op);

 private:
  MDB_cursor* cursor_ = nullptr;
};

/// True when the table has a key that begins so.
bool has_prefix(TableCursor& table, std::string_view prefix);

/// A read transaction and its cursors. Kept between uses: a begun one takes a slot in LMDB's table of readers and
/// memory, a renewed one takes neither.
struct Snapshot {
  Snapshot(const Env& env, const Tables& tables);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  /// Ends what is read; renew() then begins again at the last commit.
  void reset();
  void renew();

  MDB_txn* txn = nullptr;
  std::unique_ptr<TableCursor> heads;
  std::unique_ptr<TableCursor> strokes;
};

/// Any thread. A snapshot that is out keeps LMDB from using pages again: give it back within milliseconds.
class SnapshotPool {
 public:
  /// Both must outlive the pool.
  SnapshotPool(const Env& env, const Tables& tables) : env_(env), tables_(tables) {}

  /// A snapshot of the last commit, given back at the end of its scope.
  class Lease {
   public:
    Lease(SnapshotPool& pool, std::unique_ptr<Snapshot> snapshot, const std::string& folder)
        : in_use_(folder), pool_(pool), snapshot_(std::move(snapshot)) {}
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    Snapshot* operator->() const {
      return snapshot_.get();
    }
    Snapshot& operator*() const {
      return *snapshot_;
    }

   private:
    const MapInUse in_use_;
    SnapshotPool& pool_;
    std::unique_ptr<Snapshot> snapshot_;
  };

  Lease take();

 private:
  const Env& env_;
  const Tables& tables_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Snapshot>> idle_;
};

/// Counts from a snapshot. The free list is walked: a few entries, however large the file.
PageCount count_pages(const Env& env, MDB_txn* txn);

}  // namespace inkmesh::store
