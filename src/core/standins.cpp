// Replication's stand-ins: who keeps a copy for a home that is late, away or full, and until when.
#include <algorithm>

#include "core/replication.h"

namespace inkmesh::core {

void Replication::check_standins() {
  const auto settled = [this](ChannelLog* pending) {
    ChannelLog& log = *pending;
    const bool stands_in_for = !log.standins.empty();
    const bool waits = std::any_of(log.homes.begin(), log.homes.end(), [&](NodeIx home) {
      const bool away = stands_in_for && home != cluster_.self() && !membership_.up(home);
      return away || late_one(home, log) != nullptr;
    });
    if (waits || acks_.waits_again(log)) {
      choose_standins(log);
      return false;
    }
    release_standins(log);
    if (!log.standins.empty()) return false;
    log.own_pending = false;
    return true;
  };
  own_pending_.erase(std::remove_if(own_pending_.begin(), own_pending_.end(), settled), own_pending_.end());
}

const Unconfirmed* Replication::late_one(NodeIx peer, const ChannelLog& log) {
  const Unconfirmed* entry = log.find_unconfirmed(peer);
  return entry != nullptr && entry->origins != 0 && entry->counts() ? entry : nullptr;
}

void Replication::answer_for(ChannelLog& log) {
  for (const auto* keepers : {&log.homes, &log.standins}) {
    for (const NodeIx keeper : *keepers) {
      Unconfirmed* entry = log.find_unconfirmed(keeper);
      if (entry != nullptr && entry->origins != 0 && !entry->asked) ask(log, *entry);
    }
  }
  // What is on its way to the store here is expected of nobody yet; and a home that has it may die all the same.
  watch(log);
  choose_standins(log);
}

void Replication::choose_standins(ChannelLog& log) {
  std::size_t wanted = 0;
  MonotonicMs late_since_ms = 0;  // the latest of those that are late
  const auto late = [&](NodeIx node) {
    const Unconfirmed* entry = late_one(node, log);
    if (entry == nullptr || turn_.ms() < entry->since_ms + kStandInMs) return false;
    late_since_ms = std::max(late_since_ms, entry->since_ms);
    return true;
  };
  const auto lags = [&](NodeIx home) {
    const Unconfirmed* entry = late_one(home, log);
    return entry != nullptr && entry->own && turn_.ms() >= entry->own_ms + kLagMs;
  };
  for (const NodeIx home : log.homes) {
    if (home == cluster_.self()) continue;
    if (late(home) || lags(home) || !membership_.fit(home)) ++wanted;
  }
  // One that has died or filled up itself is replaced; it keeps answering for what it holds when it is back.
  const auto dropped =
      std::remove_if(log.standins.begin(), log.standins.end(), [&](NodeIx node) { return !membership_.fit(node); });
  const bool had = !log.standins.empty();
  log.standins.erase(dropped, log.standins.end());
  // One that is late itself may be cut off as the home is: two more are asked beside it, since its author's second is
  // half over.
  wanted += 2 * static_cast<std::size_t>(std::count_if(log.standins.begin(), log.standins.end(), late));
  if (wanted > log.standins.size()) {
    for (const NodeIx node : standin_order(log, late_since_ms)) {
      if (wanted <= log.standins.size()) break;
      if (node == cluster_.self() || log.is_standin(node) || !membership_.fit(node)) continue;
      log.standins.push_back(node);
      // Looked at until it is let go of, though what it was chosen for should never be committed.
      watch(log);
      offer(node, log);
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
    if (home != cluster_.self() && log.expects(home)) return;
  }
  for (const NodeIx standin : log.standins) {
    // Where it has not confirmed yet either, nothing depends on it any more.
    if (!log.is_home(standin)) forget(standin, log);
  }
  log.standins.clear();
  --standin_channels_;
}

}  // namespace inkmesh::core
