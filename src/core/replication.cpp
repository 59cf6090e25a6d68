#include "core/replication.h"

#include <algorithm>
#include <utility>

#include "core/invariant.h"
#include "core/long_list.h"
#include "core/mutation.h"

namespace inkmesh::core {

// ---- what the turn brought ------------------------------------------------------------------------------------------

void Replication::touched(ChannelLog& log) {
  if (log.in_forward) return;
  log.in_forward = true;
  touched_.push_back(&log);
}

bool Replication::orphaned(NodeIx from, const Origin& origin) const {
  if (from == kFromClient || node_of(origin) != cluster_.id(from)) return false;
  return !membership_.up(from) || origin != make_origin(cluster_.id(from), membership_.peer(from).epoch);
}

void Replication::moved(ChannelLog& log, OriginLog& origin_log, NodeIx from) {
  if (origin_log.moved) return;
  // Without homes nobody else tells of what came from its origin and is committed here only after that one's end.
  const Origin& origin = *origin_log.origin;
  if (!log.self_home && origin != log_.own() && !(log.homes.empty() && orphaned(from, origin))) return;
  origin_log.moved = true;
  if (log.in_moved) return;
  log.in_moved = true;
  moved_.push_back(&log);
}

void Replication::committed(const std::vector<Log::CommittedItem>& items) {
  for (const Log::CommittedItem& item : items) {
    ChannelLog& log = *item.log;
    OriginLog& origin_log = *item.origin_log;
    const bool own = item.from == kFromClient;
    if (own) {
      touched(log);
    } else {
      confirm(item.from, log, origin_log, item.stroke->seq);
    }
    moved(log, origin_log, item.from);
    for (const NodeIx home : log.homes) {
      if (home == cluster_.self() || has(home, origin_log)) continue;
      expect(home, log, origin_log, turn_.ms() + (own ? kOfferOwnMs : kOfferOthersMs));
    }
    for (const NodeIx standin : log.standins) {
      if (!has(standin, origin_log)) expect(standin, log, origin_log, turn_.ms() + kOfferOwnMs);
    }
    acks_.check(log, origin_log);
  }
}

PeerMark& Replication::mark_of(NodeIx peer, OriginLog& origin_log) {
  PeerMark& mark = origin_log.mark(peer);
  if (mark.life != membership_.life(peer)) {
    mark.life = membership_.life(peer);
    mark.stored = mark.sent = mark.unconfirmed = mark.link = 0;
  }
  return mark;
}

void Replication::confirm(NodeIx peer, ChannelLog& log, OriginLog& origin_log, Seq committed) {
  std::vector<Confirm>& list = peers_[peer].confirm;
  if (list.empty()) confirmed_to_.push_back(peer);
  PeerMark& mark = mark_of(peer, origin_log);
  if (mark.confirm == 0) list.push_back({&log, &origin_log});
  mark.confirm = std::max(mark.confirm, committed);
}

void Replication::stored(NodeIx peer, ChannelLog& log, OriginLog& origin_log, Seq seq) {
  PeerMark& mark = mark_of(peer, origin_log);
  if (seq <= mark.stored) return;
  Peer& to = peers_[peer];
  const bool counted = mark.link == to.window_turn && mark.unconfirmed > 0 && mark.sent > mark.stored;
  if (counted) {
    // Bytes are counted by the run: a part of it frees its share.
    const std::uint64_t share =
        seq >= mark.sent ? mark.unconfirmed : mark.unconfirmed / (mark.sent - mark.stored) * (seq - mark.stored);
    mark.unconfirmed -= share;
    to.window -= std::min(to.window, share);
    to.window_ms = turn_.ms();
  }
  mark.stored = seq;
  settle(peer, log, origin_log, mark);
  acks_.check(log, origin_log);
}

// ---- what is not confirmed ------------------------------------------------------------------------------------------

bool Replication::has(NodeIx peer, const OriginLog& origin_log) const {
  const PeerMark* mark = origin_log.find_mark(peer);
  return mark != nullptr && mark->life == membership_.life(peer) && mark->stored >= origin_log.committed;
}

void Replication::expect(NodeIx peer, ChannelLog& log, OriginLog& origin_log, MonotonicMs due_ms) {
  Unconfirmed* known = log.find_unconfirmed(peer);
  Unconfirmed& entry = known != nullptr ? *known : log.unconfirmed.emplace_back();
  if (known == nullptr) entry.peer = peer;
  if (entry.origins == 0) {
    entry.since_ms = entry.offered_ms = turn_.ms();
    entry.progressed = entry.own = entry.asked = false;
    schedule(log, entry, due_ms);
  }
  PeerMark& mark = mark_of(peer, origin_log);
  if (!mark.expected) {
    mark.expected = true;
    ++entry.origins;
  }
  if (!entry.own && *origin_log.origin == log_.own()) {
    // The home is late from now on at the earliest, whatever else it has yet to confirm.
    entry.own = true;
    if (!entry.asked) entry.since_ms = turn_.ms();
    entry.own_seq = origin_log.committed;
    entry.own_ms = turn_.ms();
    watch(log);
  }
  // What an author waits for who sent it again may only now be stored here.
  if (!entry.asked && acks_.waits_again(log)) ask(log, entry);
}

void Replication::ask(ChannelLog& log, Unconfirmed& entry) {
  entry.asked = true;
  entry.offered_ms = turn_.ms();
  entry.progressed = false;
  schedule(log, entry, turn_.ms());
}

void Replication::watch(ChannelLog& log) {
  if (log.own_pending) return;
  log.own_pending = true;
  log.own_pending_ms = turn_.ms();
  own_pending_.push_back(&log);
}

void Replication::schedule(ChannelLog& log, Unconfirmed& entry, MonotonicMs due_ms) {
  auto& due = peers_[entry.peer].due;
  entry.due_ms = due_ms;
  if (entry.queued) {
    // Whoever is looked at too early is put back then.
    if (entry.queued_ms <= due_ms) return;
    due.erase(Due{entry.queued_ms, &log});
  }
  entry.queued = true;
  entry.queued_ms = due_ms;
  due.insert(Due{due_ms, &log});
}

void Replication::settle(NodeIx peer, ChannelLog& log, const OriginLog& origin_log, PeerMark& mark) {
  Unconfirmed* entry = log.find_unconfirmed(peer);
  if (entry == nullptr || entry->origins == 0) return;
  const bool ours = *origin_log.origin == log_.own();
  if (mark.expected && mark.stored >= origin_log.committed) {
    mark.expected = false;
    --entry->origins;
    if (ours) entry->own = false;
  }
  if (entry->origins != 0) {
    // What it tells of others' strokes says nothing of whether ours reach it.
    if (ours || !entry->own) entry->since_ms = turn_.ms();
    if (ours && mark.stored >= entry->own_seq) {
      entry->own_seq = origin_log.committed;
      entry->own_ms = turn_.ms();
    }
    entry->progressed = true;
    // It has answered an offer: what it had not yet heard of then must not wait for the next one's turn.
    const MonotonicMs soon = turn_.ms() + kOfferOwnMs;
    if (entry->due_ms > soon) schedule(log, *entry, soon);
    return;
  }
  if (log.is_home(peer)) release_standins(log);
}

void Replication::forget(NodeIx peer, ChannelLog& log) {
  if (Unconfirmed* entry = log.find_unconfirmed(peer)) entry->origins = 0;
  for (auto& [origin, origin_log] : log.origins) {
    for (PeerMark& mark : origin_log.marks) {
      if (mark.node == peer) mark.expected = false;
    }
  }
}

void Replication::offer(NodeIx peer, ChannelLog& log) {
  for (auto& [origin, origin_log] : log.origins) {
    if (origin_log.committed != 0 && !has(peer, origin_log)) expect(peer, log, origin_log, turn_.ms());
  }
}

template <typename See>
void Replication::for_expected(NodeIx peer, const ChannelLog& log, const See& see) {
  for (const auto& [origin, origin_log] : log.origins) {
    const PeerMark* mark = origin_log.find_mark(peer);
    if (mark != nullptr && mark->expected) see(origin_log, *mark);
  }
}

std::vector<Replication::Outstanding> Replication::outstanding(NodeIx peer) const {
  std::vector<Outstanding> all;
  for (const Due& due : peers_[peer].due) {
    // What it only stands in for it may never confirm: the homes are back first.
    if (!due.log->is_home(peer)) continue;
    for_expected(peer, *due.log, [&](const OriginLog& origin_log, const PeerMark&) {
      all.push_back({&origin_log, origin_log.committed});
    });
  }
  return all;
}

bool Replication::confirmed(NodeIx peer, const Outstanding& outstanding) const {
  const PeerMark* mark = outstanding.origin_log->find_mark(peer);
  return mark != nullptr && mark->life == membership_.life(peer) && mark->stored >= outstanding.seq;
}

void Replication::reborn(NodeIx peer) {
  Peer& to = peers_[peer];
  forget_all(peer);
  for (const Confirm& told : to.confirm)
    told.origin_log->mark(peer).confirm = 0;
  to.confirm.clear();
  to.behind.clear();
  forget_window(to);
  if (mutated(Mutation::forget_returned_homes)) return;
  // Channels of which both are homes are compared by digest; the others are offered one by one. Where an author waits
  // nobody waits for a digest: the peer may be late again.
  const auto waits = [](const auto& entry) { return !entry.second.waiters.empty(); };
  for (const auto& [key, log] : log_.channels()) {
    if (!log->held()) continue;
    const bool one_by_one = !log->self_home || std::any_of(log->origins.begin(), log->origins.end(), waits);
    if (log->is_standin(peer) || (log->is_home(peer) && one_by_one)) offer(peer, *log);
  }
}

void Replication::link_lost(NodeIx peer) {
  Peer& to = peers_[peer];
  forget_window(to);
  to.behind.clear();
  if (mutated(Mutation::forget_unconfirmed)) forget_all(peer);
  // What was pushed may be lost: offer it soon rather than when its turn would come.
  const MonotonicMs soon = turn_.ms() + kOfferLostMs;
  const std::vector<Due> waiting(to.due.begin(), to.due.end());
  for (const Due& due : waiting) {
    Unconfirmed& entry = *due.log->find_unconfirmed(peer);
    if (entry.due_ms > soon) schedule(*due.log, entry, soon);
  }
}

void Replication::forget_all(NodeIx peer) {
  Peer& to = peers_[peer];
  for (const Due& due : to.due) {
    forget(peer, *due.log);
    drop(peer, *due.log);
  }
  to.due.clear();
}

void Replication::drop(NodeIx peer, ChannelLog& log) {
  log.unconfirmed.erase(log.unconfirmed.begin() + (log.find_unconfirmed(peer) - log.unconfirmed.data()));
  if (log.unconfirmed.empty()) log.unconfirmed.shrink_to_fit();
}

// ---- live -----------------------------------------------------------------------------------------------------------

void Replication::flush() {
  for (ChannelLog* log : touched_) {
    log->in_forward = false;
    forward(*log);
  }
  touched_.clear();
  for (const NodeIx peer : confirmed_to_)
    send_confirmations(peer);
  confirmed_to_.clear();
}

void Replication::forward(ChannelLog& log) {
  OriginLog& own = log.of(log_.own());
  const Seq end = log_.durability() == Durability::async ? own.appended : own.committed;
  if (log.forwarded >= end) return;
  Strokes strokes;
  std::uint64_t bytes = 0;
  for (Seq seq = log.forwarded + 1; seq <= end; ++seq) {
    StrokePtr stroke = own.in_memory(seq);
    require(stroke != nullptr, "what is to be forwarded is still in memory");
    bytes += cost_of(*stroke);
    strokes.push_back(std::move(stroke));
  }
  log.forwarded = end;
  choose_standins(log);
  const auto there = [this](NodeIx peer) { return peer != cluster_.self() && membership_.up(peer); };
  for (const NodeIx peer : interest_.interested(log.hash)) {
    if (there(peer)) push(peer, log, own, strokes, bytes, true);
  }
  for (const auto* keepers : {&log.homes, &log.standins}) {
    for (const NodeIx peer : *keepers) {
      if (there(peer) && !interest_.interested(peer, log.hash)) push(peer, log, own, strokes, bytes, false);
    }
  }
  for (const NodeIx peer : interest_.unheard()) {
    const bool told = interest_.interested(peer, log.hash) || log.is_home(peer) || log.is_standin(peer);
    if (there(peer) && !told) peers_[peer].behind.emplace(&log, Behind::no_word);
  }
}

void Replication::push(NodeIx peer, ChannelLog& log, OriginLog& own, const Strokes& strokes, std::uint64_t bytes,
                       bool interested) {
  Peer& to = peers_[peer];
  if (to.behind.count(&log) != 0) return;
  PeerMark& mark = mark_of(peer, own);
  // What the store had before we heard of it may have been pulled and confirmed already: nobody will confirm it again.
  if (mark.stored >= strokes.back()->seq) return;
  if (to.window + bytes > window_bytes_ && to.window != 0) {
    to.behind.emplace(&log, Behind::no_room);
    return;
  }
  if (mark.link != to.window_turn) {
    mark.link = to.window_turn;
    mark.unconfirmed = 0;
  }
  mark.sent = strokes.back()->seq;
  mark.unconfirmed += bytes;
  to.window += bytes;
  to.window_ms = turn_.ms();
  (interested ? to.forwarded_interest : to.forwarded_durability) += strokes.size();
  // A frame holds about a MiB: a long run goes in pieces.
  constexpr std::uint64_t piece_bytes = std::uint64_t{512} << 10;
  StrokeRun run;
  std::uint64_t run_bytes = 0;
  for (const StrokePtr& stroke : strokes) {
    run.strokes.push_back(stroke);
    run_bytes += cost_of(*stroke);
    if (run_bytes < piece_bytes && stroke != strokes.back()) continue;
    links_.send(peer, std::move(run), run_bytes);
    run = StrokeRun{};
    run_bytes = 0;
  }
}

void Replication::send_confirmations(NodeIx peer) {
  auto& confirm = peers_[peer].confirm;
  LongList<Stored> stored(links_, peer);
  for (const auto& [log, origin_log] : confirm) {
    const Origin& origin = *origin_log->origin;
    const Seq seq = std::exchange(origin_log->mark(peer).confirm, 0);
    stored.add({log->name, origin, seq}, log->name.size() + origin.size() + 12);
  }
  stored.finish();
  confirm.clear();
}

// ---- by the clock ---------------------------------------------------------------------------------------------------

void Replication::tick() {
  check_standins();
  for (NodeIx peer = 0; peer < peers_.size(); ++peer) {
    if (peer == cluster_.self() || !membership_.up(peer)) continue;
    send_offers(peer);
    // A peer that closed the channel meanwhile, or had it from somebody else, may never confirm to us what we pushed.
    const bool quiet = peers_[peer].window != 0 && turn_.ms() >= peers_[peer].window_ms + kWindowForgetMs;
    if (quiet && !mutated(Mutation::keep_window)) forget_window(peers_[peer]);
    catch_up_behind(peer);
  }
  if (turn_.ms() >= heads_ms_ + kHeadsMs) {
    heads_ms_ = turn_.ms();
    tell_heads();
  }
}

void Replication::send_offers(NodeIx peer) {
  Peer& to = peers_[peer];
  LongList<Offer> offer(links_, peer);
  for (std::size_t sent = 0; sent < kOffersPerTick && !to.due.empty();) {
    const Due due = *to.due.begin();
    if (due.ms > turn_.ms()) break;
    to.due.erase(to.due.begin());
    ChannelLog& log = *due.log;
    Unconfirmed& unconfirmed = *log.find_unconfirmed(peer);
    unconfirmed.queued = false;
    if (unconfirmed.origins == 0) {
      drop(peer, log);
      continue;
    }
    if (unconfirmed.due_ms > turn_.ms()) {
      schedule(log, unconfirmed, unconfirmed.due_ms);
      continue;
    }
    const MonotonicMs later_ms = unconfirmed.since_ms + kOfferOwnMs;
    // Progress with one origin may hide for ever that another one is missing.
    const bool hidden = turn_.ms() >= unconfirmed.offered_ms + kOfferAgainMs;
    if (unconfirmed.progressed && later_ms > turn_.ms() && !hidden) {
      schedule(log, unconfirmed, later_ms);
      continue;
    }
    Offer::Entry entry{log.name, {}};
    std::size_t bytes = log.name.size();
    for_expected(peer, log, [&](const OriginLog& origin_log, const PeerMark&) {
      if (origin_log.committed == 0) return;
      entry.heads.push_back({*origin_log.origin, origin_log.committed, origin_log.chain_committed});
      bytes += origin_log.origin->size() + 16;
    });
    offer.add(std::move(entry), bytes);
    unconfirmed.offered_ms = turn_.ms();
    schedule(log, unconfirmed, turn_.ms() + kOfferAgainMs);
    ++sent;
  }
  to.offer_bytes += offer.finish();
}

void Replication::catch_up_behind(NodeIx peer) {
  Peer& to = peers_[peer];
  if (to.behind.empty() || !has_room(peer) || !interest_.heard(peer)) return;
  LongList<Heads> heads(links_, peer);
  for (const auto& [log, why] : to.behind) {
    if (why == Behind::no_word && !interest_.interested(peer, log->hash)) continue;
    Cursor cursor;
    cursor.set(log_.own(), log->of(log_.own()).committed);
    heads.add({log->name, std::move(cursor)}, log->name.size() + log_.own().size() + 16);
  }
  to.behind.clear();
  heads.finish();
}

void Replication::tell_heads() {
  struct News {
    Heads::Entry entry;
    std::size_t bytes = 0;
  };
  std::vector<News> all;
  all.reserve(moved_.size());
  std::vector<std::pair<NodeIx, const News*>> telling;
  for (ChannelLog* log : moved_) {
    News& news = all.emplace_back();
    news.entry.channel = log->name;
    news.bytes = log->name.size();
    log->in_moved = false;
    for (auto& [origin, origin_log] : log->origins) {
      if (!std::exchange(origin_log.moved, false)) continue;
      news.entry.heads.set(origin, origin_log.committed);
      news.bytes += origin.size() + 16;
    }
    const std::vector<NodeIx>& interested = interest_.interested(log->hash);
    for (const NodeIx peer : interested)
      telling.emplace_back(peer, &news);
    for (const NodeIx home : log->homes) {
      if (!std::binary_search(interested.begin(), interested.end(), home)) telling.emplace_back(home, &news);
    }
  }
  moved_.clear();
  const auto by_peer = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::stable_sort(telling.begin(), telling.end(), by_peer);
  for (auto it = telling.begin(); it != telling.end();) {
    const NodeIx peer = it->first;
    const auto end = std::upper_bound(it, telling.end(), *it, by_peer);
    const bool there = peer != cluster_.self() && membership_.up(peer);
    LongList<Heads> heads(links_, peer);
    for (; it != end; ++it) {
      if (there) heads.add(it->second->entry, it->second->bytes);
    }
    heads.finish();
  }
}

Replication::PeerFigures Replication::figures(NodeIx peer) const {
  const Peer& to = peers_[peer];
  PeerFigures figures{to.forwarded_interest, to.forwarded_durability, to.offer_bytes, to.window, 0};
  for (const Due& due : to.due) {
    for_expected(peer, *due.log, [&](const OriginLog& origin_log, const PeerMark& mark) {
      const Seq stored = mark.life == membership_.life(peer) ? mark.stored : 0;
      figures.lag_strokes += origin_log.committed - std::min(origin_log.committed, stored);
    });
  }
  return figures;
}

}  // namespace inkmesh::core
