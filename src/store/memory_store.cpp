#include "store/memory_store.h"

#include <algorithm>
#include <iterator>
#include <memory>

namespace inkmesh::store {
namespace {

using Lock = std::lock_guard<std::mutex>;

const char* name_of(WriteResult result) {
  return result == WriteResult::full ? "injected: the map is full" : "injected: the write failed";
}

}  // namespace

// ---- writing
// ----------------------------------------------------------------------------------------------------------

std::optional<WriteOutcome> MemoryStore::injected() {
  if (refuse_times_ == 0) return std::nullopt;
  --refuse_times_;
  return WriteOutcome{refuse_with_, name_of(refuse_with_)};
}

std::optional<WriteOutcome> MemoryStore::refusal(const std::vector<const Append*>& groups) const {
  std::uint64_t bytes = used_bytes_;
  std::map<std::pair<std::string_view, std::string_view>, Seq> next;
  for (const Append* group : groups) {
    for (const Append::Item& item : group->items) {
      const Stroke& stroke = *item.stroke;
      bytes += cost_of(stroke);
      Seq& head = next[{stroke.channel, stroke.origin}];
      if (head == 0) {
        const Records* records = find(stroke.channel, stroke.origin);
        head = records == nullptr ? 0 : records->size();
      }
      if (stroke.seq != head + 1) {
        return WriteOutcome{WriteResult::fatal, "seq " + std::to_string(stroke.seq) + " of " + stroke.origin + " in " +
                                                    stroke.channel + " does not follow " + std::to_string(head)};
      }
      head = stroke.seq;
    }
  }
  if (bytes > map_bytes_) return WriteOutcome{WriteResult::full, "the map is full"};
  return std::nullopt;
}

void MemoryStore::put(const Append::Item& item) {
  const Stroke& stroke = *item.stroke;
  ChannelRecords& channel = channels_[stroke.channel];
  const bool first = channel.ops.try_emplace(OpKey{stroke.client, stroke.op}, stroke.origin, stroke.seq).second;
  StrokePtr kept = item.stroke;
  if (kept->duplicate == first) {
    auto marked = std::make_shared<Stroke>(stroke);
    marked->duplicate = !first;
    kept = std::move(marked);
  }
  channel.origins[stroke.origin].push_back(Record{std::move(kept), item.chain, false});
  used_bytes_ += cost_of(stroke);
  ++strokes_;
}

WriteOutcome MemoryStore::append(const std::vector<const Append*>& groups) {
  const Lock lock(mutex_);
  if (const auto outcome = injected()) return *outcome;
  if (const auto outcome = refusal(groups)) return *outcome;
  for (const Append* group : groups) {
    for (const Append::Item& item : group->items)
      put(item);
  }
  return {};
}

WriteOutcome MemoryStore::repair(const Repair& repair) {
  const Lock lock(mutex_);
  if (const auto outcome = injected()) return *outcome;
  for (const StrokePtr& stroke : repair.strokes) {
    const auto channel = channels_.find(stroke->channel);
    if (channel == channels_.end()) continue;
    const auto records = channel->second.origins.find(stroke->origin);
    if (records == channel->second.origins.end() || stroke->seq == 0 || stroke->seq > records->second.size()) continue;
    Record& record = records->second[stroke->seq - 1];
    used_bytes_ += cost_of(*stroke);
    used_bytes_ -= cost_of(*record.stroke);
    auto copy = std::make_shared<Stroke>(*stroke);
    copy->duplicate = record.stroke->duplicate;
    record.stroke = std::move(copy);
    if (record.damaged) --damaged_;
    record.damaged = false;
  }
  return {};
}

WriteOutcome MemoryStore::keep(const std::vector<const Note*>& notes) {
  const Lock lock(mutex_);
  if (const auto outcome = injected()) return *outcome;
  for (const Note* note : notes)
    notes_[note->name] = note->value;
  return {};
}

std::map<std::string, std::string> MemoryStore::notes() {
  const Lock lock(mutex_);
  return notes_;
}

// ---- reading
// ----------------------------------------------------------------------------------------------------------

const MemoryStore::Records* MemoryStore::find(const Channel& channel, std::string_view origin) const {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return nullptr;
  const auto records = found->second.origins.find(origin);
  return records == found->second.origins.end() ? nullptr : &records->second;
}

std::vector<StoredHead> MemoryStore::heads() {
  const Lock lock(mutex_);
  std::vector<StoredHead> heads;
  for (const auto& [channel, held] : channels_) {
    for (const auto& [origin, records] : held.origins) {
      heads.push_back(StoredHead{channel, origin, records.size(), records.back().chain, records.back().stroke->ts});
    }
  }
  return heads;
}

bool MemoryStore::has_channel(const Channel& channel) const {
  const Lock lock(mutex_);
  return channels_.count(channel) != 0;
}

ReadDone MemoryStore::read(const Read& read) {
  const Lock lock(mutex_);
  ReadDone done{read.ticket, {}, false, {}};
  const auto channel = channels_.find(read.channel);
  if (channel == channels_.end()) return done;
  std::size_t bytes = 0;
  for (const auto& [origin, records] : channel->second.origins) {
    if (!read.only.empty() && origin != read.only) continue;
    for (Seq seq = read.after.at(origin) + 1; seq <= records.size(); ++seq) {
      const Record& record = records[seq - 1];
      if (record.damaged) {
        done.damaged.push_back(ReadDone::Damaged{origin, seq});
        break;
      }
      const std::size_t cost = cost_of(*record.stroke);
      const bool fits = bytes + cost <= read.limit_bytes && done.strokes.size() < read.limit_strokes;
      if (!fits && !done.strokes.empty()) {
        done.more = true;
        return done;
      }
      bytes += cost;
      done.strokes.push_back(record.stroke);
    }
  }
  return done;
}

SinceFound MemoryStore::find_since(const FindSince& find) {
  const Lock lock(mutex_);
  SinceFound found{find.ticket, {}};
  const auto channel = channels_.find(find.channel);
  if (channel == channels_.end()) return found;
  for (const auto& [origin, records] : channel->second.origins) {
    // Each origin's timestamps rise.
    const auto first = std::partition_point(records.begin(), records.end(),
                                            [&](const Record& record) { return record.stroke->ts < find.since; });
    found.before.set(origin, static_cast<Seq>(std::distance(records.begin(), first)));
  }
  return found;
}

std::optional<KnownOp> MemoryStore::find_op(const Channel& channel, const ClientName& client, Op op) {
  const Lock lock(mutex_);
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return std::nullopt;
  const auto entry = found->second.ops.find(OpKey{client, op});
  if (entry == found->second.ops.end()) return std::nullopt;
  const auto& [origin, seq] = entry->second;
  const Stroke& stroke = *found->second.origins.find(origin)->second[seq - 1].stroke;
  return KnownOp{origin, seq, stroke.ts, data_hash(stroke.data)};
}

StoreUsage MemoryStore::usage() {
  const Lock lock(mutex_);
  return StoreUsage{map_bytes_, used_bytes_, used_bytes_, strokes_, channels_.size()};
}

// ---- loss, refusals, damage
// -------------------------------------------------------------------------------------------

void MemoryStore::lose_disk() {
  const Lock lock(mutex_);
  channels_.clear();
  used_bytes_ = strokes_ = damaged_ = 0;
  notes_.clear();
}

struct MemoryStore::Backup {
  std::map<Channel, ChannelRecords, std::less<>> channels;
  std::uint64_t used_bytes = 0;
  std::uint64_t strokes = 0;
  std::uint64_t damaged = 0;
  std::map<std::string, std::string> notes;
};

std::shared_ptr<const MemoryStore::Backup> MemoryStore::backup() const {
  const Lock lock(mutex_);
  return std::make_shared<const Backup>(Backup{channels_, used_bytes_, strokes_, damaged_, notes_});
}

void MemoryStore::set_note(const Note& note) {
  const Lock lock(mutex_);
  notes_[note.name] = note.value;
}

void MemoryStore::restore(const Backup& backup) {
  const Lock lock(mutex_);
  channels_ = backup.channels;
  used_bytes_ = backup.used_bytes;
  strokes_ = backup.strokes;
  damaged_ = backup.damaged;
  notes_ = backup.notes;
}

void MemoryStore::refuse_next(WriteResult result, unsigned times) {
  const Lock lock(mutex_);
  refuse_with_ = result;
  refuse_times_ = times;
}

void MemoryStore::set_map_bytes(std::uint64_t map_bytes) {
  const Lock lock(mutex_);
  map_bytes_ = map_bytes;
}

bool MemoryStore::damage(const Channel& channel, const Origin& origin, Seq seq) {
  const Lock lock(mutex_);
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return false;
  const auto records = found->second.origins.find(origin);
  if (records == found->second.origins.end() || seq == 0 || seq > records->second.size()) return false;
  Record& record = records->second[seq - 1];
  if (!record.damaged) ++damaged_;
  record.damaged = true;
  return true;
}

// ---- for checkers
// -----------------------------------------------------------------------------------------------------

Seq MemoryStore::head(const Channel& channel, std::string_view origin) const {
  const Lock lock(mutex_);
  const Records* records = find(channel, origin);
  return records == nullptr ? 0 : records->size();
}

StrokePtr MemoryStore::intact(const Channel& channel, std::string_view origin, Seq seq) const {
  const Lock lock(mutex_);
  const Records* records = find(channel, origin);
  if (records == nullptr || seq == 0 || seq > records->size()) return nullptr;
  const Record& record = (*records)[seq - 1];
  return record.damaged ? nullptr : record.stroke;
}

std::uint64_t MemoryStore::damaged() const {
  const Lock lock(mutex_);
  return damaged_;
}

}  // namespace inkmesh::store
