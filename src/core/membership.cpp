#include "core/membership.h"

#include <algorithm>

#include "core/log.h"

namespace inkmesh::core {
namespace {

constexpr std::size_t kPastEpochs = 16;
constexpr MonotonicMs kSayAgainMs = 60'000;

}  // namespace

Membership::Heard Membership::heard(NodeIx node, const Epoch& epoch) {
  Peer& peer = peers_[node];
  if (epoch != peer.epoch) {
    const auto past = std::find(peer.past.begin(), peer.past.end(), epoch);
    if (past != peer.past.end()) {
      // Late, unless the one that we took for its present life has fallen silent: then that one was late.
      if (peer.state != State::down) return Heard::ignored;
      peer.past.erase(past);
    }
    begin_life(node, epoch);
    turn_.say(Severity::info, "peer " + cluster_.id(node) + " is up, epoch " + epoch);
    return Heard::reborn;
  }
  peer.heard_ms = turn_.ms();
  const bool was_down = peer.state == State::down;
  if (was_down) peer.linked_since_ms = turn_.ms();
  peer.state = State::up;
  if (was_down) clocks_changed_ = true;
  if (was_down) turn_.say(Severity::info, "peer " + cluster_.id(node) + " is up again, in the same epoch");
  return was_down ? Heard::returned : Heard::known;
}

void Membership::begin_life(NodeIx node, const Epoch& epoch) {
  Peer& peer = peers_[node];
  if (!peer.epoch.empty()) peer.past.push_back(peer.epoch);
  if (peer.past.size() > kPastEpochs) peer.past.erase(peer.past.begin());
  peer.epoch = epoch;
  ++peer.life;
  peer.full = false;
  peer.hollow = true;
  peer.clock_known = false;
  peer.generation = 0;
  peer.state = State::up;
  peer.heard_ms = peer.linked_since_ms = turn_.ms();
  peer.doubted_ms = 0;
  peer.other_version_ms = 0;
  clocks_changed_ = true;
}

void Membership::listen_to(NodeIx node, const Epoch& epoch) {
  auto& past = peers_[node].past;
  past.erase(std::remove(past.begin(), past.end(), epoch), past.end());
  begin_life(node, epoch);
  turn_.say(Severity::info, "peer " + cluster_.id(node) + " is listened to in epoch " + epoch + " again");
}

void Membership::other_version(NodeIx node, std::uint8_t version) {
  Peer& peer = peers_[node];
  const bool same = peer.other_version_ms != 0 && peer.other_version == version;
  peer.other_version = version;
  peer.other_version_ms = turn_.ms();
  if (same && turn_.ms() < peer.other_version_said_ms + kSayAgainMs) return;
  peer.other_version_said_ms = turn_.ms();
  turn_.say(Severity::warning, "peer " + cluster_.id(node) + " speaks version " + std::to_string(version) +
                                   " of the mesh's language, which this node does not: they are as cut off from each "
                                   "other until both run the same release");
}

void Membership::heartbeat(NodeIx node, const Heartbeat& beat) {
  Peer& peer = peers_[node];
  if (peer.full != beat.full) {
    turn_.say(Severity::warning,
              "peer " + cluster_.id(node) + (beat.full ? " says its store is full" : " has room again"));
  }
  if (beat.list_generation != cluster_.generation() && peer.generation != beat.list_generation) {
    turn_.say(Severity::error, "peer " + cluster_.id(node) + " runs with another node list, replicas or ack (here: " +
                                   std::to_string(cluster_.size()) + " nodes, replicas " +
                                   std::to_string(cluster_.replicas()) + ", ack " + std::to_string(cluster_.ack()) +
                                   "): give every node the same cluster.yaml");
  }
  peer.generation = beat.list_generation;
  peer.full = beat.full;
  peer.ready = beat.ready;
  peer.hollow = beat.hollow;
  const auto theirs = static_cast<std::int64_t>(beat.wall_us);
  const auto ours = static_cast<std::int64_t>(turn_.now().wall_us);
  peer.clock_offset_ms = (theirs - ours) / 1000;
  peer.clock_known = true;
  clocks_changed_ = true;
}

void Membership::holds(const Origin& origin, TimeUs ts) {
  const std::string_view node = node_of(origin);
  auto known = furthest_.find(node);
  if (known == furthest_.end()) {
    if (furthest_.size() >= kFurthestMax) {
      const auto nearest = std::min_element(furthest_.begin(), furthest_.end(),
                                            [](const auto& a, const auto& b) { return a.second.ts < b.second.ts; });
      if (ts <= nearest->second.ts) return;
      furthest_.erase(nearest);
    }
    known = furthest_.emplace(node, Furthest{}).first;
  }
  known->second.ts = std::max(known->second.ts, ts);
}

void Membership::ahead(const Origin& origin, TimeUs ts) {
  holds(origin, ts);
  const auto known = furthest_.find(node_of(origin));
  if (known == furthest_.end()) return;
  MonotonicMs& said_ms = known->second.said_ms;
  if (said_ms != 0 && turn_.ms() < said_ms + kSayAgainMs) return;
  said_ms = turn_.ms();
  turn_.say(Severity::error, "strokes of " + origin + " bear times more than a day ahead (" +
                                 std::to_string(ahead_ms(ts) / 3'600'000) +
                                 " hours): that node's clock was wrong. They are kept, and painted over what others "
                                 "draw until then");
}

std::uint64_t Membership::ahead_ms(TimeUs ts) const {
  const TimeUs wall_us = turn_.now().wall_us;
  return ts > wall_us + kTsLeadMaxUs ? (ts - wall_us) / 1000 : 0;
}

std::vector<StrokesAhead> Membership::strokes_ahead() const {
  std::vector<StrokesAhead> all;
  for (const auto& [node, furthest] : furthest_) {
    const std::uint64_t ms = ahead_ms(furthest.ts);
    if (ms != 0) all.push_back({node, ms});
  }
  return all;
}

void Membership::stranger(const NodeId& id) {
  if (id != stranger_ || turn_.ms() >= stranger_said_ms_ + kSayAgainMs) {
    stranger_said_ms_ = turn_.ms();
    turn_.say(Severity::error,
              "node " + id + " speaks to this node and is not on its node list: give every node the same cluster.yaml");
  }
  stranger_ = id;
  stranger_ms_ = turn_.ms();
}

bool Membership::lists_differ() const {
  if (!stranger_.empty() && turn_.ms() < stranger_ms_ + kStrangerMs) return true;
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (up(node) && peers_[node].generation != 0 && !same_list(node)) return true;
  }
  return false;
}

