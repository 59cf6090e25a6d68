#include "core/interest.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "core/mutation.h"
#include "core/sorted.h"

namespace inkmesh::core {

Interest::Interest(Turn& turn, const ClusterMap& cluster, std::size_t hints_max)
    : turn_(turn), hints_max_(hints_max), peers_(cluster.size()), unheard_(cluster.size()) {
  std::iota(unheard_.begin(), unheard_.end(), NodeIx{0});
}

bool Interest::opened(std::uint64_t channel) {
  const bool edge = ++counts_[channel] == 1;
  if (edge) changed_.try_emplace(channel, false);
  return edge;
}

bool Interest::closed(std::uint64_t channel) {
  const auto it = counts_.find(channel);
  if (it == counts_.end() || --it->second != 0) return false;
  counts_.erase(it);
  changed_.try_emplace(channel, true);
  return true;
}

InterestFull Interest::full() const {
  InterestFull full;
  full.version = version_;
  full.channels.reserve(counts_.size());
  // What changed in the running turn is announced by its delta, after this.
  for (const auto& [channel, count] : counts_) {
    const auto changed = changed_.find(channel);
    if (changed == changed_.end() || changed->second) full.channels.push_back(channel);
  }
  for (const auto& [channel, was_open] : changed_) {
    if (was_open && counts_.count(channel) == 0) full.channels.push_back(channel);
  }
  std::sort(full.channels.begin(), full.channels.end());
  return full;
}

std::optional<InterestDelta> Interest::flush() {
  InterestDelta delta;
  delta.from = version_;
  for (const auto& [channel, was_open] : changed_) {
    const bool open = ours(channel);
    if (open == was_open) continue;
    (open ? delta.opened : delta.closed).push_back(channel);
    digest_ ^= mix(channel);
  }
  changed_.clear();
  if (delta.opened.empty() && delta.closed.empty()) return std::nullopt;
  ++version_;
  return delta;
}

void Interest::forget(NodeIx node) {
  const Peer former = std::exchange(peers_[node], Peer{});
  for (const std::uint64_t channel : former.channels)
    unlist(node, channel);
  for (const auto& [channel, until_ms] : former.hints)
    unlist(node, channel);
  erase_sorted(vague_, node);
  insert_sorted(unheard_, node);
}

void Interest::set_known(NodeIx node) {
  Peer& peer = peers_[node];
  if (!peer.heard) erase_sorted(unheard_, node);
  if (!peer.known) erase_sorted(vague_, node);
  peer.heard = true;
  peer.known = true;
}

void Interest::set_unknown(NodeIx node) {
  peers_[node].known = false;
  if (peers_[node].heard) insert_sorted(vague_, node);
}

void Interest::list(NodeIx node, std::uint64_t channel) {
  insert_sorted(by_channel_[channel], node);
}

void Interest::unlist(NodeIx node, std::uint64_t channel) {
  const Peer& peer = peers_[node];
  if (peer.channels.count(channel) != 0 || peer.hints.count(channel) != 0) return;
  const auto it = by_channel_.find(channel);
  if (it == by_channel_.end()) return;
  erase_sorted(it->second, node);
  if (it->second.empty()) by_channel_.erase(it);
}

Interest::Change Interest::ask(Peer& peer) {
  Change change;
  if (peer.asked_ms != 0 && turn_.ms() < peer.asked_ms + kAskAgainMs) return change;
  peer.asked_ms = turn_.ms();
  change.ask = true;
  return change;
}

Interest::Change Interest::apply(NodeIx node, const InterestDelta& delta) {
  Peer& peer = peers_[node];
  if (delta.from + 1 <= peer.version && peer.known) return {};
  if (!peer.known || delta.from != peer.version) {
    // A set that begins with its first delta is known without asking.
    if (delta.from != 0) {
      set_unknown(node);
      return ask(peer);
    }
    set_known(node);
    for (const std::uint64_t channel : std::exchange(peer.channels, {}))
      unlist(node, channel);
    peer.digest = 0;
  }
  peer.version = delta.from + 1;
  Change change;
  if (mutated(Mutation::forget_interest_delta)) {
    for (const std::uint64_t channel : delta.opened)
      peer.digest ^= mix(channel);
    return change;
  }
  for (const std::uint64_t channel : delta.opened) {
    if (!peer.channels.insert(channel).second) continue;
    list(node, channel);
    peer.digest ^= mix(channel);
    change.opened.push_back(channel);
  }
  for (const std::uint64_t channel : delta.closed) {
    const bool was_open = peer.channels.erase(channel) != 0;
    if (peer.hints.erase(channel) != 0 || was_open) unlist(node, channel);
    if (!was_open) continue;
    peer.digest ^= mix(channel);
    change.closed.push_back(channel);
  }
  return change;
}

Interest::Change Interest::apply(NodeIx node, const InterestFull& full) {
  Peer& peer = peers_[node];
  if (peer.known && full.version <= peer.version) return {};
  Change change;
  std::unordered_set<std::uint64_t> now(full.channels.begin(), full.channels.end());
  for (const std::uint64_t channel : full.channels) {
    if (peer.channels.count(channel) == 0) change.opened.push_back(channel);
  }
  for (const std::uint64_t channel : peer.channels) {
    if (now.count(channel) == 0) change.closed.push_back(channel);
  }
  std::sort(change.closed.begin(), change.closed.end());
  peer.channels = std::move(now);
  for (const std::uint64_t channel : change.opened)
    list(node, channel);
  for (const std::uint64_t channel : change.closed)
    unlist(node, channel);
  peer.digest = 0;
  for (const std::uint64_t channel : peer.channels)
    peer.digest ^= mix(channel);
  peer.version = full.version;
  set_known(node);
  peer.asked_ms = 0;
  return change;
}

Interest::Change Interest::check(NodeIx node, std::uint64_t version, std::uint64_t digest) {
  Peer& peer = peers_[node];
  if (version == 0) {
    set_known(node);
    return {};
  }
  if (peer.known && version < peer.version) return {};
  if (peer.known && version == peer.version && digest == peer.digest) return {};
  if (version == peer.version) peer.version = 0;  // a full set of the same version must be taken
  set_unknown(node);
  return ask(peer);
}

Interest::Change Interest::hint(NodeIx node, std::uint64_t channel) {
  Peer& peer = peers_[node];
  if (peer.channels.count(channel) != 0) return {};
  const auto known = peer.hints.find(channel);
  if (known != peer.hints.end()) {
    known->second = turn_.ms() + kHintMs;
    return {};
  }
  if (peer.hints.size() >= hints_max_) {
    // Of a set that was never known heads are told once it is.
    if (peer.heard) set_unknown(node);
    return ask(peer);
  }
  peer.hints.emplace(channel, turn_.ms() + kHintMs);
  list(node, channel);
  Change change;
  change.opened.push_back(channel);
  return change;
}

bool Interest::interested(NodeIx node, std::uint64_t channel) const {
  const Peer& peer = peers_[node];
  return (peer.heard && !peer.known) || peer.channels.count(channel) != 0 || peer.hints.count(channel) != 0;
}

const std::vector<NodeIx>& Interest::interested(std::uint64_t channel) const {
  static const std::vector<NodeIx> nobody;
  const auto it = by_channel_.find(channel);
  const std::vector<NodeIx>& open = it == by_channel_.end() ? nobody : it->second;
  if (vague_.empty()) return open;
  with_the_vague_.clear();
  std::set_union(open.begin(), open.end(), vague_.begin(), vague_.end(), std::back_inserter(with_the_vague_));
  return with_the_vague_;
}

void Interest::tick() {
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    Peer& peer = peers_[node];
    for (auto it = peer.hints.begin(); it != peer.hints.end();) {
      if (turn_.ms() < it->second) {
        ++it;
        continue;
      }
      const std::uint64_t channel = it->first;
      it = peer.hints.erase(it);
      unlist(node, channel);
    }
  }
}

}  // namespace inkmesh::core
