#include "store/journaled_store.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <functional>
#include <set>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "store/broken.h"

namespace inkmesh::store {
namespace {

std::uint64_t applied_in(const std::map<std::string, std::string>& notes) {
  const auto note = notes.find(kAppliedNote);
  std::uint64_t generation = 0;
  if (note != notes.end()) {
    const std::string& text = note->second;
    std::from_chars(text.data(), text.data() + text.size(), generation);
  }
  return generation;
}

/// A log's name, by which a group's strokes are followed.
struct LogName {
  std::string_view channel;
  std::string_view origin;

  bool operator==(const LogName& other) const = default;
};
struct HashLogName {
  std::size_t operator()(const LogName& name) const {
    const std::hash<std::string_view> hash;
    return hash(name.channel) * 0x9e3779b97f4a7c15U + hash(name.origin);
  }
};

}  // namespace

std::unique_ptr<JournaledStore> open_store(const LmdbSettings& settings) {
  auto replica = open_lmdb_store(settings);
  JournalSettings journal;
  journal.folder = settings.path;
  // In a small map the journal must not hold more than the map has room for.
  constexpr std::uint64_t least = std::uint64_t{64} << 10;
  journal.segment_bytes = std::clamp(settings.map_size_bytes / 64 / kJournalBlockBytes * kJournalBlockBytes, least,
                                     std::uint64_t{journal.segment_bytes});
  return std::make_unique<JournaledStore>(std::move(replica), journal);
}

JournaledStore::JournaledStore(std::unique_ptr<Store> replica, const JournalSettings& settings)
    : replica_(std::move(replica)),
      apply_after_(settings.apply_after),
      journal_(settings.folder, settings.segment_bytes, applied_in(replica_->notes())) {
  damaged_ = !load(journal_.take_found());
  if (damaged_) {
    const WriteOutcome outcome = replica_->note({kWholeNote, std::string(name_of(HollowBecause::lost_records))});
    if (outcome.result != WriteResult::ok) throw StoreError(outcome.detail);
  }
  applier_ = std::thread([this] { apply_loop(); });
}

JournaledStore::~JournaledStore() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  apply_wake_.notify_all();
  applier_.join();
}

// ---- what the journal held --------------------------------------------------------------------------------------

bool JournaledStore::load(JournalFound found) {
  const StoreUsage replica = replica_->usage();
  strokes_ = replica.strokes;
  channels_ = replica.channels;
  bool whole = !found.damaged;
  if (found.segments.size() > 1) {
    sealed_generation_ = found.segments.front().generation;
    whole = load(sealed_, found.segments.front().items) && whole;
  }
  if (!found.segments.empty()) whole = load(active_, found.segments.back().items) && whole;
  return whole;
}

/// What the replica has already is left out. False when strokes are missing: what comes after them is no log's end.
bool JournaledStore::load(Tail& tail, const std::vector<Append::Item>& items) {
  bool whole = true;
  for (const Append::Item& item : items) {
    const Seq next = head(item.stroke->channel, item.stroke->origin) + 1;
    if (item.stroke->seq > next) whole = false;
    if (item.stroke->seq == next) add(tail, item);
  }
  return whole;
}

void JournaledStore::add(Tail& tail, const Append::Item& item) {
  if (active_.empty()) active_since_ = Clock::now();
  ++strokes_;
  if (!tail.add(item) || item.stroke->seq != 1) return;
  const Channel& channel = item.stroke->channel;
  const Tail& other = &tail == &active_ ? sealed_ : active_;
  if (!other.has_channel(channel) && !replica_->has_channel(channel)) ++channels_;
}

// ---- writes -----------------------------------------------------------------------------------------------------

WriteOutcome JournaledStore::append(const std::vector<const Append*>& groups) {
  if (WriteOutcome outcome = stopped(); outcome.result != WriteResult::ok) return outcome;
  expect_next(groups);
  record_.begin();
  for (const Append* group : groups) {
    for (const Append::Item& item : group->items)
      record_.add(item);
  }
  // What fills much of a segment is worth a commit of the replica's.
  return record_.bytes() > journal_.segment_bytes() / 2 ? append_to_replica(groups) : append_to_journal(groups);
}

WriteOutcome JournaledStore::append_to_journal(const std::vector<const Append*>& groups) {
  std::unique_lock journal_lock(journal_mutex_);
  while (!journal_.fits(record_)) {
    if (!wait_for_segment(journal_lock)) return stopped();
    const std::lock_guard lock(mutex_);
    if (sealed_generation_ == 0) seal();
  }
  bool flush_failed = false;
  if (const int code = journal_.append(record_, flush_failed); code != 0) return outcome_of(code, flush_failed);
  const std::lock_guard lock(mutex_);
  if (active_.empty()) apply_wake_.notify_one();
  for (const Append* group : groups) {
    for (const Append::Item& item : group->items)
      add(active_, item);
  }
  return {};
}

