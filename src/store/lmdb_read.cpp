// Reads: each takes a snapshot, copies out what it answers, and gives the snapshot back. Nothing past the answer is
// touched but the heads of the one channel.

#include <algorithm>
#include <utility>

#include "store/lmdb_replica.h"
#include "store/page.h"

namespace inkmesh::store {
namespace {

/// One origin's part of a channel, as the snapshot has it.
struct Log {
  Origin origin;
  Head head;
};

/// Adds an origin's strokes past `after`. False when a limit ended it before its head.
bool read_log(TableCursor& strokes, const Channel& channel, const Log& log, Seq after, Page& page, ReadDone& done) {
  Key wanted = Key::of_stroke(channel, log.origin, after + 1);
  page.expect(log.head.seq - after);
  MDB_val key = to_val(wanted.bytes());
  MDB_val value{};
  MDB_cursor_op op = MDB_SET_KEY;
  for (Seq seq = after + 1; seq <= log.head.seq; ++seq, op = MDB_NEXT) {
    if (page.full()) return false;
    wanted.set_seq(seq);
    StrokePtr stroke;
    if (strokes.find(key, value, op) && to_view(key) == wanted.bytes()) {
      stroke = decode_stroke(wanted.bytes(), to_view(value), channel, log.origin, seq);
    }
    if (!stroke) {
      done.damaged.push_back({log.origin, seq});
      return true;
    }
    if (!page.take(std::move(stroke))) return false;
  }
  return true;
}

/// The seq before the log's first stroke with a ts at or past `since`. A damaged record counts as past it: rather
/// repeat a few strokes than miss one.
Seq seq_before(MDB_txn* txn, MDB_dbi strokes, const Channel& channel, const Log& log, TimeUs since) {
  if (log.head.ts < since) return log.head.seq;
  Key key = Key::of_stroke(channel, log.origin, 0);
  Seq before = 0;
  Seq past = log.head.seq;
  while (past - before > 1) {
    const Seq middle = before + (past - before) / 2;
    key.set_seq(middle);
    MDB_val at = to_val(key.bytes());
    MDB_val value{};
    const int code = mdb_get(txn, strokes, &at, &value);
    if (code != MDB_NOTFOUND) check(code, "cannot read a stroke");
    const auto ts = code == MDB_SUCCESS ? decode_stroke_ts(key.bytes(), to_view(value)) : std::nullopt;
    (ts && *ts < since ? before : past) = middle;
  }
  return before;
}

}  // namespace

template <typename Visit>
void LmdbReplica::for_each_log(Snapshot& snapshot, const Channel& channel, const Origin& only, const Visit& visit) {
  const Key prefix = Key::of_heads(channel);
  const Key first = only.empty() ? prefix : Key::of_head(channel, only);
  MDB_val key = to_val(first.bytes());
  MDB_val value{};
  bool found = snapshot.heads->find(key, value, only.empty() ? MDB_SET_RANGE : MDB_SET_KEY);
  while (found && to_view(key).substr(0, prefix.bytes().size()) == prefix.bytes()) {
    const auto head = decode_head(to_view(key), to_view(value));
    if (!head) throw damaged_head(to_view(key));
    if (!visit(Log{Origin(origin_in_head_key(to_view(key), prefix.bytes())), *head}) || !only.empty()) return;
    found = snapshot.heads->find(key, value, MDB_NEXT);
  }
}

Seq LmdbReplica::head(const Channel& channel, std::string_view origin) const {
  const Key key = Key::of_head(channel, origin);
  const auto snapshot = snapshots_.take();
  MDB_val at = to_val(key.bytes());
  MDB_val value{};
  const int code = mdb_get(snapshot->txn, tables_.heads, &at, &value);
  if (code == MDB_NOTFOUND) return 0;
  check(code, "cannot read a head");
  const auto head = decode_head(key.bytes(), to_view(value));
  if (!head) throw damaged_head(key.bytes());
  return head->seq;
}

bool LmdbReplica::has_channel(const Channel& channel) const {
  const auto snapshot = snapshots_.take();
  return has_prefix(*snapshot->heads, Key::of_heads(channel).bytes());
}

ReadDone LmdbReplica::read(const Read& read) {
  ReadDone done;
  done.ticket = read.ticket;
  Page page(read, done);
  const auto snapshot = snapshots_.take();
  for_each_log(*snapshot, read.channel, read.only, [&](const Log& log) {
    const Seq after = read.after.at(log.origin);
    if (after >= log.head.seq) return true;
    if (read_log(*snapshot->strokes, read.channel, log, after, page, done)) return true;
    done.more = true;
    return false;
  });
  for (const ReadDone::Damaged& record : done.damaged)
    expect_unrepaired(read.channel, record, mdb_txn_id(snapshot->txn));
  return done;
}

/// What was repaired and cannot be found all the same lies behind a damaged page: no repair will ever reach it.
void LmdbReplica::expect_unrepaired(const Channel& channel, const ReadDone::Damaged& record, std::uint64_t commit) {
  const std::lock_guard lock(repaired_mutex_);
  const auto known = repaired_.find({channel, record.origin, record.seq});
  if (known != repaired_.end() && commit >= known->second) throw damaged_table("strokes");
}

SinceFound LmdbReplica::find_since(const FindSince& find) {
  SinceFound found;
  found.ticket = find.ticket;
  const auto snapshot = snapshots_.take();
  for_each_log(*snapshot, find.channel, Origin(), [&](const Log& log) {
    found.before.set(log.origin, seq_before(snapshot->txn, tables_.strokes, find.channel, log, find.since));
    return true;
  });
  return found;
}

std::optional<KnownOp> LmdbReplica::find_op(const Channel& channel, const ClientName& client, Op op) {
  const Key key = Key::of_op(channel, client, op);
  const auto snapshot = snapshots_.take();
  MDB_val at = to_val(key.bytes());
  MDB_val value{};
  const int code = mdb_get(snapshot->txn, tables_.ops, &at, &value);
  if (code == MDB_NOTFOUND) return std::nullopt;
  check(code, "cannot look up an op");
  // A damaged entry is an unknown op: the log then takes a second copy, which clients draw once.
  return decode_op(key.bytes(), to_view(value));
}

}  // namespace inkmesh::store
