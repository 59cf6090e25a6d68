#include "core/twins.h"

#include <algorithm>
#include <utility>

namespace inkmesh::core {
namespace {

std::string named(const Epoch& epoch, const std::string& address) {
  return "epoch " + epoch + (address.empty() ? "" : " at " + address);
}

std::string when(bool later) {
  return later ? "started later" : "started earlier";
}

}  // namespace

// ---- a peer's lives -------------------------------------------------------------------------------------------------

Twins::Life* Twins::find(std::vector<Life>& lives, const Epoch& epoch) {
  const auto it = std::find_if(lives.begin(), lives.end(), [&](const Life& life) { return life.epoch == epoch; });
  return it == lives.end() ? nullptr : &*it;
}

void Twins::turned(NodeIx node, const Epoch& former) {
  Peer& peer = peers_[node];
  const Epoch& present = membership_.peer(node).epoch;
  Life life;
  life.epoch = present;
  if (const Life* known = find(peer.others, present)) {
    life = *known;
    peer.others.erase(peer.others.begin() + (known - peer.others.data()));
  }
  const Life before = std::exchange(peer.heard, std::move(life));
  if (!former.empty()) doubt(node, former);
  if (Life* other = find(peer.others, former)) {
    other->started_ms = before.started_ms;
    other->address = before.address;
  }
  // Only who has answered since both were heard of is known to run beside the other.
  peer.heard.answered_ms = 0;
  for (Life& other : peer.others)
    other.answered_ms = 0;
}

void Twins::late(NodeIx node, const Epoch& epoch) {
  if (Life* other = find(peers_[node].others, epoch)) {
    other->sign_ms = turn_.ms();
  } else {
    doubt(node, epoch);
  }
}

void Twins::doubt(NodeIx node, const Epoch& epoch) {
  Peer& peer = peers_[node];
  if (peer.others.size() >= kOthersMax) return;
  Life life;
  life.epoch = epoch;
  life.sign_ms = turn_.ms();
  peer.others.push_back(std::move(life));
  news_ = true;
  ask(node);
}

void Twins::ask(NodeIx node) {
  Peer& peer = peers_[node];
  peer.asked_ms = turn_.ms();
  for (const Life& other : peer.others)
    links_.send(node, WhoIsThere{membership_.peer(node).epoch, other.epoch});
}

void Twins::note(Life& life, const StillHere& answer, const std::string& address) {
  life.sign_ms = life.answered_ms = turn_.ms();
  life.started_ms = static_cast<std::int64_t>(turn_.ms()) - static_cast<std::int64_t>(answer.up_ms);
  life.address = address;
}

bool Twins::answered(NodeIx node, const Epoch& epoch, const StillHere& answer, const std::string& address) {
  Peer& peer = peers_[node];
  const Epoch& present = membership_.peer(node).epoch;
  if (epoch == present) {
    if (find(peer.others, answer.other) != nullptr) note(peer.heard, answer, address);
    return false;
  }
  Life* other = find(peer.others, epoch);
  if (other == nullptr || answer.other != present) return false;
  note(*other, answer, address);
  return answer.reached || !membership_.up(node);
}

std::optional<TwinStatus> Twins::of(NodeIx node) const {
  const Peer& peer = peers_[node];
  for (const Life& other : peer.others) {
    if (other.both) return TwinStatus{other.epoch, other.address, other.started_ms > peer.heard.started_ms};
  }
  return std::nullopt;
}

void Twins::look_at(NodeIx node) {
  Peer& peer = peers_[node];
  for (Life& other : peer.others) {
    const bool both = answers(other) && answers(peer.heard);
    if (both != other.both) news_ = true;
    if (both && (!other.both || turn_.ms() >= other.said_ms + kSayAgainMs)) {
      other.said_ms = turn_.ms();
      turn_.say(Severity::error,
                "two processes run as " + cluster_.id(node) + ": " + named(peer.heard.epoch, peer.heard.address) +
                    ", which this node listens to, and " + named(other.epoch, other.address) + ", " +
                    when(other.started_ms > peer.heard.started_ms) + ", to which it does not. Stop one of the two");
    } else if (!both && other.both) {
      turn_.say(Severity::info, "one process runs as " + cluster_.id(node) + " again");
    }
    other.both = both;
  }
  const auto silent = [this](const Life& other) { return turn_.ms() > other.sign_ms + kSilentMs; };
  peer.others.erase(std::remove_if(peer.others.begin(), peer.others.end(), silent), peer.others.end());
  if (turn_.ms() >= peer.asked_ms + kAskMs) ask(node);
}

std::vector<TwinLives> Twins::lives() const {
  std::vector<TwinLives> lives;
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    const Peer& peer = peers_[node];
    for (const Life& other : peer.others) {
      if (lives.size() >= kTwinLivesMax) return lives;
      lives.push_back({cluster_.id(node), peer.heard.epoch, other.epoch, peer.heard.address, other.address, other.both,
                       other.started_ms > peer.heard.started_ms});
    }
  }
  return lives;
}

