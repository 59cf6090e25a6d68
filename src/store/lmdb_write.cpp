// Writes: one transaction for everything that was handed over, flushed before it returns.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "store/broken.h"
#include "store/lmdb_replica.h"

namespace inkmesh::store {
namespace {

constexpr std::chrono::seconds kTendReadersEvery{60};
constexpr std::uint64_t kReserveStepBytesMax = std::uint64_t{8} << 20;

struct HashBytes {
  using is_transparent = void;
  std::size_t operator()(std::string_view bytes) const {
    return std::hash<std::string_view>()(bytes);
  }
};

std::string where(const Stroke& stroke) {
  return stroke.channel + " " + stroke.origin + " " + std::to_string(stroke.seq);
}

}  // namespace

/// What one transaction writes. Its cursors are closed when it ends, which must be before the commit.
class LmdbReplica::Batch {
 public:
  Batch(WriteTxn& txn, const Tables& tables)
      : txn_(txn.get()), tables_(tables), strokes_(txn.get(), tables.strokes), page_bytes_(page_bytes(txn, tables)) {}

  /// Appends at the log's end.
  void append(const Append::Item& item) {
    const Stroke& stroke = *item.stroke;
    Head& head = head_of(stroke);
    if (stroke.seq != head.seq + 1) {
      broken("append of " + where(stroke) + " where the head is " + std::to_string(head.seq));
    }
    put_stroke(stroke);
    head = {stroke.seq, item.chain, stroke.ts};
  }

  /// Overwrites what the log holds. What it does not hold is left out.
  void overwrite(const Stroke& stroke) {
    const Head& head = head_of(stroke);
    if (stroke.seq >= 1 && stroke.seq <= head.seq) put_stroke(stroke);
  }

  /// Once, after every append: each head is written once, however many strokes moved it.
  void put_heads() {
    for (const auto& [name, head] : heads_) {
      char bytes[kHeadValueBytes];
      encode_head(name, head, bytes);
      MDB_val key = to_val(name);
      MDB_val value{sizeof bytes, bytes};
      check(mdb_put(txn_, tables_.heads, &key, &value, 0), "cannot write a head");
    }
    heads_put_ = true;
  }

  void put_note(const Note& note) {
    const std::string name = std::string(kNotePrefix) + note.name;
    MDB_val key = to_val(name);
    MDB_val value = to_val(note.value);
    check(mdb_put(txn_, tables_.meta, &key, &value, 0), "cannot keep a note");
  }

  /// How many channels got their first stroke.
  std::uint64_t new_channels() const {
    return heads_put_ ? new_channels_.size() : 0;
  }

  /// An upper bound of the pages that the commit writes.
  std::uint64_t pages_max() const {
    constexpr std::uint64_t slack = 64;
    const std::uint64_t dirty = long_pages_ + touched(tables_.heads, heads_.size(), 0) +
                                touched(tables_.strokes, heads_.size(), stroke_bytes_) + touched(tables_.ops, puts_, 0);
    // The pages that these replace are listed too, 8 bytes each.
    return dirty + dirty / 256 + slack;
  }

 private:
  static std::uint64_t page_bytes(const WriteTxn& txn, const Tables& tables) {
    MDB_stat stat{};
    check(mdb_stat(txn.get(), tables.strokes, &stat), "cannot look at the table strokes");
    return stat.ms_psize;
  }

  /// Pages of a table that are copied or split by puts at that many places, with that many bytes in sequence.
  std::uint64_t touched(MDB_dbi table, std::uint64_t places, std::uint64_t bytes) const {
    MDB_stat stat{};
    check(mdb_stat(txn_, table, &stat), "cannot look at a table");
    const std::uint64_t leaves = std::min<std::uint64_t>(stat.ms_leaf_pages, 2 * places + 2 * bytes / page_bytes_ + 1);
    return leaves + std::min<std::uint64_t>(stat.ms_branch_pages, leaves * stat.ms_depth);
  }