std::vector<NodeIx> Membership::tick() {
  say_clock();
  std::vector<NodeIx> gone;
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    Peer& peer = peers_[node];
    if (!up(node)) continue;
    const MonotonicMs silent_ms = turn_.ms() - peer.heard_ms;
    const bool down = silent_ms >= kDownMs || (!peer.linked && silent_ms >= kDownUnlinkedMs);
    if (down) {
      peer.state = State::down;
      clocks_changed_ = true;
      gone.push_back(node);
      turn_.say(Severity::warning,
                "peer " + cluster_.id(node) + " is down: silent for " + std::to_string(silent_ms) + " ms");
    } else if (silent_ms >= kSuspectMs) {
      peer.state = State::suspect;
    }
  }
  return gone;
}

void Membership::say_clock() {
  if (clock_wrong() == clock_said_) return;
  clock_said_ = !clock_said_;
  if (clock_said_) {
    turn_.say(Severity::error, "this node's clock is " + std::to_string(clock_lead_ms() / 1000) +
                                   " s off the median of all nodes: it takes no publishes until that is mended");
  } else {
    turn_.say(Severity::info, "this node's clock is right again: publishes are taken");
  }
}

std::size_t Membership::missing() const {
  std::size_t missing = 0;
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (node != cluster_.self() && !up(node)) ++missing;
  }
  return missing;
}

std::size_t Membership::mute() const {
  std::size_t mute = 0;
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (node != cluster_.self() && (!up(node) || peers_[node].hollow)) ++mute;
  }
  return mute;
}

std::int64_t Membership::clock_lead_ms() const {
  if (!clocks_changed_) return clock_lead_ms_;
  std::vector<std::int64_t> offsets{0};
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (up(node) && peers_[node].clock_known) offsets.push_back(peers_[node].clock_offset_ms);
  }
  // Of an even number the middle one that is nearer to ours: two nodes alone can't tell who is wrong.
  std::sort(offsets.begin(), offsets.end());
  const std::int64_t low = offsets[(offsets.size() - 1) / 2];
  const std::int64_t high = offsets[offsets.size() / 2];
  const auto distance = [](std::int64_t value) { return value < 0 ? -value : value; };
  clocks_changed_ = false;
  return clock_lead_ms_ = -(distance(low) < distance(high) ? low : high);
}

std::string Membership::name_of(State state) {
  switch (state) {
    case State::up:
      return "up";
    case State::suspect:
      return "suspect";
    case State::down:
      return "down";
    case State::unknown:
      break;
  }
  return "unknown";
}

}  // namespace inkmesh::core
