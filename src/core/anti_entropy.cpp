#include "core/anti_entropy.h"

#include <algorithm>

#include "core/mutation.h"

namespace inkmesh::core {
namespace {

constexpr unsigned kDepthMax = 16;
constexpr std::size_t kNodeBytes = 17;

std::uint64_t range_width(unsigned depth) {
  return depth == 0 ? 0 : std::uint64_t{1} << (64 - 4 * depth);
}

std::uint64_t child_prefix(std::uint64_t prefix, unsigned child_depth, unsigned child) {
  return prefix | (std::uint64_t{child} << (64 - 4 * child_depth));
}

}  // namespace

template <typename Visit>
void AntiEntropy::for_range(NodeIx peer, unsigned depth, std::uint64_t prefix, Visit visit) const {
  const std::uint64_t last = depth == 0 ? UINT64_MAX : prefix + (range_width(depth) - 1);
  const auto& channels = log_.channels();
  for (auto it = channels.lower_bound(ChannelKey{prefix, Channel{}}); it != channels.end(); ++it) {
    if (it->first.first > last) break;
    ChannelLog& log = *it->second;
    if (log.held() && log.self_home && log.is_home(peer)) visit(log);
  }
}

AntiEntropy::Range AntiEntropy::range(NodeIx peer, unsigned depth, std::uint64_t prefix) const {
  Range range;
  for_range(peer, depth, prefix, [&range](const ChannelLog& log) {
    range.hash ^= mix(log.hash ^ mix(log.state_hash));
    ++range.channels;
  });
  return range;
}

void AntiEntropy::begin(NodeIx peer) {
  peers_[peer].running = false;
  start_round(peer);
  for (Peer& asker : peers_)
    count_again(asker, peer);
  ask_anew(peer);
}

/// What a former life of the peer had yet to confirm, a digest may find to be there in this one: nobody says so then.
void AntiEntropy::count_again(Peer& asker, NodeIx peer) {
  const auto of_peer = [peer](const auto& each) { return each.first == peer; };
  const auto kept = std::remove_if(asker.outstanding.begin(), asker.outstanding.end(), of_peer);
  if (kept == asker.outstanding.end() && asker.rounds.count(peer) == 0) return;
  asker.outstanding.erase(kept, asker.outstanding.end());
  asker.rounds[peer] = peers_[peer].round;
}

void AntiEntropy::ask_anew(NodeIx peer) {
  peers_[peer].settled = false;
  peers_[peer].own_token = tokens_.next() | 1U;
  ask_settle(peer);
}

void AntiEntropy::ask_settle(NodeIx peer) {
  peers_[peer].asked_ms = turn_.ms();
  links_.send(peer, SettleAsk{peers_[peer].own_token, lives_.former(peer), hollow_});
}

// ---- the holder's side ----------------------------------------------------------------------------------------------

void AntiEntropy::start_round(NodeIx node) {
  Peer& peer = peers_[node];
  peer.running = true;
  ++peer.round;
  peer.began_ms = turn_.ms();
  peer.awaited = 0;
  peer.queue.clear();
  peer.queue.push_back(DigestNode{0, 0, 0});
  send_next(node);
}

void AntiEntropy::send_next(NodeIx node) {
  Peer& peer = peers_[node];
  Digest digest;
  digest.round = peer.round;
  while (!peer.queue.empty() && digest.nodes.size() < kNodesPerMessage) {
    DigestNode next = peer.queue.front();
    peer.queue.pop_front();
    next.hash = range(node, next.depth, next.prefix).hash;
    digest.nodes.push_back(next);
  }
  peer.awaited = digest.nodes.size();
  peer.sent_ms = turn_.ms();
  if (digest.nodes.empty()) {
    end_round(node);
    return;
  }
  const std::size_t bytes = 16 + digest.nodes.size() * kNodeBytes;
  peer.bytes += bytes;
  links_.send(node, std::move(digest), bytes);
}

void AntiEntropy::on_reply(NodeIx node, const DigestReply& reply) {
  Peer& peer = peers_[node];
  if (!peer.running || reply.round != peer.round) return;
  for (const DigestNode& child : reply.children) {
    const Range ours = range(node, child.depth, child.prefix);
    if (ours.channels == 0 || ours.hash == child.hash) continue;
    if (ours.channels <= kOfferAll || child.depth >= kDepthMax) {
      for_range(node, child.depth, child.prefix, [&](ChannelLog& log) { replication_.offer(node, log); });
    } else {
      peer.queue.push_back(DigestNode{child.depth, child.prefix, 0});
    }
  }
  send_next(node);
}

void AntiEntropy::end_round(NodeIx node) {
  Peer& peer = peers_[node];
  peer.running = false;
  peer.ended = peer.round;
  check_asked(node);
}

void AntiEntropy::on_settle_ask(NodeIx node, const SettleAsk& ask) {
  Peer& peer = peers_[node];
  if (ask.token == peer.done_token) {
    links_.send(node, SettleDone{ask.token});
    return;
  }
  if (ask.token == peer.ask_token) return;
  peer.ask_token = ask.token;
  peer.outstanding.clear();
  peer.rounds.clear();
  // Fresh rounds: those under way may have begun before what the asker lost was here.
  if (ask.hollow && !mutated(Mutation::settle_hollow_alone)) {
    for (NodeIx other = 0; other < peers_.size(); ++other) {
      if (other == cluster_.self() || other == node) continue;
      peers_[other].wanted = peer.rounds[other] = peers_[other].round + 1;
    }
  }
  start_round(node);
  peer.rounds[node] = peer.round;
}

void AntiEntropy::check_asked(NodeIx node) {
  Peer& peer = peers_[node];
  if (peer.ask_token == 0) return;
  for (auto it = peer.rounds.begin(); it != peer.rounds.end();) {
    if (peers_[it->first].ended < it->second) return;
    for (const Replication::Outstanding& each : replication_.outstanding(it->first))
      peer.outstanding.emplace_back(it->first, each);
    it = peer.rounds.erase(it);
  }
  while (!peer.outstanding.empty()) {
    const auto& [holder, what] = peer.outstanding.front();
    if (!replication_.confirmed(holder, what)) return;
    peer.outstanding.pop_front();
  }
  links_.send(node, SettleDone{peer.ask_token});
  peer.done_token = peer.ask_token;
  peer.ask_token = 0;
}

// ---- the home's side ------------------------------------------------------------------------------------------------

void AntiEntropy::on_digest(NodeIx node, const Digest& digest) {
  DigestReply reply;
  reply.round = digest.round;
  for (const DigestNode& theirs : digest.nodes) {
    if (range(node, theirs.depth, theirs.prefix).hash == theirs.hash) continue;
    const unsigned depth = std::min<unsigned>(theirs.depth + 1U, kDepthMax);
    const unsigned children = theirs.depth >= kDepthMax ? 1 : 16;
    for (unsigned child = 0; child < children; ++child) {
      const std::uint64_t prefix = children == 1 ? theirs.prefix : child_prefix(theirs.prefix, depth, child);
      reply.children.push_back(DigestNode{static_cast<std::uint8_t>(depth), prefix, range(node, depth, prefix).hash});
    }
  }
  const std::size_t bytes = 16 + reply.children.size() * kNodeBytes;
  peers_[node].bytes += bytes;
  links_.send(node, std::move(reply), bytes);
}

void AntiEntropy::on_settle_done(NodeIx node, const SettleDone& done) {
  Peer& peer = peers_[node];
  if (done.token != peer.own_token || peer.settled) return;
  peer.settled = true;
  turn_.say(Severity::debug, "peer " + cluster_.id(node) + " has handed over all that it holds for us");
}

bool AntiEntropy::settled() const {
  if (mutated(Mutation::settled_at_once)) return true;
  if (hollow_ || membership_.mute() >= cluster_.ack() || membership_.lists_differ()) return false;
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (node != cluster_.self() && membership_.up(node) && !settled(node)) return false;
  }
  return true;
}

void AntiEntropy::check_refilled() {
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (node != cluster_.self() && !peers_[node].settled_once) return;
  }
  hollow_ = false;
  lives_.note_whole(true);
}

void AntiEntropy::set_back() {
  // Whole again as soon as everyone has been compared with, in this life: a crash before that must not forget it.
  if (!hollow_) lives_.note_whole(false);
  hollow_ = true;
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    peers_[node].settled_once = false;
    if (node != cluster_.self()) ask_anew(node);
  }
}

void AntiEntropy::tick() {
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (node == cluster_.self() || !membership_.up(node)) continue;
    Peer& peer = peers_[node];
    const bool unanswered = peer.running && turn_.ms() >= peer.sent_ms + kReplyMs;
    const bool due = !peer.running && (turn_.ms() >= peer.began_ms + kRoundMs || peer.wanted > peer.round);
    if (unanswered || due) start_round(node);
    peer.settled_once = peer.settled_once || settled(node);
    if (!peer.settled && turn_.ms() >= peer.asked_ms + kSettleAgainMs) ask_settle(node);
    check_asked(node);
  }
  if (hollow_) check_refilled();
}

}  // namespace inkmesh::core
