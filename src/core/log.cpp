#include "core/log.h"

#include <algorithm>
#include <utility>

#include "core/invariant.h"
#include "core/mutation.h"

namespace inkmesh::core {
namespace {

constexpr const char* kWhatFollows =
    "each life of a node that draws is one. A cursor of more than some 400 does not fit an HTTP request, one of more "
    "than some 3,000 no subscription: those begin from the start. Restart nodes less often, or go on in a new drawing";

std::uint64_t head_hash(const Origin& origin, Seq seq, std::uint64_t chain) {
  return seq == 0 ? 0 : mix(channel_hash(origin) ^ mix(seq ^ mix(chain)));
}

}  // namespace

Log::Log(Turn& turn, const ClusterMap& cluster, Origin own, Durability durability, const CoreLimits& limits)
    : turn_(turn),
      cluster_(cluster),
      own_(std::move(own)),
      durability_(durability),
      publish_bytes_max_(limits.publish_bytes),
      run_bytes_max_(limits.run_bytes) {}

void Log::load(const std::vector<StoredHead>& heads) {
  for (const StoredHead& head : heads) {
    ChannelLog& log = open(head.channel);
    OriginLog& origin_log = log.of(head.origin);
    origin_log.shown = origin_log.appended = head.seq;
    origin_log.chain_appended = head.chain;
    origin_log.ts = head.ts;
    origin_log.tail_end = head.seq;
    log.last_ts = std::max(log.last_ts, head.ts);
    set_head(log, head.origin, origin_log, head.seq, head.chain);
  }
  empty_.clear();
}

void Log::begin() {
  begun_ = true;
  std::size_t many = 0;
  const ChannelLog* most = nullptr;
  for (const auto& [key, log] : channels_) {
    if (log->held_origins <= kOriginsMany) continue;
    ++many;
    if (most == nullptr || log->held_origins > most->held_origins) most = log.get();
  }
  if (most == nullptr) return;
  turn_.say(Severity::warning, std::to_string(many) + " channels have strokes of over " + std::to_string(kOriginsMany) +
                                   " origins, the most (" + std::to_string(most->held_origins) + ") channel " +
                                   most->name + ": " + kWhatFollows);
}

ChannelLog& Log::open(const Channel& channel) {
  if (ChannelLog* found = find(channel)) return *found;
  auto log = std::make_unique<ChannelLog>();
  log->name = channel;
  log->hash = channel_hash(channel);
  log->homes = cluster_.homes(log->hash);
  log->self_home = log->is_home(cluster_.self());
  ChannelLog& opened = *log;
  channels_.emplace(key_of(opened), std::move(log));
  by_name_.emplace(opened.name, &opened);
  empty_.push_back(&opened);
  return opened;
}

ChannelLog* Log::find(const Channel& channel) {
  const auto it = by_name_.find(channel);
  return it == by_name_.end() ? nullptr : it->second;
}

/// An origin that is held stays held: a channel passes the bound once.
void Log::count_origin(ChannelLog& log) {
  channel_origins_max_ = std::max(channel_origins_max_, ++log.held_origins);
  if (begun_ && log.held_origins == kOriginsMany + 1) {
    turn_.say(Severity::warning, "channel " + log.name + " has strokes of " + std::to_string(log.held_origins) +
                                     " origins: " + kWhatFollows);
  }
}

void Log::set_head(ChannelLog& log, const Origin& origin, OriginLog& origin_log, Seq seq, std::uint64_t chain) {
  const bool held = log.held();
  if (origin_log.committed == 0 && seq != 0) count_origin(log);
  log.state_hash ^= head_hash(origin, origin_log.committed, origin_log.chain_committed);
  origin_log.committed = seq;
  origin_log.chain_committed = chain;
  log.state_hash ^= head_hash(origin, seq, chain);
  if (!held && log.held()) ++held_channels_;
}

void Log::append(ChannelLog& log, OriginLog& origin_log, StrokePtr stroke, NodeIx from) {
  require(stroke->seq == origin_log.appended + 1, "appends follow each other without a gap");
  if (origin_log.tail.empty()) origin_log.tail_end = stroke->seq - 1;
  require(origin_log.tail_end + 1 == stroke->seq, "the tail ends at the last append");
  origin_log.appended = stroke->seq;
  origin_log.chain_appended = chain_hash(origin_log.chain_appended, *stroke);
  origin_log.ts = stroke->ts;
  origin_log.tail.push_back(stroke);
  origin_log.tail_end = stroke->seq;
  log.last_ts = std::max(log.last_ts, stroke->ts);
  log.active_ms = turn_.ms();
  const std::uint64_t bytes = cost_of(*stroke);
  log.tail_bytes += bytes;
  tail_bytes_ += bytes;
  waiting_bytes_ += bytes;
  if (!log.in_active) {
    log.in_active = true;
    active_.push_back(&log);
  }
  pending_ops_.insert(stroke);
  next_.items.push_back(Append::Item{stroke, origin_log.chain_appended});
  items_.push_back(CommittedItem{&log, &origin_log, std::move(stroke), from, origin_log.chain_appended});
}

StrokePtr Log::number(ChannelLog& log, Publish& publish) {
  OriginLog& origin_log = log.of(own_);
  auto stroke = std::make_shared<Stroke>();
  stroke->channel = log.name;
  stroke->origin = own_;
  stroke->seq = origin_log.appended + 1;
  const TimeUs wall_us = turn_.now().wall_us;
  const TimeUs last_ts = log.last_ts <= wall_us + kTsLeadMaxUs ? log.last_ts : origin_log.ts;
  stroke->ts = std::max(wall_us, last_ts + 1);
  stroke->client = std::move(publish.client);
  stroke->op = publish.op;
  stroke->data = std::move(publish.data);
  append(log, origin_log, stroke, kFromClient);
  return stroke;
}

Log::Accepted Log::accept(ChannelLog& log, const StrokeRun& run, NodeIx from) {
  Accepted accepted;
  OriginLog& origin_log = log.of(run.origin());
  const Seq first = run.strokes.front()->seq;
  const Seq last = run.strokes.back()->seq;
  if (mutated(Mutation::show_twice) && last <= origin_log.appended) accepted.fresh = run.strokes;
  if (mutated(Mutation::show_past_gap) && first > origin_log.appended + 1) accepted.fresh = run.strokes;
  if (last <= origin_log.appended) {
    accepted.known = last <= origin_log.committed;
    return accepted;
  }
  if (first > origin_log.appended + 1) {
    accepted.gap_before = first;
    return accepted;
  }
  if (!takes_runs()) {
    accepted.refused = true;
    return accepted;
  }
  for (const StrokePtr& stroke : run.strokes) {
    if (stroke->seq <= origin_log.appended) continue;
    append(log, origin_log, stroke, from);
    if (stroke->seq == origin_log.shown + 1) {
      origin_log.shown = stroke->seq;
      accepted.fresh.push_back(stroke);
    }
  }
  return accepted;
}

void Log::flush() {
  if (next_.items.empty()) return;
  next_.ticket = turn_.next_ticket();
  next_.generation = generation_;
  waiting_.push_back(Waiting{next_.ticket, std::move(items_)});
  turn_.emit(std::move(next_));
  next_ = Append{};
  items_.clear();
}

std::vector<Log::CommittedItem> Log::committed(Ticket ticket) {
  if (waiting_.empty() || waiting_.front().ticket != ticket) return {};
  std::vector<CommittedItem> items = std::move(waiting_.front().items);
  waiting_.pop_front();
  for (CommittedItem& item : items) {
    const Stroke& stroke = *item.stroke;
    waiting_bytes_ -= cost_of(stroke);
    const auto op = pending_ops_.find(OpName(item.stroke));
    if (op != pending_ops_.end() && *op == item.stroke) pending_ops_.erase(op);
    set_head(*item.log, stroke.origin, *item.origin_log, stroke.seq, item.chain);
    if (!item.log->in_trim) {
      item.log->in_trim = true;
      to_trim_.push_back(item.log);
    }
  }
  return items;
}

std::vector<Log::CommittedItem> Log::failed(Ticket ticket) {
  if (waiting_.empty() || ticket < waiting_.front().ticket || ticket > waiting_.back().ticket) return {};
  std::vector<CommittedItem> items;
  for (Waiting& waiting : waiting_) {
    for (CommittedItem& item : waiting.items)
      items.push_back(std::move(item));
  }
  waiting_.clear();
  // What the running turn has appended follows what has just failed.
  for (CommittedItem& item : items_)
    items.push_back(std::move(item));
  items_.clear();
  next_ = Append{};
  ++generation_;
  pending_ops_.clear();
  waiting_bytes_ = 0;
  for (const CommittedItem& item : items) {
    OriginLog& origin_log = *item.origin_log;
    while (!origin_log.tail.empty() && origin_log.tail_end > origin_log.committed) {
      const std::uint64_t bytes = cost_of(*origin_log.tail.back());
      item.log->tail_bytes -= bytes;
      tail_bytes_ -= bytes;
      origin_log.tail.pop_back();
      --origin_log.tail_end;
    }
    if (mutated(Mutation::keep_number_after_failure)) {
      origin_log.tail_end = origin_log.appended;
      origin_log.tail.clear();
      continue;
    }
    origin_log.appended = origin_log.committed;
    origin_log.chain_appended = origin_log.chain_committed;
  }
  return items;
}

std::optional<KnownOp> Log::pending_op(const Channel& channel, const ClientName& client, Op op) const {
  const auto it = pending_ops_.find(OpName(channel, client, op));
  if (it == pending_ops_.end()) return std::nullopt;
  const Stroke& stroke = **it;
  return KnownOp{stroke.origin, stroke.seq, stroke.ts, data_hash(stroke.data)};
}

void Log::trim(ChannelLog& log, const Origin& origin, OriginLog& origin_log, std::size_t keep) {
  if (mutated(Mutation::keep_tail)) return;
  Seq done = std::min(origin_log.committed, origin_log.shown);
  if (origin == own_) done = std::min(done, log.forwarded);
  while (origin_log.tail.size() > keep && origin_log.tail_first() <= done) {
    const std::uint64_t bytes = cost_of(*origin_log.tail.front());
    log.tail_bytes -= bytes;
    tail_bytes_ -= bytes;
    origin_log.tail.pop_front();
  }
}

void Log::trim_turn() {
  const std::size_t keep = tail_bytes_ > kTailBytesMax ? 0 : kTailStrokes;
  for (ChannelLog* log : to_trim_) {
    log->in_trim = false;
    for (auto& [origin, origin_log] : log->origins)
      trim(*log, origin, origin_log, keep);
  }
  to_trim_.clear();
}

void Log::trim_quiet() {
  const auto quiet = [this](ChannelLog* log) {
    if (turn_.ms() < log->active_ms + kQuietMs) return false;
    bool waits = false;
    for (auto& [origin, origin_log] : log->origins) {
      trim(*log, origin, origin_log, 0);
      if (origin_log.waiters.empty()) origin_log.waiters.shrink_to_fit();
      waits = waits || !origin_log.tail.empty();
    }
    log->in_active = waits;
    return !waits;
  };
  active_.erase(std::remove_if(active_.begin(), active_.end(), quiet), active_.end());
}

}  // namespace inkmesh::core
