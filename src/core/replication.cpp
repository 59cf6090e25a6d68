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

void Replication::moved(ChannelLog& log, const Origin& origin, NodeIx from) {
  const auto it = log.origins.find(origin);
  // Without homes nobody else tells of what came from its origin and is committed here only after that one's end.
  const bool tells = log.self_home || origin == log_.own() || (log.homes.empty() && orphaned(from, origin));
  if (tells && it != log.origins.end()) moved_[&log][origin] = it->second.committed;
}

void Replication::committed(const std::vector<Log::CommittedItem>& items) {
  for (const Log::CommittedItem& item : items) {
    ChannelLog& log = *item.log;
    const Origin& origin = item.stroke->origin;
    const bool own = item.from == kFromClient;
    if (own) {
      touched(log);
    } else {
      confirm(item.from, log, origin, item.stroke->seq);
    }
    moved(log, origin, item.from);
    for (const NodeIx home : log.homes) {
      if (home == cluster_.self() || has(home, *item.origin_log)) continue;
      expect(home, log, origin, *item.origin_log, turn_.ms() + (own ? kOfferOwnMs : kOfferOthersMs));
    }
    for (const NodeIx standin : log.standins) {
      if (!has(standin, *item.origin_log)) expect(standin, log, origin, *item.origin_log, turn_.ms() + kOfferOwnMs);
    }
    acks_.check(log, origin);
  }
}

void Replication::confirm(NodeIx peer, ChannelLog& log, const Origin& origin, Seq committed) {
  Peer& to = peers_[peer];
  if (to.confirm.empty()) confirmed_to_.push_back(peer);
  Seq& seq = to.confirm[&log][origin];
  seq = std::max(seq, committed);
}

void Replication::stored(NodeIx peer, ChannelLog& log, const Origin& origin, Seq seq) {
  OriginLog& origin_log = log.origins[origin];
  PeerMark& mark = origin_log.mark(peer);
  if (mark.life != membership_.life(peer)) mark = PeerMark{peer, membership_.life(peer), 0, 0, 0, 0};
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
  settle(peer, log);
  acks_.check(log, origin);
}

// ---- what is not confirmed ------------------------------------------------------------------------------------------

bool Replication::has(NodeIx peer, const OriginLog& origin_log) const {
  const PeerMark* mark = origin_log.find_mark(peer);
  return mark != nullptr && mark->life == membership_.life(peer) && mark->stored >= origin_log.committed;
}

void Replication::expect(NodeIx peer, ChannelLog& log, const Origin& origin, OriginLog& origin_log,
                         MonotonicMs due_ms) {
  Unconfirmed& entry = peers_[peer].unconfirmed[&log];
  if (entry.origins.empty()) {
    entry.since_ms = entry.offered_ms = turn_.ms();
    entry.due_ms = due_ms;
    peers_[peer].due.emplace(due_ms, &log);
  }
  const auto known = std::any_of(entry.origins.begin(), entry.origins.end(),
                                 [&](const auto& pending) { return pending.second == &origin_log; });
  if (!known) entry.origins.emplace_back(&log.origins.find(origin)->first, &origin_log);
  if (origin == log_.own() && !entry.own) {
    // The home is late from now on at the earliest, whatever else it has yet to confirm.
    entry.own = true;
    if (!entry.asked) entry.since_ms = turn_.ms();
    own_pending_.try_emplace(&log, turn_.ms());
  }
}

void Replication::settle(NodeIx peer, ChannelLog& log) {
  Peer& to = peers_[peer];
  const auto it = to.unconfirmed.find(&log);
  if (it == to.unconfirmed.end()) return;
  auto& origins = it->second.origins;
  origins.erase(
      std::remove_if(origins.begin(), origins.end(), [&](const auto& pending) { return has(peer, *pending.second); }),
      origins.end());
  if (!origins.empty()) {
    it->second.own =
        std::any_of(origins.begin(), origins.end(), [&](const auto& pending) { return *pending.first == log_.own(); });
    it->second.since_ms = turn_.ms();
    it->second.progressed = true;
    // It has answered an offer: what it had not yet heard of then must not wait for the next one's turn.
    const MonotonicMs soon = turn_.ms() + kOfferOwnMs;
    if (it->second.due_ms > soon) {
      it->second.due_ms = soon;
      to.due.emplace(soon, &log);
    }
    return;
  }
  to.unconfirmed.erase(it);
  if (log.is_home(peer)) release_standins(log);
}

