#include "core/interest.h"

#include <algorithm>

#include "core/mutation.h"

namespace inkmesh::core {

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
  peers_[node] = Peer{};
}

void Interest::set_known(Peer& peer) {
  peer.heard = true;
  peer.known = true;
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
      peer.known = false;
      return ask(peer);
    }
    set_known(peer);
    peer.channels.clear();
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
    peer.digest ^= mix(channel);
    change.opened.push_back(channel);
  }
  for (const std::uint64_t channel : delta.closed) {
    peer.hints.erase(channel);
    if (peer.channels.erase(channel) == 0) continue;
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
  peer.digest = 0;
  for (const std::uint64_t channel : peer.channels)
    peer.digest ^= mix(channel);
  peer.version = full.version;
  set_known(peer);
  peer.asked_ms = 0;
  return change;
}

Interest::Change Interest::check(NodeIx node, std::uint64_t version, std::uint64_t digest) {
  Peer& peer = peers_[node];
  if (version == 0) {
    set_known(peer);
    return {};
  }
  if (peer.known && version < peer.version) return {};
  if (peer.known && version == peer.version && digest == peer.digest) return {};
  if (version == peer.version) peer.version = 0;  // a full set of the same version must be taken
  peer.known = false;
  return ask(peer);
}

bool Interest::hint(NodeIx node, std::uint64_t channel) {
  Peer& peer = peers_[node];
  if (peer.channels.count(channel) != 0 || peer.hints.size() >= kHintsMax) return false;
  const bool news = peer.hints.count(channel) == 0;
  peer.hints[channel] = turn_.ms() + kHintMs;
  return news;
}

bool Interest::interested(NodeIx node, std::uint64_t channel) const {
  const Peer& peer = peers_[node];
  return (peer.heard && !peer.known) || peer.channels.count(channel) != 0 || peer.hints.count(channel) != 0;
}

void Interest::tick() {
  for (Peer& peer : peers_) {
    for (auto it = peer.hints.begin(); it != peer.hints.end();) {
      it = turn_.ms() >= it->second ? peer.hints.erase(it) : std::next(it);
    }
  }
}

}  // namespace inkmesh::core
