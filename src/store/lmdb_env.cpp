#include "store/lmdb_env.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace inkmesh::store {
namespace {

constexpr MDB_dbi kFreeList = 0;
constexpr MDB_dbi kTablesMax = 8;
constexpr unsigned kReadersMax = 256;
constexpr mdb_mode_t kFileMode = 0640;

bool says_damaged(int code) {
  // MDB_BAD_TXN: an earlier look at a page in the same transaction has failed.
  return code == MDB_BAD_TXN || code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID ||
         code == MDB_PANIC || code == MDB_CURSOR_FULL || code == MDB_BAD_VALSIZE;
}

std::string text_of(int code, const std::string& doing) {
  const std::string text = doing + ": " + mdb_strerror(code);
  return says_damaged(code) ? text + ". data.mdb is damaged. " + kWayOut : text;
}

void on_failed_assertion(MDB_env* /*env*/, const char* what) {
  map_is_broken(what);
}

}  // namespace

LmdbError::LmdbError(int code_, const std::string& doing) : StoreError(text_of(code_, doing)), code(code_) {}

Env::Env(const std::string& path, std::uint64_t map_size_bytes) : path_(path) {
  const MapInUse in_use(path_);
  check(mdb_env_create(&env_), "cannot set up LMDB");
  try {
    check(mdb_env_set_mapsize(env_, map_size_bytes), "cannot set the map's size");
    check(mdb_env_set_maxdbs(env_, kTablesMax), "cannot set the number of tables");
    check(mdb_env_set_maxreaders(env_, kReadersMax), "cannot set the number of readers");
    // The default sync mode: whatever is faster loses the file in a power cut. NOTLS: a snapshot belongs to whoever
    // holds it, not to a thread. Read-ahead stays on: a delta is a range.
    check(mdb_env_open(env_, path.c_str(), MDB_NOTLS, kFileMode), "cannot open data.mdb");
    check(mdb_env_set_assert(env_, on_failed_assertion), "cannot set up LMDB");
    check_length();
    check_commits();
  } catch (...) {
    mdb_env_close(env_);
    throw;
  }
}

Env::~Env() {
  mdb_env_close(env_);
}

/// LMDB maps the file without a look at its length: whatever is missing would end the process with SIGBUS when read.
void Env::check_length() const {
  struct stat file {};
  if (fstat(fd(), &file) != 0) throw LmdbError(errno, "cannot look at data.mdb");
  const auto found = static_cast<std::uint64_t>(file.st_size);
  const std::uint64_t pages = last_page() + 1;
  if (found / page_bytes() >= pages) return;
  throw StoreError("store folder " + path_ + ": data.mdb is cut short: it has " + std::to_string(found) +
                   " bytes where its last commit has " + std::to_string(pages) + " pages of " +
                   std::to_string(page_bytes()) + " bytes. " + kWayOut);
}

/// The last commit and the one before it are told on the first two pages in turn, and LMDB believes the higher number.
/// A wrong one would quietly bring back an older state, whose pages are no longer its own.
void Env::check_commits() const {
  constexpr std::uint64_t kCommitOffset = 144;  // in LMDB's data format 1, which it has checked
  std::uint64_t commits[2] = {};
  for (std::uint64_t page = 0; page < 2; ++page) {
    const auto at = static_cast<off_t>(page * page_bytes() + kCommitOffset);
    if (pread(fd(), &commits[page], sizeof commits[page], at) != sizeof commits[page]) {
      throw LmdbError(errno, "cannot read data.mdb");
    }
  }
  const bool fresh = commits[0] == 0 && commits[1] == 0;
  const bool in_turn = commits[0] % 2 == 0 && commits[1] % 2 == 1;
  const bool next_to_each_other = commits[0] + 1 == commits[1] || commits[1] + 1 == commits[0];
  if (fresh || (in_turn && next_to_each_other)) return;
  throw StoreError("store folder " + path_ + ": data.mdb is damaged: its last commits are numbered " +
                   std::to_string(commits[0]) + " and " + std::to_string(commits[1]) + ". " + kWayOut);
}