void Replication::offer(NodeIx peer, ChannelLog& log) {
  for (auto& [origin, origin_log] : log.origins) {
    if (origin_log.committed != 0 && !has(peer, origin_log)) expect(peer, log, origin, origin_log, turn_.ms());
  }
}

std::vector<Replication::Outstanding> Replication::outstanding(NodeIx peer) const {
  std::vector<Outstanding> all;
  for (const auto& [log, entry] : peers_[peer].unconfirmed) {
    // What it only stands in for it may never confirm: the homes are back first.
    if (!log->is_home(peer)) continue;
    for (const auto& [origin, origin_log] : entry.origins)
      all.push_back({origin_log, origin_log->committed});
  }
  return all;
}

bool Replication::confirmed(NodeIx peer, const Outstanding& outstanding) const {
  const PeerMark* mark = outstanding.origin_log->find_mark(peer);
  return mark != nullptr && mark->life == membership_.life(peer) && mark->stored >= outstanding.seq;
}

void Replication::reborn(NodeIx peer) {
  Peer& to = peers_[peer];
  to.unconfirmed.clear();
  to.due.clear();
  to.confirm.clear();
  to.behind.clear();
  forget_window(to);
  if (mutated(Mutation::forget_returned_homes)) return;
  // Channels of which both are homes are compared by digest; the others are offered one by one.
  for (const auto& [key, log] : log_.channels()) {
    if (!log->held()) continue;
    if (log->is_standin(peer) || (log->is_home(peer) && !log->self_home)) offer(peer, *log);
  }
}

