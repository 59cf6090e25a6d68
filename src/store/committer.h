// The store's threads: one writer with group commit, one reader. What waits during one commit goes into the next.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "inkmesh/config.h"
#include "inkmesh/effect.h"
#include "inkmesh/event.h"
#include "store/store.h"

namespace inkmesh::store {

struct CommitterStats {
  std::uint64_t commits = 0;
  std::uint64_t strokes = 0;
  std::uint64_t commit_us_total = 0;
  std::uint64_t commit_us_max = 0;
  std::uint64_t reads = 0;
  std::uint64_t queue_now = 0;
};

class Committer {
 public:
  /// Called on the committer's threads with each answer (Committed, AppendFailed, ReadDone, SinceFound, OpFound,
  /// StoreFill); must not block or throw.
  using Answer = std::function<void(Event&&)>;
  /// Called once, on the writer's thread, when the store can no longer be trusted: end the process.
  using Fatal = std::function<void(const std::string& reason)>;

  /// `store` must outlive the committer. With Durability::async groups are committed every `commit_interval_ms`.
  Committer(Store& store, Durability durability, std::uint32_t commit_interval_ms, Answer answer, Fatal fatal);
  /// Commits what waits, answers it, and joins the threads.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Any thread. The core bounds what it has under way (its tail and its reads), so these queues need no bound of
  /// their own; their size is a metric.
  void submit(Append&& append);
  void submit(Repair&& repair);
  void submit(Note&& note);
  void submit(Read&& read);
  void submit(FindSince&& find);
  void submit(FindOp&& find);

  CommitterStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace inkmesh::store
