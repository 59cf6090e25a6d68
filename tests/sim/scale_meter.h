// Counts what a mesh costs each of its nodes, from what goes into the cores and what comes out of them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>
#include "core/cluster_map.h"
#include "heap.h"
#include "inkmesh/stroke.h"
#include "wire/mesh_codec.h"
#include "world.h"

namespace inkmesh::sim {

constexpr SimUs kQuietUs = 500_ms;
/// The longest wait for a turn: about what the node's loop lets pass between two turns while there is much to do.
constexpr SimUs kTurnUsMax = 3_ms;
/// News of a closed channel is on its way so long at most: a turn at either end, and the road.
constexpr SimUs kOnItsWayUs = 2 * kTurnUsMax + 1_ms;
constexpr std::size_t kDataBytes = 150;

inline std::uint64_t thread_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

/// What it takes to read the clock itself.
inline std::uint64_t clock_cost_ns() {
  std::uint64_t least = UINT64_MAX;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t begin = thread_ns();
    least = std::min(least, thread_ns() - begin);
  }
  return least;
}

inline double percentile_ms(std::vector<SimUs>& times, double share) {
  if (times.empty()) return 0;
  const auto place = static_cast<std::size_t>(std::ceil(share * static_cast<double>(times.size()))) - 1;
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(place), times.end());
  return static_cast<double>(times[place]) / 1000;
}

inline bool is_repair(const LinkMessage& message) {
  return std::holds_alternative<Digest>(message) || std::holds_alternative<DigestReply>(message) ||
         std::holds_alternative<Offer>(message) || std::holds_alternative<SettleAsk>(message) ||
         std::holds_alternative<SettleDone>(message);
}

/// Counts, from what goes into the cores and what comes out of them.
class Meter : public TurnWatch {
 public:
  explicit Meter(World& world)
      : world_(world), clock_ns_(clock_cost_ns()), ready_at_(world.size(), 0), pending_(world.size()) {
    for (NodeIndex node = 0; node < world.size(); ++node)
      world.node(node).set_watch(*this);
  }

  void begin_window() {
    start_cpu_ns_ = std::exchange(cpu_ns_, 0);
    measuring_ = true;
    begun_ = world_.now();
    turns_ = frames_ = link_bytes_ = repair_ = pulls_ = 0;
    beats_ = deltas_ = Gossip{};
    forwarded_ = for_interest_ = for_copies_ = for_nothing_ = 0;
  }

  void end_window() {
    measuring_ = false;
    const double nodes_s = static_cast<double>(world_.size()) * static_cast<double>(world_.now() - begun_) / 1e6;
    const auto rate = [&](auto count) { return static_cast<double>(count) / nodes_s; };
    figures.gossip_messages = rate(beats_.received + deltas_.received);
    figures.gossip_bytes = rate(beats_.received_bytes() + deltas_.received_bytes());
    figures.frames = rate(frames_);
    figures.link_bytes = rate(link_bytes_);
    figures.repair_messages = rate(repair_);
    figures.pulls = rate(pulls_);
    figures.turns = rate(turns_);
    figures.cpu_us = rate(cpu_ns_) / 1000;
    figures.start_cpu_ms = static_cast<double>(start_cpu_ns_) / 1e6 / static_cast<double>(world_.size());
    figures.forwarded = forwarded_;
    figures.for_interest = for_interest_;
    figures.for_copies = for_copies_;
    figures.for_nothing = for_nothing_;
    figures.ready_ms = static_cast<double>(*std::max_element(ready_at_.begin(), ready_at_.end())) / 1000;
  }

  void sum_up() {
    figures.openings = live_.size();
    figures.known_p50_ms = percentile_ms(known_, 0.5);
    figures.known_p99_ms = percentile_ms(known_, 0.99);
    figures.live_p50_ms = percentile_ms(live_, 0.5);
    figures.live_p99_ms = percentile_ms(live_, 0.99);
    figures.complete_p50_ms = percentile_ms(complete_, 0.5);
    figures.complete_p99_ms = percentile_ms(complete_, 0.99);
  }