// ---- our own --------------------------------------------------------------------------------------------------------

void Twins::answer(NodeIx to, const Epoch& other, bool reached) {
  links_.send(to, StillHere{other, reached, turn_.ms() - begun_ms_});
}

void Twins::asked(NodeIx by, const WhoIsThere& question) {
  if (question.heard == epoch_) answer(by, question.other, true);
  if (question.other != epoch_) return;
  rival_ = question.heard;
  answer(by, question.heard, true);
}

void Twins::told(NodeIx by, const std::vector<TwinLives>& told) {
  const MonotonicMs since_ms = std::exchange(peers_[by].shuts_out_since_ms, 0);
  for (const TwinLives& lives : told) {
    if (lives.node != cluster_.id(cluster_.self())) continue;
    const bool heard = lives.heard == epoch_;
    if (!heard && lives.other != epoch_) continue;
    if (!heard) rival_ = lives.heard;
    answer(by, heard ? lives.other : lives.heard, false);
    if (!lives.both) continue;
    told_ms_ = turn_.ms();
    ours_ = heard ? TwinStatus{lives.other, lives.other_address, lives.other_later}
                  : TwinStatus{lives.heard, lives.heard_address, !lives.other_later};
    if (!heard) {
      shut_ms_ = turn_.ms();
      peers_[by].shuts_out_since_ms = since_ms == 0 ? turn_.ms() : since_ms;
      shut_out_ = shut_out_ || turn_.ms() >= peers_[by].shuts_out_since_ms + kShutOutAfterMs;
    }
    if (heard || shut_out_) say_ours();
  }
}

void Twins::say_ours() {
  if (said_ms_ != 0 && said_shut_ == shut_out_ && turn_.ms() < said_ms_ + kSayAgainMs) return;
  said_ms_ = turn_.ms();
  said_shut_ = shut_out_;
  const std::string what = "another process runs as " + cluster_.id(cluster_.self()) + ": " +
                           named(ours_.epoch, ours_.address) + ", " + when(ours_.later);
  turn_.say(Severity::error, what + (shut_out_ ? ". The others listen to that one, not to this: this one takes no "
                                                 "clients. Stop one of the two"
                                               : ". The others listen to this one, not to that. Stop one of the two"));
}

std::optional<TwinStatus> Twins::ours() const {
  return told_ms_ == 0 ? std::nullopt : std::optional(ours_);
}

std::string Twins::why_shut_out() const {
  const NodeId& self = cluster_.id(cluster_.self());
  if (told_ms_ == 0) {
    return "twin: another process ran as " + self +
           ", and the others do not reach this one at the address that the cluster file gives";
  }
  return "twin: another process runs as " + self + (ours_.address.empty() ? "" : " at " + ours_.address) + ", " +
         when(ours_.later) + ", and the others listen to that one: stop one of the two";
}

void Twins::tick() {
  for (NodeIx node = 0; node < peers_.size(); ++node) {
    if (!peers_[node].others.empty()) look_at(node);
  }
  if (shut_out_ && turn_.ms() > shut_ms_ + kSilentMs && reached_ms_ > shut_ms_) {
    shut_out_ = false;
    turn_.say(Severity::info, "the others listen to this process again: it takes clients");
  }
  if (told_ms_ != 0 && turn_.ms() > told_ms_ + kSilentMs) {
    told_ms_ = said_ms_ = 0;
    turn_.say(Severity::info, "no other process runs as " + cluster_.id(cluster_.self()) + " any more");
  }
}

}  // namespace inkmesh::core