  Head& head_of(const Stroke& stroke) {
    if (last_head_ != nullptr && last_origin_ == stroke.origin && last_channel_ == stroke.channel) return *last_head_;
    const Key key = Key::of_head(stroke.channel, stroke.origin);
    auto it = heads_.find(key.bytes());
    if (it == heads_.end()) it = heads_.emplace(std::string(key.bytes()), stored_head(stroke, key)).first;
    last_channel_ = stroke.channel;
    last_origin_ = stroke.origin;
    last_head_ = &it->second;
    return it->second;
  }

  Head stored_head(const Stroke& stroke, const Key& key) {
    MDB_val at = to_val(key.bytes());
    MDB_val value{};
    const int code = mdb_get(txn_, tables_.heads, &at, &value);
    if (code == MDB_SUCCESS) {
      const auto head = decode_head(key.bytes(), to_view(value));
      if (!head) throw LmdbError(MDB_CORRUPTED, "the head of " + stroke.channel + " " + stroke.origin + " is damaged");
      return *head;
    }
    if (code != MDB_NOTFOUND) check(code, "cannot read a head");
    note_channel(stroke.channel);
    return {};
  }

  /// Called before the batch's heads are put: what the table has is committed.
  void note_channel(const Channel& channel) {
    TableCursor heads(txn_, tables_.heads);
    if (!has_prefix(heads, Key::of_heads(channel).bytes())) new_channels_.insert(channel);
  }

  void put_stroke(const Stroke& stroke) {
    const bool duplicate = put_op(stroke);
    const std::size_t size = stroke_value_bytes(stroke);
    const Key key = Key::of_stroke(stroke.channel, stroke.origin, stroke.seq);
    MDB_val at = to_val(key.bytes());
    MDB_val value{size, nullptr};
    check(mdb_cursor_put(strokes_.get(), &at, &value, MDB_RESERVE), "cannot write a stroke");
    encode_stroke(key.bytes(), stroke, duplicate, static_cast<char*>(value.mv_data));
    ++puts_;
    // LMDB gives pages of its own to what takes half a page or more.
    if (size > page_bytes_ / 4) long_pages_ += size / page_bytes_ + 2;
    stroke_bytes_ += std::min<std::uint64_t>(size, page_bytes_ / 2) + key.bytes().size() + 16;
  }

  /// Keeps the first stroke of a (channel, client, op). True when that is another one.
  bool put_op(const Stroke& stroke) {
    const Key key = Key::of_op(stroke.channel, stroke.client, stroke.op);
    char bytes[kOpValueBytesMax];
    const KnownOp known{stroke.origin, stroke.seq, stroke.ts, data_hash(stroke.data)};
    MDB_val at = to_val(key.bytes());
    MDB_val value{encode_op(key.bytes(), known, bytes), bytes};
    const int code = mdb_put(txn_, tables_.ops, &at, &value, MDB_NOOVERWRITE);
    if (code == MDB_SUCCESS) return false;
    if (code != MDB_KEYEXIST) check(code, "cannot write an op");
    if (const auto first = decode_op(key.bytes(), to_view(value))) {
      return first->seq != stroke.seq || first->origin != stroke.origin;
    }
    value = {encode_op(key.bytes(), known, bytes), bytes};
    check(mdb_put(txn_, tables_.ops, &at, &value, 0), "cannot write an op over a damaged one");
    return false;
  }