  /// A client's question, and the two answers that count.
  void asked(NodeIndex node, const Channel& channel) {
    if (measuring_) asked_[{node, channel}] = world_.now();
  }
  void heard(NodeIndex node, const SendLive& live) {
    const auto found = asked_.find({node, live.channel});
    if (found == asked_.end()) return;
    const SimUs took = world_.now() - found->second;
    if (lived_.insert(found->first).second) live_.push_back(took);
    if (!live.complete) return;
    complete_.push_back(took);
    lived_.erase(found->first);
    asked_.erase(found);
  }
  void given_up(NodeIndex node, const Channel& channel) {
    asked_.erase({node, channel});
    lived_.erase({node, channel});
  }

  void begins(NodeIndex node, const std::vector<Event>& events) override {
    for (const Event& event : events) {
      if (const auto* gossip = std::get_if<GossipReceived>(&event)) {
        take(node, gossip->message);
      } else if (const auto* frame = std::get_if<FrameReceived>(&event)) {
        take(node, frame->frame);
      } else if (const auto* subscribe = std::get_if<Subscribe>(&event)) {
        open(node, subscribe->channel);
      } else if (const auto* unsubscribe = std::get_if<Unsubscribe>(&event)) {
        Truth& truth = truth_of(unsubscribe->channel);
        truth.open.erase(node);
        truth.closed[node] = world_.now();
      }
    }
    turn_began_ns_ = thread_ns();
  }

  void ended(NodeIndex node, const Effects& effects) override {
    const std::uint64_t spent = thread_ns() - turn_began_ns_;
    cpu_ns_ += spent - std::min(spent, clock_ns_);
    ++turns_;
    for (const Effect& effect : effects) {
      if (const auto* gossip = std::get_if<SendGossip>(&effect)) {
        say(node, gossip->message);
      } else if (const auto* frame = std::get_if<SendFrame>(&effect)) {
        send(frame->peer, frame->frame);
      }
    }
    // What has left no trace in the turn's gossip was no news.
    auto& pending = pending_[node];
    pending.erase(std::remove_if(pending.begin(), pending.end(), [](const auto& each) { return each.version == 0; }),
                  pending.end());
  }

  ScaleFigures figures;

 private:
  struct Gossip {
    std::uint64_t sent = 0;
    std::uint64_t sent_bytes = 0;
    std::uint64_t received = 0;

    double received_bytes() const {
      return sent == 0 ? 0
                       : static_cast<double>(sent_bytes) / static_cast<double>(sent) * static_cast<double>(received);
    }
  };
  /// Where a channel is open, as the cores have been told.
  struct Truth {
    std::set<NodeIndex> open;
    std::map<NodeIndex, SimUs> closed;  ///< when last
    std::vector<NodeIndex> homes;
  };
  /// A channel that was newly opened at a node, and who has yet to hear of it.
  struct Pending {
    SimUs at = 0;
    std::uint64_t hash = 0;
    std::uint64_t version = 0;  ///< of the opener's set that has it first; 0: not said yet
    std::set<NodeIndex> deaf;
  };

  Truth& truth_of(const Channel& channel) {
    const auto [found, fresh] = truths_.try_emplace(channel);
    if (fresh) found->second.homes = world_.homes(channel);
    return found->second;
  }

  NodeIndex index(const NodeId& id) {
    const auto [found, fresh] = indices_.try_emplace(id, 0);
    if (fresh) found->second = world_.index_of(id);
    return found->second;
  }

  void open(NodeIndex node, const Channel& channel) {
    Truth& truth = truth_of(channel);
    if (!truth.open.insert(node).second || !measuring_ || truth.open.size() < 2) return;
    Pending pending{world_.now(), channel_hash(channel), 0, truth.open};
    pending.deaf.erase(node);
    pending_[node].push_back(std::move(pending));
  }

  /// A message of `from`, of that version or later, has come to `at`: whether it was in order or left a gap (then
  /// `from` counts as interested in everything), strokes are forwarded from now on. `hash` 0: any channel.
  void knows(NodeIndex at, NodeIndex from, std::uint64_t version, std::uint64_t hash) {
    auto& pending = pending_[from];
    for (auto it = pending.begin(); it != pending.end();) {
      const bool told = hash == 0 ? it->version != 0 && version >= it->version : it->hash == hash;
      if (!told || it->deaf.erase(at) == 0 || !it->deaf.empty()) {
        ++it;
        continue;
      }
      known_.push_back(world_.now() - it->at);
      it = pending.erase(it);
    }
  }

