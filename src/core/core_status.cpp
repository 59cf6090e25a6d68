// What a core says of itself: whether it takes clients, its figures, and to checkers what it waits for.
#include <string>
#include <utility>
#include <vector>

#include "core/parts.h"

namespace inkmesh {

using core::ChannelLog;
using core::NodeIx;
using core::OriginLog;
using core::PeerMark;

CoreStatus Core::status() const {
  return parts_->status();
}

std::vector<Waiting> Core::waiting() const {
  return parts_->waiting();
}

std::vector<std::string> Core::Parts::not_ready_reasons() const {
  std::vector<std::string> reasons;
  if (publishing.draining()) reasons.emplace_back("draining: the node is about to stop");
  if (twins.shut_out()) reasons.push_back(twins.why_shut_out());
  if (membership.clock_wrong()) {
    reasons.push_back("clock: " + std::to_string(membership.clock_lead_ms() / 1000) +
                      " s off the median of the peers'");
  }
  const char* const waits = started ? nullptr : starting();
  if (waits != nullptr) reasons.emplace_back(waits);
  return reasons;
}

const char* Core::Parts::starting() const {
  const MonotonicMs up_ms = started_ms == 0 ? 0 : turn.ms() - started_ms;
  if (up_ms < kMeetMs && membership.missing() > 0) return "starting: has not heard from every peer yet";
  if (up_ms < kSettleMs && anti_entropy.catching_up()) return "starting: is catching up with its peers";
  return nullptr;
}

CoreStatus Core::Parts::status() const {
  CoreStatus status;
  status.self = settings.self;
  status.epoch = settings.epoch;
  status.not_ready_reasons = not_ready_reasons();
  status.ready = status.not_ready_reasons.empty();
  status.hollow = anti_entropy.hollow();
  if (const auto& because = lives.hollow()) status.hollow_because = *because;
  status.strokes_ahead = membership.strokes_ahead();
  status.lists_differ = membership.lists_differ();
  status.full = publishing.out_of_space();
  status.twin = twins.ours();
  status.shut_out = twins.shut_out();
  for (NodeIx node = 0; node < cluster.size(); ++node) {
    if (node == cluster.self()) continue;
    const core::Membership::Peer& known = membership.peer(node);
    const core::Replication::PeerFigures figures = replication.figures(node);
    PeerStatus peer;
    peer.id = cluster.id(node);
    peer.state = core::Membership::name_of(known.state);
    peer.epoch = known.epoch;
    peer.full = known.full;
    peer.hollow = membership.up(node) && known.hollow;
    peer.same_list = membership.same_list(node);
    peer.twin = twins.of(node);
    peer.other_version = membership.other_version(node);
    peer.awaited = anti_entropy.awaits(node);
    peer.settled = membership.up(node) && anti_entropy.settled(node);
    peer.lag_strokes = figures.lag_strokes;
    peer.window_bytes = figures.window_bytes;
    peer.clock_offset_ms = known.clock_offset_ms;
    peer.interest_channels = interest.size(node);
    peer.interest_hints = interest.hints(node);
    peer.forwarded_interest = figures.forwarded_interest;
    peer.forwarded_durability = figures.forwarded_durability;
    peer.received_strokes = received_strokes[node];
    peer.frames_sent = links.frames_sent(node);
    peer.frames_received = links.frames_received(node);
    peer.frames_lost = links.frames_lost(node);
    peer.antientropy_bytes = figures.offer_bytes + anti_entropy.bytes(node);
    status.peers.push_back(std::move(peer));
  }
  const core::Sessions::Figures figures = sessions.figures();
  status.connections = figures.connections;
  status.subscriptions = figures.subscriptions;
  status.lagging_subscriptions = figures.lagging;
  status.strokes_delivered = figures.strokes_delivered;
  status.signals_delivered = figures.signals_delivered;
  status.channels = log.held_channels();
  status.channel_origins_max = log.channel_origins_max();
  status.interest_channels = interest.size();
  status.strokes_accepted = publishing.accepted();
  status.duplicates = publishing.duplicates();
  status.acks_waiting = acks.waiting();
  status.retries_held = retries.held();
  status.pulls_under_way = sync.under_way();
  status.pages_waiting = history.asked();
  status.damaged_records = repairs.wanted();
  status.standins = replication.channels_with_standins();
  status.pulls = sync.pulls();
  status.forks = forks;
  status.repairs = repairs.repaired();
  status.tail_bytes = log.tail_bytes();
  return status;
}

std::vector<Waiting> Core::Parts::waiting() const {
  std::vector<Waiting> all;
  const auto add = [&all](Waiting::What what, const ChannelLog& of) -> Waiting& {
    Waiting& added = all.emplace_back();
    added.what = what;
    added.channel = of.name;
    return added;
  };
  const auto add_stroke = [&add](Waiting::What what, const ChannelLog& of, const Origin& origin, Seq seq) -> Waiting& {
    Waiting& added = add(what, of);
    added.origin = origin;
    added.seq = seq;
    return added;
  };
  for (const auto& [key, channel] : log.channels()) {
    for (const NodeIx standin : channel->standins)
      add(Waiting::What::standin, *channel).peer = cluster.id(standin);
    for (const auto& [origin, origin_log] : channel->origins) {
      if (!origin_log.tail.empty()) add_stroke(Waiting::What::stroke, *channel, origin, origin_log.tail_first());
      if (!origin_log.waiters.empty()) {
        add_stroke(Waiting::What::author, *channel, origin, origin_log.waiters.front().seq);
      }
      for (const PeerMark& mark : origin_log.marks) {
        const Seq next = (mark.life == membership.life(mark.node) ? mark.stored : 0) + 1;
        const NodeId& peer = cluster.id(mark.node);
        if (mark.expected) add_stroke(Waiting::What::confirmation, *channel, origin, next).peer = peer;
        const bool sent = mark.unconfirmed != 0 && mark.sent > mark.stored;
        if (sent) add_stroke(Waiting::What::window, *channel, origin, next).peer = peer;
      }
    }
  }
  for (const auto& [client, channel] : sessions.lagging())
    add(Waiting::What::subscriber, *channel).client = client;
  return all;
}

}  // namespace inkmesh
