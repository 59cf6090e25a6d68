// The way from the journal to the replica: a thread of its own, a segment at a time.

#include <algorithm>
#include <exception>
#include <utility>

#include "store/journaled_store.h"

namespace inkmesh::store {

void JournaledStore::apply_loop() {
  try {
    while (wait_for_sealed()) {
      if (const WriteOutcome outcome = apply(); outcome.result != WriteResult::ok) stop_applying(outcome);
    }
  } catch (const std::exception& error) {
    stop_applying({WriteResult::fatal, error.what()});
  }
}

/// Seals what has waited long enough. False at the end, and when nothing can be written any more.
bool JournaledStore::wait_for_sealed() {
  constexpr std::chrono::seconds try_again{1};
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (stopped_.result == WriteResult::full) {
        // What it still lacks when the node ends, the journal keeps.
        if (apply_wake_.wait_for(lock, try_again, [this] { return stopping_; })) return false;
        return true;
      }
      if (stopped_.result == WriteResult::fatal) return false;
      if (sealed_generation_ != 0) return true;
      if (active_.empty()) {
        if (stopping_) return false;
        apply_wake_.wait(lock);
        continue;
      }
      const auto due = active_since_ + apply_after_;
      if (!stopping_ && Clock::now() < due) {
        apply_wake_.wait_until(lock, due);
        continue;
      }
    }
    const std::lock_guard journal_lock(journal_mutex_);
    const std::lock_guard lock(mutex_);
    if (sealed_generation_ == 0 && !active_.empty()) seal();
  }
}

WriteOutcome JournaledStore::apply() {
  // A transaction of this many is about as long as a reader or a note should have to wait for one.
  constexpr std::size_t chunk_max = 4096;
  if (applying_.generation != sealed_generation_) applying_ = {sealed_generation_, sealed_.by_channel(), 0};
  std::size_t size = chunk_max;
  while (applying_.done < applying_.items.size()) {
    size = std::min(size, applying_.items.size() - applying_.done);
    const auto begin = applying_.items.begin() + static_cast<std::ptrdiff_t>(applying_.done);
    Append chunk;
    chunk.items.assign(begin, begin + static_cast<std::ptrdiff_t>(size));
    const WriteOutcome outcome = write_replica([&](Store& replica) { return replica.append({&chunk}); });
    if (outcome.result == WriteResult::full && size > 1) {
      size /= 2;
      continue;
    }
    if (outcome.result != WriteResult::ok) return outcome;
    applying_.done += size;
    size = chunk_max;
  }
  const Note note{kAppliedNote, std::to_string(applying_.generation)};
  const WriteOutcome outcome = write_replica([&](Store& replica) { return replica.note(note); });
  if (outcome.result != WriteResult::ok) return outcome;
  applying_ = {};
  free_sealed();
  return {};
}

void JournaledStore::free_sealed() {
  Tail applied;  // thousands of strokes: they go when nobody waits for the mutex
  {
    const std::lock_guard lock(mutex_);
    std::swap(applied, sealed_);
    sealed_generation_ = 0;
    if (stopped_.result == WriteResult::full) stopped_ = {};
  }
  applied_.notify_all();
}

WriteOutcome JournaledStore::write_replica(const std::function<WriteOutcome(Store&)>& write) {
  WriteOutcome outcome;
  {
    const std::lock_guard lock(replica_mutex_);
    outcome = write(*replica_);
  }
  const std::lock_guard lock(usage_mutex_);
  usage_.reset();
  return outcome;
}

}  // namespace inkmesh::store