WriteOutcome JournaledStore::append_to_replica(const std::vector<const Append*>& groups) {
  std::unique_lock journal_lock(journal_mutex_);
  if (!apply_all(journal_lock)) return stopped();
  const std::uint64_t channels = channels_of(groups);
  const WriteOutcome outcome = write_replica([&](Store& replica) { return replica.append(groups); });
  if (outcome.result == WriteResult::fatal) stop_applying(outcome);
  if (outcome.result != WriteResult::ok) return outcome;
  const std::lock_guard lock(mutex_);
  channels_ += channels;
  for (const Append* group : groups)
    strokes_ += group->items.size();
  return {};
}

/// Those of which nothing is stored.
std::uint64_t JournaledStore::channels_of(const std::vector<const Append*>& groups) const {
  std::set<std::string_view> fresh;
  for (const Append* group : groups) {
    for (const Append::Item& item : group->items) {
      if (item.stroke->seq == 1 && !replica_->has_channel(item.stroke->channel)) fresh.insert(item.stroke->channel);
    }
  }
  return fresh.size();
}

/// Only what the replica holds can be overwritten there.
WriteOutcome JournaledStore::repair(const Repair& repair) {
  std::unique_lock journal_lock(journal_mutex_);
  if (!apply_all(journal_lock)) return stopped();
  return write_replica([&](Store& replica) { return replica.repair(repair); });
}

WriteOutcome JournaledStore::keep(const std::vector<const Note*>& notes) {
  return write_replica([&](Store& replica) { return replica.keep(notes); });
}

/// Until the other segment is free. False when nothing goes to the replica any more. The lock is given back meanwhile:
/// the applier may need it.
bool JournaledStore::wait_for_segment(std::unique_lock<std::mutex>& journal_lock) {
  journal_lock.unlock();
  bool going = true;
  {
    std::unique_lock lock(mutex_);
    applied_.wait(lock, [this] { return sealed_generation_ == 0 || stopped_.result != WriteResult::ok; });
    going = stopped_.result == WriteResult::ok;
  }
  journal_lock.lock();
  return going;
}

/// Until the replica has all. False when nothing goes to it any more.
bool JournaledStore::apply_all(std::unique_lock<std::mutex>& journal_lock) {
  while (true) {
    if (!wait_for_segment(journal_lock)) return false;
    const std::lock_guard lock(mutex_);
    if (sealed_generation_ != 0) continue;
    if (active_.empty()) return true;
    seal();
  }
}

WriteOutcome JournaledStore::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

/// Both mutexes are held, and the other segment is free.
void JournaledStore::seal() {
  std::swap(sealed_, active_);
  sealed_generation_ = journal_.generation();
  journal_.next_segment();
  apply_wake_.notify_one();
}

/// The core numbers without gaps: going on where it did not could give one seq two contents.
void JournaledStore::expect_next(const std::vector<const Append*>& groups) const {
  std::unordered_map<LogName, Seq, HashLogName> heads;
  {
    const std::lock_guard lock(mutex_);
    for (const Append* group : groups) {
      for (const Append::Item& item : group->items) {
        const auto [known, fresh] = heads.try_emplace({item.stroke->channel, item.stroke->origin}, 0);
        if (fresh) known->second = active_.head(known->first.channel, known->first.origin);
        if (known->second == 0) known->second = sealed_.head(known->first.channel, known->first.origin);
      }
    }
  }
  for (const Append* group : groups) {
    for (const Append::Item& item : group->items) {
      const Stroke& stroke = *item.stroke;
      Seq& head = heads.at({stroke.channel, stroke.origin});
      if (head == 0) head = replica_->head(stroke.channel, stroke.origin);
      if (stroke.seq != head + 1) {
        broken("append of " + stroke.channel + " " + stroke.origin + " " + std::to_string(stroke.seq) +
               " where the head is " + std::to_string(head));
      }
      head = stroke.seq;
    }
  }
}

WriteOutcome JournaledStore::outcome_of(int code, bool flush_failed) {
  const std::string detail = journal_.path() + ": " + std::generic_category().message(code);
  const bool full = !flush_failed && (code == ENOSPC || code == EDQUOT || code == EFBIG);
  if (full) return {WriteResult::full, detail + ". Make room on its disk."};
  const WriteOutcome outcome{WriteResult::fatal, detail};
  stop_applying(outcome);
  return outcome;
}

void JournaledStore::stop_applying(const WriteOutcome& outcome) {
  const std::lock_guard lock(mutex_);
  if (stopped_.result != WriteResult::fatal) stopped_ = outcome;
  applied_.notify_all();
}

}  // namespace inkmesh::store
