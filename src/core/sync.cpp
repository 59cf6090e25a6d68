#include "core/sync.h"

#include <algorithm>
#include <cstddef>

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
  state.window = 1;
  state.answered = 0;
  state.gathered = Cursor{};
  state.home_word = false;
  state.asked_ms = turn_.ms();
  state.again_ms = turn_.ms() + kIncompleteMs;
  std::vector<bool> listed(cluster_.size());
  const auto add = [&](NodeIx node) {
    if (node != cluster_.self() && membership_.reachable(node) && !listed[node]) state.targets.push_back(node);
    listed[node] = true;
  };
  for (const NodeIx home : log.homes)
    add(home);
  for (const NodeIx node : interest_.interested(log.hash)) {
    if (interest_.known(node)) add(node);
  }
  if (cluster_.replicas() == 0 || cluster_.small()) {
    // Each channel begins at another one: not everybody's first question goes to the same few.
    for (NodeIx node = 0; node < cluster_.size(); ++node)
      add(static_cast<NodeIx>((log.hash + node) % cluster_.size()));
  }
  std::reverse(state.targets.begin(), state.targets.end());
  queue(log, state);
}

void Sync::end_round(const ChannelLog& log, State& state) {
  state.asking = false;
  const std::size_t silent = cluster_.size() - 1 - state.answered;
  // A stroke was acknowledged on `ack` nodes: where fewer than that have not answered, one that has it did. A larger
  // cluster asks but some, and takes a settled home's word.
  const bool asked = !cluster_.small() || silent < cluster_.ack();
  const bool home_word = state.home_word || (log.self_home && anti_entropy_.settled());
  const bool whole = cluster_.replicas() == 0 ? silent == 0 : asked && home_word;
  if ((!whole || membership_.lists_differ()) && !mutated(Mutation::whole_without_answers)) return;
  state.whole = state.round;
  state.heads = std::move(state.gathered);
  state.level = true;
  changed_ = true;
}

void Sync::queue(ChannelLog& log, State& state) {
  if (state.queued || !state.pulling.empty()) return;
  state.queued = true;
  queue_.push_back(&log);
  start_queued();
}

void Sync::start_queued() {
  if (starting_) return;
  starting_ = true;
  while (under_way_ < pulls_max_ && !queue_.empty()) {
    ChannelLog& log = *queue_.front();
    queue_.pop_front();
    State& state = states_[&log];
    state.queued = false;
    if (state.pulling.empty()) next(log, state);
  }
  starting_ = false;
}

void Sync::drop(State& state, std::size_t at) {
  state.pulling.erase(state.pulling.begin() + static_cast<std::ptrdiff_t>(at));
  --under_way_;
}

void Sync::next(ChannelLog& log, State& state) {
  ask_targets(log, state);
  if (state.pulling.empty()) {
    if (state.asking) end_round(log, state);
    want(log, state);
    if (state.needed > state.round) start_round(log, state);
  }
  start_queued();
}

void Sync::ask_targets(ChannelLog& log, State& state) {
  while (!state.targets.empty() && state.pulling.size() < state.window) {
    // Each channel has one under way before any has another.
    if (!state.pulling.empty() && (under_way_ >= pulls_max_ || !queue_.empty())) return;
    if (!state.pulling.empty() && state.pulling.front().alone) return;
    const NodeIx target = state.targets.back();
    state.targets.pop_back();
    if (membership_.reachable(target)) ask(log, state, target);
  }
}

void Sync::want(ChannelLog& log, State& state) {
  if (state.wanted.empty()) return;
  const Cursor have = log.appended();
  for (auto it = state.wanted.begin(); it != state.wanted.end();) {
    if (have.at(it->first) >= it->second.seq) {
      it = state.wanted.erase(it);
      continue;
    }
    if (it->second.due_ms <= turn_.ms() && membership_.up(it->second.from) && state.pulling.empty()) {
      if (under_way_ >= pulls_max_) {
        queue(log, state);
        return;
      }
      const NodeIx from = it->second.from;
      it->second.due_ms = turn_.ms() + kIncompleteMs;
      ask(log, state, from);
    }
    ++it;
  }
}

void Sync::put_off_mute(ChannelLog& log, State& state) {
  // They may be cut off, if only from us to them, and an author wait for what somebody offers meanwhile: they are asked
  // again afterwards.
  const auto mute = [this](const Asked& asked) { return turn_.ms() >= asked.sent_ms + kMuteMs && !asked.answering; };
  if (state.pulling.empty() || !std::all_of(state.pulling.begin(), state.pulling.end(), mute)) return;
  const auto due = std::find_if(state.wanted.begin(), state.wanted.end(), [&](const auto& wanted) {
    const NodeIx from = wanted.second.from;
    const bool asked = std::any_of(state.pulling.begin(), state.pulling.end(),
                                   [from](const Asked& each) { return each.peer == from; });
    return wanted.second.due_ms <= turn_.ms() && membership_.up(from) && !asked;
  });
  if (due == state.wanted.end()) return;
  while (!state.pulling.empty()) {
    const Asked& last = state.pulling.back();
    const bool target = state.asking && last.round == state.round;
    if (target) state.targets.insert(state.targets.begin(), last.peer);
    drop(state, state.pulling.size() - 1);
  }
  due->second.due_ms = turn_.ms() + kIncompleteMs;
  const NodeIx from = due->second.from;
  const auto target = std::find(state.targets.begin(), state.targets.end(), from);
  const bool counts = target != state.targets.end();
  if (counts) state.targets.erase(target);
  ask(log, state, from);
  // One that has answered in this round must not be counted twice.
  if (!counts) state.pulling.back().round = 0;
}