int Env::fd() const {
  int fd = -1;
  check(mdb_env_get_fd(env_, &fd), "cannot get the file's descriptor");
  return fd;
}

std::uint64_t Env::map_bytes() const {
  MDB_envinfo info{};
  check(mdb_env_info(env_, &info), "cannot get the map's size");
  return info.me_mapsize;
}

std::uint64_t Env::page_bytes() const {
  MDB_stat stat{};
  check(mdb_env_stat(env_, &stat), "cannot get the page's size");
  return stat.ms_psize;
}

std::uint64_t Env::last_page() const {
  MDB_envinfo info{};
  check(mdb_env_info(env_, &info), "cannot get the last page");
  return info.me_last_pgno;
}

std::uint64_t Env::last_commit() const {
  MDB_envinfo info{};
  check(mdb_env_info(env_, &info), "cannot get the last commit");
  return info.me_last_txnid;
}

WriteTxn::WriteTxn(const Env& env) : in_use_(env.path()) {
  check(mdb_txn_begin(env.get(), nullptr, 0, &txn_), "cannot begin to write");
}

WriteTxn::~WriteTxn() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

void WriteTxn::commit() {
  check(mdb_txn_commit(std::exchange(txn_, nullptr)), "cannot commit");
}

TableCursor::TableCursor(MDB_txn* txn, MDB_dbi table) {
  check(mdb_cursor_open(txn, table, &cursor_), "cannot open a cursor");
}

TableCursor::~TableCursor() {
  mdb_cursor_close(cursor_);
}

bool TableCursor::find(MDB_val& key, MDB_val& value, MDB_cursor_op op) {
  const int code = mdb_cursor_get(cursor_, &key, &value, op);
  if (code == MDB_NOTFOUND) return false;
  check(code, "cannot read a table");
  return true;
}

bool has_prefix(TableCursor& table, std::string_view prefix) {
  MDB_val key = to_val(prefix);
  MDB_val value{};
  return table.find(key, value, MDB_SET_RANGE) && to_view(key).substr(0, prefix.size()) == prefix;
}

Snapshot::Snapshot(const Env& env, const Tables& tables) {
  check(mdb_txn_begin(env.get(), nullptr, MDB_RDONLY, &txn), "cannot begin to read");
  try {
    heads = std::make_unique<TableCursor>(txn, tables.heads);
    strokes = std::make_unique<TableCursor>(txn, tables.strokes);
  } catch (...) {
    heads.reset();
    mdb_txn_abort(txn);
    throw;
  }
}

Snapshot::~Snapshot() {
  strokes.reset();
  heads.reset();
  mdb_txn_abort(txn);
}

void Snapshot::reset() {
  mdb_txn_reset(txn);
}

void Snapshot::renew() {
  check(mdb_txn_renew(txn), "cannot begin to read");
  check(mdb_cursor_renew(txn, heads->get()), "cannot renew a cursor");
  check(mdb_cursor_renew(txn, strokes->get()), "cannot renew a cursor");
}

SnapshotPool::Lease SnapshotPool::take() {
  const MapInUse in_use(env_.path());
  std::unique_ptr<Snapshot> snapshot;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      snapshot = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (snapshot) {
    snapshot->renew();
  } else {
    snapshot = std::make_unique<Snapshot>(env_, tables_);
  }
  return Lease(*this, std::move(snapshot), env_.path());
}

SnapshotPool::Lease::~Lease() {
  snapshot_->reset();
  const std::lock_guard lock(pool_.mutex_);
  pool_.idle_.push_back(std::move(snapshot_));
}

PageCount count_pages(const Env& env, MDB_txn* txn) {
  PageCount pages;
  pages.page_bytes = env.page_bytes();
  pages.last = env.last_page() + 1;
  TableCursor cursor(txn, kFreeList);
  MDB_val key{};
  MDB_val value{};
  for (bool found = cursor.find(key, value, MDB_FIRST); found; found = cursor.find(key, value, MDB_NEXT)) {
    std::size_t count = 0;
    std::memcpy(&count, value.mv_data, sizeof count);
    pages.free += count;
  }
  return pages;
}

}  // namespace inkmesh::store
