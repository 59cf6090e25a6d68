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

void AntiEntropy::begin(NodeIx node) {
  Peer& peer = peers_[node];
  peer.running = false;
  // What a former life of the peer had yet to confirm, a digest may find to be there in this one: nobody says so then.
  peer.outstanding.clear();
  peer.found_for = peer.ended_after = peer.answered;
  start_round(node);
  ask_anew(node);
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
  peer.began_after = last_question_;
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
    DigestNode next = peer.queue.back();
    peer.queue.pop_back();
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
  peer.ended_after = peer.began_after;
  check_confirmed(node);
  if (peer.ask_token != 0) check_asked(node, peer.of_all ? answered_by_all() : 0);
}

void AntiEntropy::on_settle_ask(NodeIx node, const SettleAsk& ask) {
  Peer& peer = peers_[node];
  if (ask.token == peer.done_token) {
    links_.send(node, SettleDone{ask.token});
    return;
  }
  if (ask.token == peer.ask_token) return;
  peer.ask_token = ask.token;
  peer.question = ++last_question_;
  peer.of_all = ask.hollow && !mutated(Mutation::settle_hollow_alone);
  // Fresh rounds: those under way may have begun before what the asker lost was here.
  if (peer.of_all) question_of_all_ = last_question_;
  start_round(node);
}

void AntiEntropy::check_confirmed(NodeIx node) {
  Peer& peer = peers_[node];
  // What is found later is waited for later: whoever goes on drawing would keep all waiting else.
  if (peer.found_for == peer.answered && peer.ended_after > peer.answered && peer.answered < wanted(peer)) {
    peer.outstanding = replication_.outstanding(node);
    peer.found_for = peer.ended_after;
  }
  while (!peer.outstanding.empty() && replication_.confirmed(node, peer.outstanding.back()))
    peer.outstanding.pop_back();
  if (peer.outstanding.empty()) peer.answered = peer.found_for;
}

AntiEntropy::Question AntiEntropy::answered_by_all() const {
  Question least = last_question_;
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (node != cluster_.self()) least = std::min(least, peers_[node].answered);
  }
  return least;
}

void AntiEntropy::check_asked(NodeIx node, Question by_all) {
  Peer& peer = peers_[node];
  if (peer.ask_token == 0 || peer.question > (peer.of_all ? by_all : peer.answered)) return;
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
  if (hollow_ || shut_out_ || membership_.mute() >= cluster_.ack() || membership_.lists_differ()) return false;
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (node != cluster_.self() && membership_.up(node) && !settled(node)) return false;
  }
  return true;
}

bool AntiEntropy::catching_up() const {
  // A hollow node is told so by nobody before all are there.
  if (hollow_ && membership_.mute() >= cluster_.ack()) return false;
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (node != cluster_.self() && membership_.speaks(node) && !peers_[node].settled) return true;
  }
  return false;
}

void AntiEntropy::check_refilled() {
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (node != cluster_.self() && !peers_[node].settled_once) return;
  }
  hollow_ = false;
  lives_.note_whole();
}

void AntiEntropy::became_hollow(HollowBecause because) {
  // Whole again as soon as everyone has been compared with, in this life: a crash before that must not forget it. Nor
  // may a return to the list whose mark the store still bears, where another one has made it hollow.
  lives_.note_hollow(because);
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
    const bool due = !peer.running && (turn_.ms() >= peer.began_ms + kRoundMs || peer.began_after < question_of_all_);
    if (unanswered || due) start_round(node);
    peer.settled_once = peer.settled_once || settled(node);
    if (!peer.settled && turn_.ms() >= peer.asked_ms + kSettleAgainMs) ask_settle(node);
  }
  for (NodeIx node = 0; node < peers_.size(); ++node)
    check_confirmed(node);
  const Question by_all = answered_by_all();
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (membership_.up(node)) check_asked(node, by_all);
  }
  if (hollow_) check_refilled();
}

}  // namespace inkmesh::core