void Sync::ask(ChannelLog& log, State& state, NodeIx peer) {
  ++under_way_;
  Asked& asked = state.pulling.emplace_back();
  asked.peer = peer;
  asked.round = state.asking ? state.round : 0;
  pull(log, asked);
}

void Sync::pull(ChannelLog& log, Asked& asked) {
  asked.request = ++last_request_;
  asked.heard_ms = asked.sent_ms = turn_.ms();
  asked.answering = false;
  ++pulls_;
  Cursor have = log.appended();
  const std::size_t bytes = log.name.size() + 32 + have.size() * 40;
  links_.send(asked.peer, Pull{asked.request, log.name, std::move(have), interest_.ours(log.hash)}, bytes);
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
  if (wanted.due_ms > turn_.ms()) return;
  put_off_mute(log, state);
  queue(log, state);
}

void Sync::on_run(NodeIx peer, const ChannelLog& log, const Origin& origin) {
  const auto it = states_.find(const_cast<ChannelLog*>(&log));
  if (it == states_.end()) return;
  for (Asked& asked : it->second.pulling) {
    if (asked.peer != peer) continue;
    asked.heard_ms = turn_.ms();
    asked.answering = asked.answering || node_of(origin) != cluster_.id(peer);
  }
}

void Sync::on_pull_done(NodeIx peer, ChannelLog& log, const PullDone& done) {
  log.for_each_of(done.heads, [&](OriginLog& origin_log, Seq seq) { replication_.stored(peer, log, origin_log, seq); });
  const auto it = states_.find(&log);
  if (it == states_.end()) return;
  State& state = it->second;
  const auto found = std::find_if(state.pulling.begin(), state.pulling.end(),
                                  [&](const Asked& asked) { return asked.request == done.request; });
  if (found == state.pulling.end()) return;
  const auto at = static_cast<std::size_t>(found - state.pulling.begin());
  if (done.more && log_.takes_runs() && pull_more(log, state, at)) return;
  const Asked asked = state.pulling[at];
  drop(state, at);
  const Cursor have = log.appended();
  if (have.covers(done.heads)) {
    told_all(log, state, asked, done);
  } else {
    // Too much waits for the store here, or a record is damaged there: ask again later, somebody else first.
    for (const auto& [origin, seq] : done.heads.seqs()) {
      if (have.at(origin) < seq) state.wanted[origin] = Wanted{seq, peer, turn_.ms() + kIncompleteMs};
    }
  }
  next(log, state);
}

bool Sync::pull_more(ChannelLog& log, State& state, std::size_t at) {
  const Cursor have = log.appended();
  state.window = 1;
  if (!state.pulling[at].alone && state.pulling.front().alone) {
    state.targets.push_back(state.pulling[at].peer);
    drop(state, at);
    start_queued();
    return true;
  }
  std::swap(state.pulling.front(), state.pulling[at]);
  Asked& asked = state.pulling.front();
  // Not merely another place: what a full store refuses takes us back to where we were.
  if (asked.alone && state.reached.covers(have)) return false;
  if (!asked.alone) state.reached = Cursor{};
  asked.alone = true;
  state.reached.merge(have);
  pull(log, asked);
  return true;
}

void Sync::told_all(const ChannelLog& log, State& state, const Asked& asked, const PullDone& done) {
  for (auto wanted = state.wanted.begin(); wanted != state.wanted.end();) {
    // It has lost what it told of, in a crash: somebody else may have it.
    const bool lost = wanted->second.from == asked.peer && done.heads.at(wanted->first) < wanted->second.seq;
    if (lost) state.level = false;
    wanted = lost ? state.wanted.erase(wanted) : std::next(wanted);
  }
  if (!state.asking || asked.round != state.round) return;
  state.window = std::min(state.window + 1, window_max_);
  ++state.answered;
  state.gathered.merge(done.heads);
  state.home_word = state.home_word || (done.complete && log.is_home(asked.peer));
}

void Sync::link_lost(NodeIx peer) {
  for (auto& [log, state] : states_) {
    for (Asked& asked : state.pulling) {
      if (asked.peer == peer) asked.heard_ms = 0;
    }
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
    const std::size_t asked = state.pulling.size();
    for (std::size_t at = asked; at-- > 0;) {
      const Asked& each = state.pulling[at];
      if (turn_.ms() >= each.heard_ms + kSilentMs || turn_.ms() >= each.sent_ms + kPullMs) drop(state, at);
    }
    if (state.pulling.size() < asked) next(log, state);
    put_off_mute(log, state);
    const bool open = interest_.ours(log.hash);
    const bool stale = open && turn_.ms() >= state.asked_ms + kAskAgainMs;
    const bool incomplete = stale || state.whole < state.needed || (open && !state.level);
    if (incomplete && !state.asking && turn_.ms() >= state.again_ms) start_round(log, state);
    if (state.pulling.empty() && !state.queued && !state.wanted.empty()) want(log, state);
    const bool idle = state.pulling.empty() && !state.queued && !state.asking;
    const bool forget = idle && !open && turn_.ms() >= state.used_ms + kForgetMs;
    it = forget ? states_.erase(it) : std::next(it);
  }
  start_queued();
}

}  // namespace inkmesh::core