void Replication::link_lost(NodeIx peer) {
  Peer& to = peers_[peer];
  forget_window(to);
  to.behind.clear();
  if (mutated(Mutation::forget_unconfirmed)) to.unconfirmed.clear();
  // What was pushed may be lost: offer it soon rather than when its turn would come.
  for (auto& [log, entry] : to.unconfirmed) {
    const MonotonicMs soon = turn_.ms() + 50;
    if (entry.due_ms <= soon) continue;
    entry.due_ms = soon;
    to.due.emplace(soon, log);
  }
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
  OriginLog& own = log.origins[log_.own()];
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
  PeerMark& mark = own.mark(peer);
  if (mark.life != membership_.life(peer)) mark = PeerMark{peer, membership_.life(peer), 0, 0, 0, 0};
  // What the store had before we heard of it may have been pulled and confirmed already: nobody will confirm it again.
  if (mark.stored >= strokes.back()->seq) return;
  if (to.window + bytes > kWindowBytes && to.window != 0) {
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
  StrokeRun run{log.name, log_.own(), {}, false};
  std::uint64_t run_bytes = 0;
  for (const StrokePtr& stroke : strokes) {
    run.strokes.push_back(stroke);
    run_bytes += cost_of(*stroke);
    if (run_bytes < piece_bytes && stroke != strokes.back()) continue;
    links_.send(peer, std::move(run), run_bytes);
    run = StrokeRun{log.name, log_.own(), {}, false};
    run_bytes = 0;
  }
}

void Replication::send_confirmations(NodeIx peer) {
  auto& confirm = peers_[peer].confirm;
  if (confirm.empty()) return;
  LongList<Stored> stored(links_, peer);
  for (const auto& [log, origins] : confirm) {
    for (const auto& [origin, seq] : origins)
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
    const auto [due_ms, log] = *to.due.begin();
    if (due_ms > turn_.ms()) break;
    to.due.erase(to.due.begin());
    const auto it = to.unconfirmed.find(log);
    if (it == to.unconfirmed.end() || it->second.due_ms != due_ms) continue;
    const MonotonicMs later_ms = it->second.since_ms + kOfferOwnMs;
    // Progress with one origin may hide for ever that another one is missing.
    const bool hidden = turn_.ms() >= it->second.offered_ms + kOfferAgainMs;
    if (it->second.progressed && later_ms > turn_.ms() && !hidden) {
      it->second.due_ms = later_ms;
      to.due.emplace(later_ms, log);
      continue;
    }
    Offer::Entry entry{log->name, {}};
    std::size_t bytes = log->name.size();
    for (const auto& [origin, origin_log] : it->second.origins) {
      if (origin_log->committed == 0) continue;
      entry.heads.push_back({*origin, origin_log->committed, origin_log->chain_committed});
      bytes += origin->size() + 16;
    }
    offer.add(std::move(entry), bytes);
    it->second.offered_ms = turn_.ms();
    it->second.due_ms = turn_.ms() + kOfferAgainMs;
    to.due.emplace(it->second.due_ms, log);
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
    cursor.set(log_.own(), log->origins[log_.own()].committed);
    heads.add({log->name, std::move(cursor)}, log->name.size() + log_.own().size() + 16);
  }
  to.behind.clear();
  heads.finish();
}

void Replication::tell_heads() {
  using Moved = decltype(moved_)::value_type;
  std::vector<std::pair<NodeIx, const Moved*>> telling;
  for (const Moved& moved : moved_) {
    const ChannelLog& log = *moved.first;
    const std::vector<NodeIx>& interested = interest_.interested(log.hash);
    for (const NodeIx peer : interested)
      telling.emplace_back(peer, &moved);
    for (const NodeIx home : log.homes) {
      if (!std::binary_search(interested.begin(), interested.end(), home)) telling.emplace_back(home, &moved);
    }
  }
  const auto by_peer = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::stable_sort(telling.begin(), telling.end(), by_peer);
  for (auto it = telling.begin(); it != telling.end();) {
    const NodeIx peer = it->first;
    const auto end = std::upper_bound(it, telling.end(), *it, by_peer);
    const bool there = peer != cluster_.self() && membership_.up(peer);
    LongList<Heads> heads(links_, peer);
    for (; it != end; ++it) {
      if (!there) continue;
      const auto& [log, origins] = *it->second;
      Cursor cursor;
      std::size_t bytes = log->name.size();
      for (const auto& [origin, seq] : origins) {
        cursor.set(origin, seq);
        bytes += origin.size() + 16;
      }
      heads.add({log->name, std::move(cursor)}, bytes);
    }
    heads.finish();
  }
  moved_.clear();
}

// ---- stand-ins ------------------------------------------------------------------------------------------------------

void Replication::check_standins() {
  for (auto it = own_pending_.begin(); it != own_pending_.end();) {
    ChannelLog& log = *it->first;
    const bool stands_in_for = !log.standins.empty();
    const bool waits = std::any_of(log.homes.begin(), log.homes.end(), [&](NodeIx home) {
      const auto unconfirmed = peers_[home].unconfirmed.find(&log);
      const bool away = stands_in_for && home != cluster_.self() && !membership_.up(home);
      return away || (unconfirmed != peers_[home].unconfirmed.end() && unconfirmed->second.counts());
    });
    if (!waits && !acks_.waits_again(log)) {
      release_standins(log);
      it = own_pending_.erase(it);
      continue;
    }
    if (turn_.ms() >= it->second + kStandInMs) choose_standins(log);
    ++it;
  }
}

void Replication::answer_for(ChannelLog& log) {
  const auto ask = [&](NodeIx peer) {
    const auto it = peers_[peer].unconfirmed.find(&log);
    if (it == peers_[peer].unconfirmed.end() || it->second.asked) return;
    it->second.asked = true;
    it->second.due_ms = it->second.offered_ms = turn_.ms();
    it->second.progressed = false;
    peers_[peer].due.emplace(turn_.ms(), &log);
  };
  std::for_each(log.homes.begin(), log.homes.end(), ask);
  std::for_each(log.standins.begin(), log.standins.end(), ask);
  // What is on its way to the store here is expected of nobody yet; and a home that has it may die all the same.
  own_pending_.try_emplace(&log, turn_.ms());
  choose_standins(log);
}

void Replication::choose_standins(ChannelLog& log) {
  std::size_t wanted = 0;
  MonotonicMs late_since_ms = 0;  // the latest of those that are late
  const auto late = [&](NodeIx node) {
    const auto it = peers_[node].unconfirmed.find(&log);
    if (it == peers_[node].unconfirmed.end() || !it->second.counts()) return false;
    if (turn_.ms() < it->second.since_ms + kStandInMs) return false;
    late_since_ms = std::max(late_since_ms, it->second.since_ms);
    return true;
  };
  for (const NodeIx home : log.homes) {
    if (home == cluster_.self()) continue;
    if (late(home) || !membership_.up(home) || membership_.peer(home).full) ++wanted;
  }
  // One that has died or filled up itself is replaced; it keeps answering for what it holds when it is back.
  const auto fit = [this](NodeIx node) { return membership_.up(node) && !membership_.peer(node).full; };
  const auto dropped =
      std::remove_if(log.standins.begin(), log.standins.end(), [&](NodeIx node) { return !fit(node); });
  const bool had = !log.standins.empty();
  log.standins.erase(dropped, log.standins.end());
  // One that is late itself may be cut off as the home is: another one is asked beside it.
  wanted += static_cast<std::size_t>(std::count_if(log.standins.begin(), log.standins.end(), late));
  if (wanted > log.standins.size()) {
    for (const NodeIx node : standin_order(log, late_since_ms)) {
      if (wanted <= log.standins.size()) break;
      if (node == cluster_.self() || log.is_standin(node) || !fit(node)) continue;
      log.standins.push_back(node);
      // Looked at until it is let go of, though what it was chosen for should never be committed.
      own_pending_.try_emplace(&log, turn_.ms());
      offer(node, log);
      const auto asked = peers_[node].unconfirmed.find(&log);
      if (asked != peers_[node].unconfirmed.end() && acks_.waits_again(log)) asked->second.asked = true;
      turn_.say(Severity::debug, "peer " + cluster_.id(node) + " stands in for a home of " + log.name);
    }
  }
  if (!had && !log.standins.empty()) ++standin_channels_;
  if (had && log.standins.empty()) --standin_channels_;
}

std::vector<NodeIx> Replication::standin_order(const ChannelLog& log, MonotonicMs late_since_ms) const {
  std::vector<NodeIx> order = cluster_.order(log.hash);
  order.erase(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(cluster_.replicas()));
  if (late_since_ms == 0) return order;
  // A partition takes more than one: whoever was heard from since is on our side of it, and whoever has missed a
  // heartbeat most likely is not.
  const auto doubt = [&](NodeIx node) {
    const MonotonicMs heard_ms = membership_.peer(node).heard_ms;
    if (heard_ms >= late_since_ms) return 0;
    return turn_.ms() < heard_ms + kHeartbeatMs + kLateBeatMs ? 1 : 2;
  };
  std::stable_sort(order.begin(), order.end(), [&](NodeIx a, NodeIx b) { return doubt(a) < doubt(b); });
  return order;
}

void Replication::release_standins(ChannelLog& log) {
  if (log.standins.empty()) return;
  for (const NodeIx home : log.homes) {
    if (home != cluster_.self() && peers_[home].unconfirmed.count(&log) != 0) return;
  }
  for (const NodeIx standin : log.standins) {
    // Where it has not confirmed yet either, nothing depends on it any more.
    if (!log.is_home(standin)) peers_[standin].unconfirmed.erase(&log);
  }
  log.standins.clear();
  --standin_channels_;
}

Replication::PeerFigures Replication::figures(NodeIx peer) const {
  const Peer& to = peers_[peer];
  PeerFigures figures{to.forwarded_interest, to.forwarded_durability, to.offer_bytes, to.window, 0};
  for (const auto& [log, entry] : to.unconfirmed) {
    for (const auto& [origin, origin_log] : entry.origins) {
      const PeerMark* mark = origin_log->find_mark(peer);
      const bool valid = mark != nullptr && mark->life == membership_.life(peer);
      figures.lag_strokes += origin_log->committed - std::min(origin_log->committed, valid ? mark->stored : 0);
    }
  }
  return figures;
}

}  // namespace inkmesh::core
