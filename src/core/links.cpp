#include "core/links.h"

#include <algorithm>
#include <utility>

namespace inkmesh::core {

Links::Links(Turn& turn, const ClusterMap& cluster, Epoch epoch, std::uint64_t seed)
    : turn_(turn), cluster_(cluster), epoch_(std::move(epoch)), random_(seed), peers_(cluster.size()) {
  for (Peer& peer : peers_)
    peer.session = random_.next();
}

void Links::send(NodeIx peer, LinkMessage message, std::size_t bytes) {
  Peer& link = peers_[peer];
  if (link.next_bytes + bytes > kFrameBytes && !link.next.messages.empty()) flush(peer);
  if (!link.listed) {
    link.listed = true;
    spoken_to_.push_back(peer);
  }
  link.next.messages.push_back(std::move(message));
  link.next_bytes += bytes;
}

void Links::restart(NodeIx peer) {
  Peer& link = peers_[peer];
  link.session = random_.next();
  link.number = 0;
}

Links::Arrival Links::arrived(NodeIx peer, const Frame& frame) {
  Peer& link = peers_[peer];
  ++link.frames_received;
  const bool same_session = link.peer_epoch == frame.epoch && link.peer_session == frame.session;
  const bool in_order = same_session ? frame.number == link.peer_number + 1 : frame.number == 1;
  const bool first = link.peer_epoch != frame.epoch;
  if (same_session && frame.number > link.peer_number + 1) link.frames_lost += frame.number - link.peer_number - 1;
  link.peer_epoch = frame.epoch;
  link.peer_session = frame.session;
  link.peer_number = frame.number;
  // A new session within a life says that the peer knows of a loss; the first of a life says nothing of the kind.
  return in_order && (same_session || first) ? Arrival::in_order : Arrival::after_loss;
}

void Links::flush(NodeIx peer) {
  Peer& link = peers_[peer];
  if (link.next.messages.empty()) return;
  Frame frame = std::move(link.next);
  frame.node = cluster_.id(cluster_.self());
  frame.epoch = epoch_;
  frame.session = link.session;
  frame.number = ++link.number;
  link.next = Frame{};
  link.next_bytes = 0;
  ++link.frames_sent;
  turn_.emit(SendFrame{cluster_.id(peer), std::move(frame)});
}

void Links::flush() {
  std::sort(spoken_to_.begin(), spoken_to_.end());
  for (const NodeIx peer : spoken_to_) {
    peers_[peer].listed = false;
    flush(peer);
  }
  spoken_to_.clear();
}

}  // namespace inkmesh::core
