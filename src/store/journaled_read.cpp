// Reads: what waits in memory is looked up first and the replica second, so that nothing on its way from the one to the
// other is missed; what both have counts once.

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "store/journaled_store.h"
#include "store/page.h"

namespace inkmesh::store {
namespace {

constexpr std::chrono::milliseconds kUsageFor{200};

KnownOp known_of(const Stroke& stroke) {
  return {stroke.origin, stroke.seq, stroke.ts, data_hash(stroke.data)};
}

}  // namespace

/// Whoever reads on where nothing can be written any more would not learn of it.
void JournaledStore::expect_alive() const {
  if (stopped_.result == WriteResult::fatal) throw StoreError(stopped_.detail);
}

Strokes JournaledStore::waiting(const Channel& channel, const Cursor& after, std::string_view only,
                                std::size_t max) const {
  Strokes strokes;
  const std::lock_guard lock(mutex_);
  expect_alive();
  sealed_.collect(channel, after, only, max, strokes);
  active_.collect(channel, after, only, max, strokes);
  return strokes;
}

ReadDone JournaledStore::read(const Read& read) {
  // One more than the page takes shows that there is more.
  const std::size_t max = std::max<std::size_t>(read.limit_strokes, 1);
  const Strokes strokes = waiting(read.channel, read.after, read.only, max == SIZE_MAX ? max : max + 1);
  ReadDone done = replica_->read(read);
  if (!strokes.empty()) add_waiting(read, strokes, done);
  return done;
}

/// Of each origin that the replica gave whole, what follows; then the page is cut anew.
void JournaledStore::add_waiting(const Read& read, const Strokes& strokes, ReadDone& done) {
  std::unordered_map<std::string_view, Seq> heads;
  for (const StrokePtr& stroke : done.strokes)
    heads[stroke->origin] = stroke->seq;
  // An origin's answer ends before its damaged record.
  for (const ReadDone::Damaged& record : done.damaged)
    heads[record.origin] = kNumberMax;
  Strokes all = std::move(done.strokes);
  const Origin cut_in = done.more ? all.back()->origin : Origin();
  const std::size_t of_replica = all.size();
  for (const StrokePtr& stroke : strokes) {
    if (done.more && stroke->origin >= cut_in) continue;
    const auto [head, fresh] = heads.try_emplace(stroke->origin, 0);
    if (fresh) head->second = read.after.at(stroke->origin);
    if (stroke->seq != head->second + 1) continue;
    head->second = stroke->seq;
    all.push_back(marked(stroke));
  }
  if (all.size() > of_replica) {
    std::stable_sort(all.begin(), all.end(),
                     [](const StrokePtr& a, const StrokePtr& b) { return a->origin < b->origin; });
  }
  done.strokes.clear();
  Page page(read, done);
  for (StrokePtr& stroke : all) {
    if (!page.full() && page.take(std::move(stroke))) continue;
    done.more = true;
    return;
  }
}

/// With the mark that it has where it is not the first of its op.
StrokePtr JournaledStore::marked(const StrokePtr& stroke) {
  const auto first = find_op(stroke->channel, stroke->client, stroke->op);
  const bool duplicate = first && (first->origin != stroke->origin || first->seq != stroke->seq);
  if (duplicate == stroke->duplicate) return stroke;
  auto copy = std::make_shared<Stroke>(*stroke);
  copy->duplicate = duplicate;
  return copy;
}

SinceFound JournaledStore::find_since(const FindSince& find) {
  const Strokes strokes = waiting(find.channel, {}, {}, SIZE_MAX);
  SinceFound found = replica_->find_since(find);
  for (const StrokePtr& stroke : strokes) {
    if (stroke->ts < find.since && stroke->seq == found.before.at(stroke->origin) + 1) {
      found.before.set(stroke->origin, stroke->seq);
    }
  }
  return found;
}

std::optional<KnownOp> JournaledStore::find_op(const Channel& channel, const ClientName& client, Op op) {
  StrokePtr waiting;
  {
    const std::lock_guard lock(mutex_);
    expect_alive();
    waiting = sealed_.find_op(channel, client, op);
    if (!waiting) waiting = active_.find_op(channel, client, op);
  }
  if (auto stored = replica_->find_op(channel, client, op)) return stored;
  if (!waiting) return std::nullopt;
  return known_of(*waiting);
}

Seq JournaledStore::head(const Channel& channel, std::string_view origin) const {
  Seq waiting = 0;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::max(sealed_.head(channel, origin), active_.head(channel, origin));
  }
  return waiting != 0 ? waiting : replica_->head(channel, origin);
}

bool JournaledStore::has_channel(const Channel& channel) const {
  {
    const std::lock_guard lock(mutex_);
    if (sealed_.has_channel(channel) || active_.has_channel(channel)) return true;
  }
  return replica_->has_channel(channel);
}

std::map<std::string, std::string> JournaledStore::notes() {
  auto notes = replica_->notes();
  notes.erase(kAppliedNote);
  return notes;
}

std::vector<StoredHead> JournaledStore::heads() {
  std::map<std::pair<Channel, Origin>, StoredHead> heads;
  for (StoredHead& head : replica_->heads()) {
    auto name = std::make_pair(head.channel, head.origin);
    heads.emplace_hint(heads.end(), std::move(name), std::move(head));
  }
  const auto raise = [&](const Append::Item& item) {
    const Stroke& stroke = *item.stroke;
    StoredHead& head = heads[{stroke.channel, stroke.origin}];
    if (stroke.seq > head.seq) head = {stroke.channel, stroke.origin, stroke.seq, item.chain, stroke.ts};
  };
  {
    const std::lock_guard lock(mutex_);
    sealed_.for_each_head(raise);
    active_.for_each_head(raise);
  }
  std::vector<StoredHead> all;
  all.reserve(heads.size());
  for (auto& [name, head] : heads)
    all.push_back(std::move(head));
  return all;
}

StoreUsage JournaledStore::usage() {
  StoreUsage usage;
  {
    const std::lock_guard lock(usage_mutex_);
    const auto now = Clock::now();
    if (!usage_ || now - usage_at_ > kUsageFor) {
      usage_ = replica_->usage();
      usage_at_ = now;
    }
    usage = *usage_;
  }
  const std::lock_guard lock(mutex_);
  usage.strokes = strokes_;
  usage.channels = channels_;
  // B-trees take about twice what is put into them.
  usage.used_bytes += 2 * (active_.bytes() + sealed_.bytes());
  return usage;
}

}  // namespace inkmesh::store
