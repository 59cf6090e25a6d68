#include "network.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace inkmesh::sim {
namespace {

std::uint64_t strokes_in(const Frame& frame) {
  std::uint64_t strokes = 0;
  for (const LinkMessage& message : frame.messages) {
    if (const auto* run = std::get_if<StrokeRun>(&message)) strokes += run->strokes.size();
  }
  return strokes;
}

}  // namespace

Network::Network(Agenda& agenda, Random random, const Options& options, Ports ports)
    : agenda_(agenda),
      random_(random),
      options_(options),
      ports_(std::move(ports)),
      nodes_(options.nodes),
      links_(static_cast<std::size_t>(options.nodes) * options.nodes),
      node_up_(options.nodes, false),
      gossip_loss_per_mille_(options.gossip_loss_per_mille) {}

SimUs Network::delay() {
  // Most messages take about the least; some take long.
  const SimUs spread = options_.link_us_max - options_.link_us_min;
  return options_.link_us_min + random_.below(1 + (random_.chance(900) ? spread / 8 : spread));
}

// ---- sending
// ----------------------------------------------------------------------------------------------------------

void Network::send(NodeIndex from, NodeIndex to, Frame&& frame) {
  if (on_frame) on_frame(from, to, frame);
  Link& way = link(from, to);
  way.strokes += strokes_in(frame);
  if (!way.up || way.losing) return;
  auto shared = std::make_shared<Frame>(std::move(frame));
  if (!way.is_cut) {
    travel(from, to, std::move(shared));
  } else if (way.held.size() < kHeldMax) {
    way.held.push_back(std::move(shared));
  } else {
    choke(from, to);
  }
}

void Network::travel(NodeIndex from, NodeIndex to, FramePtr frame) {
  Link& way = link(from, to);
  way.last_arrival = std::max(way.last_arrival, agenda_.now() + delay());
  agenda_.at(way.last_arrival, [this, from, to, flight = way.in_flight, frame = std::move(frame)] {
    if (link(from, to).in_flight != flight || !node_up_[to]) return;
    ports_.feed(to, FrameReceived{std::move(*frame)});
  });
}

void Network::gossip(NodeIndex from, const GossipMessage& message) {
  const auto shared = std::make_shared<const GossipMessage>(message);
  for (NodeIndex to = 0; to < nodes_; ++to) {
    Link& way = link(from, to);
    if (to == from || way.is_cut || agenda_.now() < way.gossip_from) continue;
    if (random_.chance(gossip_loss_per_mille_)) {
      way.hurt_at = agenda_.now();
      continue;
    }
    way.last_gossip = std::max(way.last_gossip, agenda_.now() + delay());
    agenda_.at(way.last_gossip, [this, from, to, shared] {
      if (node_up_[to] && !link(from, to).is_cut) ports_.feed(to, GossipReceived{*shared});
    });
  }
}

void Network::flush_held(NodeIndex from, NodeIndex to) {
  std::deque<FramePtr> held = std::exchange(link(from, to).held, {});
  for (FramePtr& frame : held)
    travel(from, to, std::move(frame));
}

// ---- connections
// ------------------------------------------------------------------------------------------------------

void Network::notice_later(NodeIndex from, NodeIndex to, SimUs delay_us) {
  Link& way = link(from, to);
  agenda_.after(delay_us, [this, from, to, breaks = ++way.breaks] {
    if (link(from, to).breaks == breaks) disconnect(from, to);
  });
}

void Network::disconnect(NodeIndex from, NodeIndex to) {
  Link& way = link(from, to);
  ++way.breaks;
  way.losing = false;
  if (!std::exchange(way.up, false)) return;
  if (!random_.chance(300)) way.held.clear();
  if (node_up_[from]) ports_.feed(from, PeerDisconnected{ports_.id(to)});
  try_connect(from, to);
}

void Network::try_connect(NodeIndex from, NodeIndex to) {
  Link& way = link(from, to);
  if (way.connecting || way.up || way.is_cut || !node_up_[from] || !node_up_[to]) return;
  way.connecting = true;
  agenda_.after(random_.between(500, options_.reconnect_us_max), [this, from, to] {
    Link& then = link(from, to);
    then.connecting = false;
    if (then.up || then.is_cut || !node_up_[from] || !node_up_[to]) return;
    then.up = true;
    then.hurt_at = agenda_.now();
    flush_held(from, to);
    ports_.feed(from, PeerConnected{ports_.id(to)});
  });
}

void Network::node_started(NodeIndex node) {
  node_up_[node] = true;
  for (NodeIndex peer = 0; peer < nodes_; ++peer) {
    if (peer == node) continue;
    for (const auto& [from, to] : {std::pair(node, peer), std::pair(peer, node)}) {
      link(from, to).gossip_from = agenda_.now() + random_.below(500'000);
      // A connection to the former process is refused by the new one.
      if (link(from, to).losing) notice_later(from, to, random_.below(200'000));
      try_connect(from, to);
    }
  }
}

void Network::node_stopped(NodeIndex node, bool noticed_at_once) {
  node_up_[node] = false;
  for (NodeIndex peer = 0; peer < nodes_; ++peer) {
    if (peer == node) continue;
    Link& in = link(peer, node);
    ++in.in_flight;
    in.held.clear();
    if (in.up) {
      in.losing = true;
      notice_later(peer, node, random_.below(noticed_at_once ? 20'000 : options_.detect_us_max));
    }
    Link& out = link(node, peer);
    ++out.breaks;
    out.up = out.losing = false;
    out.held.clear();
    if (random_.chance(500)) ++out.in_flight;
  }
}

// ---- faults
// -----------------------------------------------------------------------------------------------------------

void Network::cut(NodeIndex from, NodeIndex to) {
  Link& way = link(from, to);
  if (std::exchange(way.is_cut, true)) return;
  if (way.up && !way.losing) notice_later(from, to, random_.between(10'000, options_.detect_us_max));
}

void Network::heal(NodeIndex from, NodeIndex to) {
  Link& way = link(from, to);
  if (!std::exchange(way.is_cut, false)) return;
  way.hurt_at = agenda_.now();
  way.gossip_from = std::max(way.gossip_from, agenda_.now() + random_.below(500'000));
  if (way.up && !way.losing) {
    ++way.breaks;
    flush_held(from, to);
  }
  try_connect(from, to);
}

void Network::heal_all() {
  for (NodeIndex from = 0; from < nodes_; ++from) {
    for (NodeIndex to = 0; to < nodes_; ++to)
      heal(from, to);
  }
}

void Network::reset(NodeIndex from, NodeIndex to) {
  Link& way = link(from, to);
  if (!way.up || way.losing) return;
  ++way.in_flight;
  way.held.clear();
  way.losing = true;
  notice_later(from, to, random_.below(50'000));
}

void Network::choke(NodeIndex from, NodeIndex to) {
  Link& way = link(from, to);
  if (way.up && !way.losing) disconnect(from, to);
}

}  // namespace inkmesh::sim