  MDB_txn* txn_;
  const Tables& tables_;
  TableCursor strokes_;
  const std::uint64_t page_bytes_;
  std::unordered_map<std::string, Head, HashBytes, std::equal_to<>> heads_;
  Channel last_channel_;
  Origin last_origin_;
  Head* last_head_ = nullptr;
  std::uint64_t puts_ = 0;
  std::uint64_t long_pages_ = 0;
  std::uint64_t stroke_bytes_ = 0;
  std::unordered_set<Channel> new_channels_;
  bool heads_put_ = false;
};

template <typename Body>
WriteOutcome LmdbReplica::write(const Body& body) {
  if (!dead_.empty()) return {WriteResult::fatal, dead_};
  try {
    tend_readers();
    WriteTxn txn(env_);
    std::uint64_t new_channels = 0;
    {
      Batch batch(txn, tables_);
      body(batch);
      reserve_disk(batch.pages_max());
      new_channels = batch.new_channels();
    }
    txn.commit();
    channels_ += new_channels;
    return {};
  } catch (const LmdbError& error) {
    return outcome_of(error);
  }
}

WriteOutcome LmdbReplica::append(const std::vector<const Append*>& groups) {
  return write([&](Batch& batch) {
    for (const Append* group : groups) {
      for (const Append::Item& item : group->items)
        batch.append(item);
    }
    batch.put_heads();
  });
}

WriteOutcome LmdbReplica::repair(const Repair& repair) {
  WriteOutcome outcome = write([&](Batch& batch) {
    for (const StrokePtr& stroke : repair.strokes)
      batch.overwrite(*stroke);
  });
  // One thread writes: this is the commit that it was.
  if (outcome.result == WriteResult::ok) note_repaired(repair, env_.last_commit());
  return outcome;
}

void LmdbReplica::note_repaired(const Repair& repair, std::uint64_t commit) {
  constexpr std::size_t kRepairedMax = 100'000;
  const std::lock_guard lock(repaired_mutex_);
  for (const StrokePtr& stroke : repair.strokes) {
    if (repaired_.size() < kRepairedMax) repaired_[{stroke->channel, stroke->origin, stroke->seq}] = commit;
  }
}

WriteOutcome LmdbReplica::keep(const std::vector<const Note*>& notes) {
  return write([&](Batch& batch) {
    for (const Note* note : notes)
      batch.put_note(*note);
  });
}

WriteOutcome LmdbReplica::outcome_of(const LmdbError& error) {
  const std::string detail = "store folder " + folder_.path() + ": " + error.what();
  switch (error.code) {
    case MDB_MAP_FULL:
      return {WriteResult::full, detail + ". storage.map_size is used up."};
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return {WriteResult::full, detail + ". Make room on its disk."};
    default:
      // A flush that failed once may succeed the next time without having written anything: nothing is believed after
      // it.
      dead_ = detail;
      return {WriteResult::fatal, detail};
  }
}

/// A disk that is full in the midst of a commit looks to LMDB like a broken one. So the room that a commit can take is
/// asked for before it. And LMDB need not write the last page that a commit counts, while the start asks whether the
/// file reaches that far: so it does, reserved or not.
void LmdbReplica::reserve_disk(std::uint64_t pages) {
  const std::uint64_t map = env_.map_bytes();
  const std::uint64_t needed = std::min(map, (env_.last_page() + 1 + pages) * env_.page_bytes());
  if (needed <= reserved_bytes_) return;
  const std::uint64_t step = std::min(kReserveStepBytesMax, std::max(env_.page_bytes(), map / 64));
  const std::uint64_t ahead = std::min(map, (needed + step - 1) / step * step);
  if (int code = grow_file(ahead); code != 0) {
    code = grow_file(needed);
    if (code != 0) throw LmdbError(code, "cannot reserve room on the disk");
  }
}

int LmdbReplica::grow_file(std::uint64_t size_bytes) {
  const std::uint64_t from = reserved_bytes_;
  int code = 0;
  if (can_reserve_) {
    do {
      code = fallocate(env_.fd(), 0, static_cast<off_t>(from), static_cast<off_t>(size_bytes - from)) == 0 ? 0 : errno;
    } while (code == EINTR);
    can_reserve_ = code != EOPNOTSUPP && code != ENOSYS;
  }
  if (!can_reserve_) code = lengthen_file(size_bytes);
  if (code == 0) reserved_bytes_ = size_bytes;
  return code;
}

int LmdbReplica::lengthen_file(std::uint64_t size_bytes) {
  struct stat file {};
  if (fstat(env_.fd(), &file) != 0) return errno;
  if (static_cast<std::uint64_t>(file.st_size) >= size_bytes) return 0;
  return ftruncate(env_.fd(), static_cast<off_t>(size_bytes)) == 0 ? 0 : errno;
}

void LmdbReplica::tend_readers() {
  const auto now = std::chrono::steady_clock::now();
  if (now - readers_tended_ < kTendReadersEvery) return;
  readers_tended_ = now;
  int cleared = 0;
  check(mdb_reader_check(env_.get(), &cleared), "cannot check the table of readers");
}

}  // namespace inkmesh::store
