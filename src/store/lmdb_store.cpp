#include "store/lmdb_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "store/lmdb_replica.h"

namespace inkmesh::store {
namespace {

/// 2: a journal beside data.mdb, whose strokes an older inkmesh would not see.
constexpr std::uint32_t kFormat = 2;
constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kOwnerKey = "node";
constexpr std::string_view kFileKey = "inode";
constexpr std::uint64_t kMapBytesMin = std::uint64_t{256} << 10;

std::uint64_t checked_map_size(const LmdbSettings& settings) {
  if (settings.map_size_bytes < kMapBytesMin) {
    throw StoreError("store folder " + settings.path + ": a map of " + std::to_string(settings.map_size_bytes) +
                     " bytes is too small; storage.map_size must be at least " + std::to_string(kMapBytesMin));
  }
  return settings.map_size_bytes;
}

/// LMDB sets it on some descriptors only, and a child must never inherit one.
void close_on_exec(int fd) {
  const int flags = fcntl(fd, F_GETFD);
  if (flags >= 0) fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

/// What tells a file from every other one, and from its own copies. A file that is made right after another one was
/// removed mostly gets its inode.
struct FileName {
  std::uint64_t inode = 0;
  std::uint64_t born_ns = 0;  ///< 0 where the file system does not tell
};

FileName name_of_file(int fd) {
  struct statx file {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &file) != 0) {
    throw LmdbError(errno, "cannot look at data.mdb");
  }
  FileName name{file.stx_ino, 0};
  if ((file.stx_mask & STATX_BTIME) == 0) return name;
  constexpr std::uint64_t second_ns = 1'000'000'000;
  name.born_ns = static_cast<std::uint64_t>(file.stx_btime.tv_sec) * second_ns + file.stx_btime.tv_nsec;
  return name;
}

std::uint64_t entries(MDB_txn* txn, MDB_dbi table) {
  MDB_stat stat{};
  check(mdb_stat(txn, table, &stat), "cannot count a table");
  return stat.ms_entries;
}

}  // namespace

std::unique_ptr<Store> open_lmdb_store(const LmdbSettings& settings) {
  try {
    return std::make_unique<LmdbReplica>(settings);
  } catch (const LmdbError& error) {
    throw StoreError("store folder " + settings.path + ": " + error.what());
  }
}

LmdbReplica::LmdbReplica(const LmdbSettings& settings)
    : folder_(settings.path), env_(folder_.path(), checked_map_size(settings)), snapshots_(env_, tables_) {
  close_on_exec(env_.fd());
  open_tables(settings.node);
  folder_.sync();
  tend_readers();
  count_channels();
}

void LmdbReplica::open_tables(const NodeId& node) {
  WriteTxn txn(env_);
  MDB_dbi root = 0;
  check(mdb_dbi_open(txn.get(), nullptr, 0, &root), "cannot open the root table");
  const bool fresh = entries(txn.get(), root) == 0;

  const int code = mdb_dbi_open(txn.get(), "meta", fresh ? MDB_CREATE : 0, &tables_.meta);
  if (code == MDB_NOTFOUND) {
    throw StoreError("store folder " + folder_.path() + ": data.mdb is not an inkmesh store. Give this node another " +
                     "storage.path.");
  }
  check(code, "cannot open the table meta");
  check_format(txn, fresh);
  if (!node.empty()) check_owner(txn, node);
  check_copy(txn);
  check(mdb_dbi_open(txn.get(), "heads", MDB_CREATE, &tables_.heads), "cannot open the table heads");
  check(mdb_dbi_open(txn.get(), "strokes", MDB_CREATE, &tables_.strokes), "cannot open the table strokes");
  check(mdb_dbi_open(txn.get(), "ops", MDB_CREATE, &tables_.ops), "cannot open the table ops");
  txn.commit();
}

void LmdbReplica::check_format(WriteTxn& txn, bool fresh) {
  MDB_val key = to_val(kFormatKey);
  const auto write_format = [&] {
    MDB_val value{sizeof kFormat, const_cast<std::uint32_t*>(&kFormat)};
    check(mdb_put(txn.get(), tables_.meta, &key, &value, 0), "cannot write the format's version");
  };
  if (fresh) return write_format();
  MDB_val value{};
  std::uint32_t found = 0;
  const int code = mdb_get(txn.get(), tables_.meta, &key, &value);
  if (code == MDB_SUCCESS && value.mv_size == sizeof found) std::memcpy(&found, value.mv_data, sizeof found);
  if (found == 0) {
    throw StoreError("store folder " + folder_.path() + ": data.mdb names no format version: it is damaged, or not " +
                     "an inkmesh store. " + kWayOut);
  }
  if (found > kFormat) {
    throw StoreError("store folder " + folder_.path() + " was written in format " + std::to_string(found) +
                     " by a newer inkmesh; this one knows formats up to " + std::to_string(kFormat) +
                     ". Start the newer inkmesh, or move the folder away: the node then refills from its peers.");
  }
  if (found < kFormat) write_format();
}

/// A store of another node would make this one call histories complete that it never compared with its peers.
void LmdbReplica::check_owner(WriteTxn& txn, const NodeId& node) {
  MDB_val key = to_val(kOwnerKey);
  MDB_val value{};
  const int code = mdb_get(txn.get(), tables_.meta, &key, &value);
  if (code == MDB_NOTFOUND) {
    value = to_val(node);
    check(mdb_put(txn.get(), tables_.meta, &key, &value, 0), "cannot write whose store it is");
    return;
  }
  check(code, "cannot read the table meta");
  const std::string owner(to_view(value).substr(0, kNodeIdBytesMax));
  if (owner == node) return;
  throw StoreError("store folder " + folder_.path() + " is the store of node " + owner + ", and this is node " + node +
                   ". Give this node a storage.path of its own, or an empty folder: its peers refill it.");
}

/// A copy that was put back (a backup) has forgotten what came after it, acknowledged strokes too: it must not count as
/// whole. It is another file than the one that was.
void LmdbReplica::check_copy(WriteTxn& txn) {
  const FileName file = name_of_file(env_.fd());
  FileName known = file;
  MDB_val key = to_val(kFileKey);
  MDB_val value{};
  const int code = mdb_get(txn.get(), tables_.meta, &key, &value);
  if (code != MDB_NOTFOUND) check(code, "cannot read the table meta");
  const bool noted = code == MDB_SUCCESS && value.mv_size == sizeof known;
  // Earlier releases noted the inode alone.
  const bool noted_half = code == MDB_SUCCESS && value.mv_size == sizeof known.inode;
  if (noted) std::memcpy(&known, value.mv_data, sizeof known);
  if (noted_half) std::memcpy(&known.inode, value.mv_data, sizeof known.inode);
  const bool same = known.inode == file.inode && known.born_ns == file.born_ns;
  if (noted && same) return;
  value = {sizeof file, const_cast<FileName*>(&file)};
  check(mdb_put(txn.get(), tables_.meta, &key, &value, 0), "cannot write which file it is");
  if (same) return;
  const std::string whole = std::string(kNotePrefix) + kWholeNote;
  key = to_val(whole);
  value = to_val(name_of(HollowBecause::copied));
  check(mdb_put(txn.get(), tables_.meta, &key, &value, 0), "cannot note that the store is a copy");
}

std::map<std::string, std::string> LmdbReplica::notes() {
  const auto snapshot = snapshots_.take();
  std::map<std::string, std::string> notes;
  TableCursor meta(snapshot->txn, tables_.meta);
  MDB_val key{};
  MDB_val value{};
  for (bool found = meta.find(key, value, MDB_FIRST); found; found = meta.find(key, value, MDB_NEXT)) {
    const std::string_view name = to_view(key);
    if (name.substr(0, kNotePrefix.size()) == kNotePrefix) {
      notes.emplace(name.substr(kNotePrefix.size()), to_view(value));
    }
  }
  return notes;
}

void LmdbReplica::count_channels() {
  const auto snapshot = snapshots_.take();
  std::string last;
  MDB_val key{};
  MDB_val value{};
  std::uint64_t channels = 0;
  for (bool found = snapshot->heads->find(key, value, MDB_FIRST); found;
       found = snapshot->heads->find(key, value, MDB_NEXT)) {
    const std::string_view channel = channel_in_head_key(to_view(key));
    if (channel == last) continue;
    last = channel;
    ++channels;
  }
  channels_ = channels;
}

std::vector<StoredHead> LmdbReplica::heads() {
  const auto snapshot = snapshots_.take();
  std::vector<StoredHead> heads;
  const std::uint64_t count = entries(snapshot->txn, tables_.heads);
  std::string last;
  MDB_val key{};
  MDB_val value{};
  for (bool found = snapshot->heads->find(key, value, MDB_FIRST); found;
       found = snapshot->heads->find(key, value, MDB_NEXT)) {
    const std::string_view bytes = to_view(key);
    const std::string_view channel = channel_in_head_key(bytes);
    const auto head = decode_head(bytes, to_view(value));
    if (!head || channel.empty()) throw damaged_head(bytes);
    // A damaged page above the leaves leads past heads, or to some twice. A log that is not seen would be no log.
    if (!(last < bytes) || heads.size() == count) throw damaged_table("heads");
    last = bytes;
    heads.push_back({Channel(channel), Origin(bytes.substr(channel.size() + 1)), head->seq, head->chain, head->ts});
  }
  if (heads.size() != count) throw damaged_table("heads");
  return heads;
}

StoreError LmdbReplica::damaged_table(const char* name) const {
  return StoreError("store folder " + folder_.path() + ": the table " + name + " is damaged on disk. " + kWayOut);
}

StoreError LmdbReplica::damaged_head(std::string_view key) const {
  std::string name(key);
  std::replace(name.begin(), name.end(), '\0', ' ');
  return StoreError("store folder " + folder_.path() + ": the head of " + name + " is damaged on disk. " + kWayOut);
}

StoreUsage LmdbReplica::usage() {
  const auto snapshot = snapshots_.take();
  const PageCount pages = count_pages(env_, snapshot->txn);
  struct stat file {};
  if (fstat(env_.fd(), &file) != 0) throw LmdbError(errno, "cannot look at data.mdb");

  StoreUsage usage;
  usage.map_bytes = env_.map_bytes();
  usage.used_bytes = (pages.last - std::min(pages.last, pages.free)) * pages.page_bytes;
  usage.file_bytes = static_cast<std::uint64_t>(file.st_size);
  usage.capacity_bytes = std::min(usage.map_bytes, usage.file_bytes + disk_free_bytes());
  usage.strokes = entries(snapshot->txn, tables_.strokes);
  usage.channels = channels_;
  return usage;
}

std::uint64_t LmdbReplica::disk_free_bytes() const {
  struct statvfs disk {};
  if (fstatvfs(env_.fd(), &disk) != 0) throw LmdbError(errno, "cannot look at the disk");
  return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

}  // namespace inkmesh::store