  void take(NodeIndex node, const GossipMessage& message) {
    const NodeIndex from = index(message.node);
    if (const auto* beat = std::get_if<Heartbeat>(&message.body)) {
      ++beats_.received;
      knows(node, from, beat->interest_version, 0);
    } else {
      ++deltas_.received;
      knows(node, from, std::get<InterestDelta>(message.body).from + 1, 0);
    }
  }

  void take(NodeIndex node, const Frame& frame) {
    const NodeIndex from = index(frame.node);
    if (pending_[from].empty()) return;
    for (const LinkMessage& message : frame.messages) {
      if (const auto* full = std::get_if<InterestFull>(&message)) {
        knows(node, from, full->version, 0);
      } else if (const auto* pull = std::get_if<Pull>(&message)) {
        if (pull->interested) knows(node, from, 0, channel_hash(pull->channel));
      }
    }
  }

  void say(NodeIndex node, const GossipMessage& message) {
    const auto* delta = std::get_if<InterestDelta>(&message.body);
    Gossip& kind = delta != nullptr ? deltas_ : beats_;
    ++kind.sent;
    kind.sent_bytes += wire::encode(message).size();
    if (delta == nullptr) {
      if (std::get<Heartbeat>(message.body).ready && ready_at_[node] == 0) ready_at_[node] = world_.now();
      return;
    }
    for (Pending& pending : pending_[node]) {
      const bool has = std::find(delta->opened.begin(), delta->opened.end(), pending.hash) != delta->opened.end();
      if (pending.version == 0 && has) pending.version = delta->from + 1;
    }
  }

  void send(const NodeId& peer, const Frame& frame) {
    if (!measuring_) return;
    const NodeIndex to = index(peer);
    ++frames_;
    link_bytes_ += wire::encode(frame).size();
    for (const LinkMessage& message : frame.messages) {
      if (is_repair(message)) ++repair_;
      if (std::holds_alternative<Pull>(message)) ++pulls_;
      if (const auto* run = std::get_if<StrokeRun>(&message)) count(to, *run);
    }
  }

  void count(NodeIndex to, const StrokeRun& run) {
    const Truth& truth = truth_of(run.channel());
    const auto closed = truth.closed.find(to);
    const bool moments_ago = closed != truth.closed.end() && world_.now() < closed->second + kOnItsWayUs;
    const bool home = std::find(truth.homes.begin(), truth.homes.end(), to) != truth.homes.end();
    forwarded_ += run.strokes.size();
    (truth.open.count(to) != 0 || moments_ago ? for_interest_
     : home                                   ? for_copies_
                                              : for_nothing_) += run.strokes.size();
  }

  World& world_;
  const std::uint64_t clock_ns_;
  bool measuring_ = false;
  SimUs begun_ = 0;
  std::uint64_t turn_began_ns_ = 0;
  std::uint64_t cpu_ns_ = 0;
  std::uint64_t start_cpu_ns_ = 0;
  std::uint64_t turns_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t link_bytes_ = 0;
  std::uint64_t repair_ = 0;
  std::uint64_t pulls_ = 0;
  std::uint64_t forwarded_ = 0;
  std::uint64_t for_interest_ = 0;
  std::uint64_t for_copies_ = 0;
  std::uint64_t for_nothing_ = 0;
  Gossip beats_;
  Gossip deltas_;
  std::unordered_map<NodeId, NodeIndex> indices_;
  std::unordered_map<Channel, Truth> truths_;
  std::vector<SimUs> ready_at_;
  std::vector<std::vector<Pending>> pending_;  ///< by the opener
  std::map<std::pair<NodeIndex, Channel>, SimUs> asked_;
  std::set<std::pair<NodeIndex, Channel>> lived_;
  std::vector<SimUs> known_;
  std::vector<SimUs> live_;
  std::vector<SimUs> complete_;
};

}  // namespace inkmesh::sim
