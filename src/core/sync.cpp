#include "core/sync.h"

#include <algorithm>

#include "core/mutation.h"

namespace inkmesh::core {

bool Sync::keeps(const ChannelLog& log) const {
  return log.self_home || interest_.ours(log.hash);
}

bool Sync::complete(const ChannelLog& log, Round round) const {
  const auto it = states_.find(const_cast<ChannelLog*>(&log));
  if (it == states_.end() || it->second.whole < round) return false;
  // What was taken in and then refused by the store is not here.
  return log.appended().covers(it->second.heads);
}

const Cursor* Sync::heads(const ChannelLog& log) const {
  const auto it = states_.find(const_cast<ChannelLog*>(&log));
  return it == states_.end() ? nullptr : &it->second.heads;
}

bool Sync::level(const ChannelLog& log) const {
  const auto it = states_.find(const_cast<ChannelLog*>(&log));
  return keeps(log) && it != states_.end() && it->second.level;
}

bool Sync::hopeful(const ChannelLog& log) const {
  if (cluster_.replicas() == 0) return membership_.missing() == 0;
  if (membership_.missing() >= cluster_.ack()) return false;
  const auto there = [this](NodeIx home) { return home == cluster_.self() || membership_.up(home); };
  return std::any_of(log.homes.begin(), log.homes.end(), there);
}

bool Sync::take_changed() {
  const bool changed = changed_;
  changed_ = false;
  return changed;
}

Sync::Round Sync::begin(ChannelLog& log) {
  State& state = states_[&log];
  state.used_ms = turn_.ms();
  // What the round under way has asked already may be older than this question.
  state.needed = state.round + 1;
  if (!state.asking) start_round(log, state);
  return state.needed;
}

void Sync::closed(ChannelLog& log) {
  const auto it = states_.find(&log);
  if (it != states_.end()) it->second.level = false;
}

void Sync::start_round(ChannelLog& log, State& state) {
  ++state.round;
  state.asking = true;
  state.targets.clear();
  state.answered.clear();
  state.gathered = Cursor{};
  state.home_word = false;
  state.asked_ms = turn_.ms();
  state.again_ms = turn_.ms() + kIncompleteMs;
  const auto add = [&](NodeIx node) {
    const bool there = std::find(state.targets.begin(), state.targets.end(), node) != state.targets.end();
    if (node != cluster_.self() && membership_.reachable(node) && !there) state.targets.push_back(node);
  };
  for (const NodeIx home : log.homes)
    add(home);
  const bool all = cluster_.replicas() == 0 || cluster_.size() <= kAskAllNodes;
  for (NodeIx node = 0; node < cluster_.size(); ++node) {
    const bool interested = interest_.known(node) && interest_.interested(node, log.hash);
    if (interested || all) add(node);
  }
  queue(log, state);
}

void Sync::end_round(const ChannelLog& log, State& state) {
  state.asking = false;
  const std::size_t silent = cluster_.size() - 1 - state.answered.size();
  // A stroke was acknowledged on `ack` nodes: where fewer than that have not answered, one that has it did. A larger
  // cluster asks but some, and takes a settled home's word.
  const bool asked = cluster_.size() > kAskAllNodes || silent < cluster_.ack();
  const bool home_word = state.home_word || (log.self_home && anti_entropy_.settled());
  const bool whole = cluster_.replicas() == 0 ? silent == 0 : asked && home_word;
  if ((!whole || membership_.lists_differ()) && !mutated(Mutation::whole_without_answers)) return;
  state.whole = state.round;
  state.heads = std::move(state.gathered);
  state.level = true;
  changed_ = true;
}

void Sync::queue(ChannelLog& log, State& state) {
  if (state.queued || state.pulling) return;
  state.queued = true;
  queue_.push_back(&log);
  start_queued();
}

void Sync::start_queued() {
  if (starting_) return;
  starting_ = true;
  while (under_way_ < kPullsMax && !queue_.empty()) {
    ChannelLog& log = *queue_.front();
    queue_.pop_front();
    State& state = states_[&log];
    state.queued = false;
    if (!state.pulling) next(log, state);
  }
  starting_ = false;
}

void Sync::stop_pulling(State& state) {
  if (!state.pulling) return;
  state.pulling = false;
  --under_way_;
}

void Sync::next(ChannelLog& log, State& state) {
  stop_pulling(state);
  while (!state.targets.empty()) {
    const NodeIx target = state.targets.front();
    state.targets.pop_front();
    if (!membership_.reachable(target)) continue;
    state.reached = log.appended();
    pull(log, state, target);
    return;
  }
  if (state.asking) end_round(log, state);
  want(log, state);
  if (state.needed > state.round) start_round(log, state);
  start_queued();
}

void Sync::want(ChannelLog& log, State& state) {
  const Cursor have = log.appended();
  for (auto it = state.wanted.begin(); it != state.wanted.end();) {
    if (have.at(it->first) >= it->second.seq) {
      it = state.wanted.erase(it);
      continue;
    }
    if (it->second.due_ms <= turn_.ms() && membership_.up(it->second.from) && !state.pulling) {
      const NodeIx from = it->second.from;
      it->second.due_ms = turn_.ms() + kIncompleteMs;
      state.reached = log.appended();
      pull(log, state, from);
    }
    ++it;
  }
}

void Sync::pull(ChannelLog& log, State& state, NodeIx from) {
  if (!state.pulling) ++under_way_;
  state.pulling = true;
  state.source = from;
  state.request = ++last_request_;
  state.heard_ms = state.sent_ms = turn_.ms();
  ++pulls_;
  Cursor have = log.appended();
  const std::size_t bytes = log.name.size() + 32 + have.size() * 40;
  links_.send(from, Pull{state.request, log.name, std::move(have), interest_.ours(log.hash)}, bytes);
}

void Sync::hear_of(NodeIx peer, ChannelLog& log, const Origin& origin, Seq seq, MonotonicMs delay_ms) {
  const auto it = log.origins.find(origin);
  if (it != log.origins.end() && it->second.appended >= seq) return;
  State& state = states_[&log];
  state.used_ms = turn_.ms();
  Wanted& wanted = state.wanted[origin];
  if (seq > wanted.seq || !membership_.up(wanted.from)) {
    if (wanted.seq == 0 || wanted.due_ms > turn_.ms() + delay_ms) wanted.due_ms = turn_.ms() + delay_ms;
    wanted.seq = std::max(seq, wanted.seq);
    wanted.from = peer;
  }
  if (!state.pulling && !state.queued && wanted.due_ms <= turn_.ms()) queue(log, state);
}

void Sync::on_run(NodeIx peer, const ChannelLog& log) {
  const auto it = states_.find(const_cast<ChannelLog*>(&log));
  if (it != states_.end() && it->second.pulling && it->second.source == peer) it->second.heard_ms = turn_.ms();
}

void Sync::on_pull_done(NodeIx peer, ChannelLog& log, const PullDone& done) {
  for (const auto& [origin, seq] : done.heads.seqs())
    replication_.stored(peer, log, origin, seq);
  const auto it = states_.find(&log);
  if (it == states_.end() || !it->second.pulling || it->second.request != done.request) return;
  State& state = it->second;
  const Cursor have = log.appended();
  const bool level = have.covers(done.heads);
  // Not merely another place: what a full store refuses takes us back to where we were.
  const bool progress = !state.reached.covers(have);
  state.reached.merge(have);
  if (done.more && progress && log_.takes_runs()) {
    pull(log, state, peer);
    return;
  }
  if (!level) {
    // Too much waits for the store here, or a record is damaged there: ask again later, somebody else first.
    for (const auto& [origin, seq] : done.heads.seqs()) {
      if (have.at(origin) < seq) state.wanted[origin] = Wanted{seq, peer, turn_.ms() + kIncompleteMs};
    }
  } else {
    for (auto wanted = state.wanted.begin(); wanted != state.wanted.end();) {
      // It has lost what it told of, in a crash: somebody else may have it.
      const bool lost = wanted->second.from == peer && done.heads.at(wanted->first) < wanted->second.seq;
      if (lost) state.level = false;
      wanted = lost ? state.wanted.erase(wanted) : std::next(wanted);
    }
    state.answered.insert(peer);
    if (state.asking) state.gathered.merge(done.heads);
    state.home_word = state.home_word || (done.complete && log.is_home(peer));
  }
  next(log, state);
}

void Sync::link_lost(NodeIx peer) {
  for (auto& [log, state] : states_) {
    if (state.pulling && state.source == peer) state.heard_ms = 0;
    // What it pushed may not have come: those that have the channel open ask afresh.
    state.level = false;
    state.again_ms = std::min(state.again_ms, turn_.ms());
  }
  changed_ = true;
}

void Sync::tick() {
  for (auto it = states_.begin(); it != states_.end();) {
    ChannelLog& log = *it->first;
    State& state = it->second;
    const bool silent = turn_.ms() >= state.heard_ms + kSilentMs || turn_.ms() >= state.sent_ms + kPullMs;
    if (state.pulling && silent) next(log, state);
    const bool open = interest_.ours(log.hash);
    const bool stale = open && turn_.ms() >= state.asked_ms + kAskAgainMs;
    const bool incomplete = stale || state.whole < state.needed || (open && !state.level);
    if (incomplete && !state.asking && turn_.ms() >= state.again_ms) start_round(log, state);
    if (!state.pulling && !state.queued && !state.wanted.empty()) want(log, state);
    const bool idle = !state.pulling && !state.queued && !state.asking;
    const bool forget = idle && !open && turn_.ms() >= state.used_ms + kForgetMs;
    it = forget ? states_.erase(it) : std::next(it);
  }
  start_queued();
}

}  // namespace inkmesh::core
