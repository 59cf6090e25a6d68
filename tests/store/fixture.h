// What the store's tests share: strokes by the dozen, folders that go away, and a queue of a committer's answers.
#pragma once

#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "inkmesh/effect.h"
#include "inkmesh/stroke.h"
#include "store/journaled_store.h"
#include "store/lmdb_store.h"
#include "store/store.h"

namespace inkmesh::store {

inline StrokePtr make_stroke(const Channel& channel, const Origin& origin, Seq seq, const std::string& data = "{}") {
  auto stroke = std::make_shared<Stroke>();
  stroke->channel = channel;
  stroke->origin = origin;
  stroke->seq = seq;
  stroke->ts = 1'000'000 + seq * 10;
  stroke->client = "client-of-" + origin.substr(0, origin.find('~'));
  stroke->op = seq;
  stroke->data = data;
  return stroke;
}

inline StrokePtr with_op(const StrokePtr& stroke, const ClientName& client, Op op) {
  auto copy = std::make_shared<Stroke>(*stroke);
  copy->client = client;
  copy->op = op;
  return copy;
}

/// Strokes `first` to `last` of a log as one Append. The chains are right when `chain` is the one before `first`.
inline Append make_append(const Channel& channel, const Origin& origin, Seq first, Seq last,
                          const std::string& data = "{}", std::uint64_t chain = 0) {
  Append append;
  append.ticket = first;
  for (Seq seq = first; seq <= last; ++seq) {
    StrokePtr stroke = make_stroke(channel, origin, seq, data);
    chain = chain_hash(chain, *stroke);
    append.items.push_back({std::move(stroke), chain});
  }
  return append;
}

inline Append append_of(std::vector<StrokePtr> strokes) {
  Append append;
  for (StrokePtr& stroke : strokes) {
    const std::uint64_t chain = chain_hash(0, *stroke);
    append.items.push_back({std::move(stroke), chain});
  }
  return append;
}

inline WriteOutcome write(Store& store, const Append& append) {
  return store.append({&append});
}

inline Read read_of(const Channel& channel, const Cursor& after = {}, std::size_t limit_strokes = 1'000'000,
                    std::size_t limit_bytes = std::size_t{1} << 40) {
  Read read;
  read.ticket = 7;
  read.channel = channel;
  read.after = after;
  read.limit_bytes = limit_bytes;
  read.limit_strokes = limit_strokes;
  return read;
}

inline bool same_content(const Stroke& a, const Stroke& b) {
  return a.channel == b.channel && a.origin == b.origin && a.seq == b.seq && a.ts == b.ts && a.client == b.client &&
         a.op == b.op && a.data == b.data;
}

/// A folder of its own under the system's temporary one, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "inkmesh_store_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed for " + name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const {
    return path_;
  }
  std::string file() const {
    return path_ + "/data.mdb";
  }

 private:
  std::string path_;
};

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

inline std::unique_ptr<Store> open_store(const TemporaryFolder& folder, std::uint64_t map_size_bytes = 64 * kMiB) {
  return open_lmdb_store({folder.path(), map_size_bytes});
}

/// What a node has: the replica with its journal. By default nothing goes to the replica before the end.
inline std::unique_ptr<JournaledStore> open_journaled(const TemporaryFolder& folder,
                                                      std::chrono::milliseconds apply_after = std::chrono::hours(1),
                                                      std::size_t segment_bytes = 4 * kMiB) {
  return std::make_unique<JournaledStore>(open_store(folder),
                                          JournalSettings{folder.path(), segment_bytes, apply_after});
}

}  // namespace inkmesh::store
