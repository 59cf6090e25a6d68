// What the core does with what peers say: gossip, and each message of a frame.
#include <algorithm>
#include <utility>
#include <variant>

#include "core/mutation.h"
#include "core/parts.h"

namespace inkmesh {

using core::ChannelLog;
using core::mutated;
using core::Mutation;
using core::NodeIx;
using core::OriginLog;

namespace {

/// A stroke that a home has heard of is on its way from its origin: only if it does not come is it asked for.
constexpr MonotonicMs kOnItsWayMs = 100;
constexpr MonotonicMs kStoreBehindMs = 250;

}  // namespace

// ---- peers come and go ----------------------------------------------------------------------------------------------

bool Core::Parts::heard(NodeIx peer, const Epoch& epoch) {
  const Epoch former = membership.peer(peer).epoch;
  switch (membership.heard(peer, epoch)) {
    case core::Membership::Heard::ignored:
      twins.late(peer, epoch);
      return false;
    case core::Membership::Heard::known:
      return true;
    case core::Membership::Heard::reborn:
      begins_life(peer, epoch, former);
      return true;
    case core::Membership::Heard::returned:
      links.restart(peer);
      replication.link_lost(peer);
      lost_something(peer);
      count_again();
      return true;
  }
  return true;
}

void Core::Parts::begins_life(NodeIx peer, const Epoch& epoch, const Epoch& former) {
  lives.met(peer, epoch);
  interest.forget(peer);
  presence.peer_gone(peer);
  serving.forget(peer);
  links.restart(peer);
  retries.linked(peer);
  replication.reborn(peer);
  lost_something(peer);
  twins.turned(peer, former);
}

void Core::Parts::count_again() {
  // What the peer confirmed before it went down counts again, and is not confirmed a second time.
  if (acks.waiting() == 0) return;
  for (const auto& [key, channel] : log.channels()) {
    for (auto& [origin, origin_log] : channel->origins)
      acks.check(*channel, origin_log);
  }
}

void Core::Parts::lost_something(NodeIx peer) {
  sync.link_lost(peer);
  presence.lost_something(peer);
  if (membership.up(peer)) anti_entropy.begin(peer);
}

void Core::Parts::went_down(NodeIx peer) {
  presence.peer_gone(peer);
  serving.forget(peer);
  replication.link_lost(peer);
  sync.link_lost(peer);
}

void Core::Parts::on(const PeerConnected& event) {
  const auto peer = cluster.find(event.peer);
  if (!peer) return;
  membership.linked(*peer, true);
  links.restart(*peer);
  retries.linked(*peer);
  replication.link_lost(*peer);
  lost_something(*peer);
}

void Core::Parts::on(const OtherVersion& event) {
  if (const auto peer = cluster.find(event.peer); peer && *peer != cluster.self()) {
    membership.other_version(*peer, event.version);
  }
}

void Core::Parts::on(const PeerDisconnected& event) {
  const auto peer = cluster.find(event.peer);
  if (!peer) return;
  membership.linked(*peer, false);
  links.restart(*peer);
  replication.link_lost(*peer);
  sync.link_lost(*peer);
}

// ---- gossip ---------------------------------------------------------------------------------------------------------

void Core::Parts::on(const GossipReceived& event) {
  const GossipMessage& message = event.message;
  const auto peer = cluster.find(message.node);
  if (!peer) membership.stranger(message.node);
  if (!peer || *peer == cluster.self() || !heard(*peer, message.epoch)) return;
  if (const auto* beat = std::get_if<Heartbeat>(&message.body)) {
    membership.heartbeat(*peer, *beat);
    twins.told(*peer, beat->twins);
    interest_changed(*peer, interest.check(*peer, beat->interest_version, beat->interest_digest));
  } else {
    interest_changed(*peer, interest.apply(*peer, std::get<InterestDelta>(message.body)));
  }
}

void Core::Parts::interest_changed(NodeIx peer, const core::Interest::Change& change) {
  if (change.ask) links.send(peer, InterestWant{});
  for (const std::uint64_t channel : change.opened)
    presence.peer_opened(peer, channel);
  for (const std::uint64_t channel : change.closed)
    presence.peer_closed(peer, channel);
}

// ---- frames ---------------------------------------------------------------------------------------------------------

void Core::Parts::on(FrameReceived& event) {
  Frame& frame = event.frame;
  const auto peer = cluster.find(frame.node);
  if (!peer) membership.stranger(frame.node);
  if (!peer || *peer == cluster.self()) return;
  const bool known = heard(*peer, frame.epoch);
  // Whom we do not listen to may still say that he is there.
  for (const LinkMessage& message : frame.messages) {
    const auto* here = std::get_if<StillHere>(&message);
    if (here == nullptr || !twins.answered(*peer, frame.epoch, *here, event.address)) continue;
    const Epoch former = membership.peer(*peer).epoch;
    membership.listen_to(*peer, frame.epoch);
    begins_life(*peer, frame.epoch, former);
  }
  if (!known) return;
  twins.reached();
  if (links.arrived(*peer, frame) == core::Links::Arrival::after_loss) lost_something(*peer);
  for (LinkMessage& message : frame.messages) {
    std::visit([this, from = *peer](auto& said) { on(from, said); }, message);
  }
}

void Core::Parts::on(NodeIx peer, const WhoIsThere& message) {
  twins.asked(peer, message);
}

void Core::Parts::on(NodeIx /*peer*/, const StillHere& /*message*/) {}

void Core::Parts::on(NodeIx peer, const InterestWant&) {
  InterestFull full = interest.full();
  const std::size_t bytes = 16 + full.channels.size() * 8;
  links.send(peer, std::move(full), bytes);
}

void Core::Parts::on(NodeIx peer, const InterestFull& message) {
  interest_changed(peer, interest.apply(peer, message));
}

void Core::Parts::on(NodeIx peer, StrokeRun& run) {
  received_strokes[peer] += run.strokes.size();
  if (run.repair) {
    repairs.on_run(run);
    return;
  }
  ChannelLog& channel = log.open(run.channel());
  OriginLog& origin_log = channel.of(run.origin());
  const Seq last = run.strokes.back()->seq;
  const bool lacking = last > origin_log.appended;
  if (run.origin() == log.own() && lacking) {
    ++forks;
    turn.say(Severity::error, "peer " + cluster.id(peer) + " has strokes of " + run.origin() + " in " + run.channel() +
                                  " that this node never numbered: another process runs in its name");
    return;
  }
  const TimeUs ts = run.strokes.back()->ts;
  if (ts > turn.now().wall_us + core::kTsLeadMaxUs) membership.ahead(run.origin(), ts);
  // An asynchronous node may have shown what it then did not store.
  const bool set_back = lacking && settings.durability == Durability::sync && lives.set_back_within(run.origin());
  if (set_back) {
    turn.say(Severity::warning, "peer " + cluster.id(peer) + " has strokes that this node wrote in its last life (" +
                                    run.origin() +
                                    "), and the store lacks them: it was set back, and what it lacks is " + "fetched");
    anti_entropy.became_hollow(HollowBecause::set_back);
  }
  const core::Log::Accepted accepted = log.accept(channel, run, peer);
  sessions.show(channel, accepted.fresh);
  // What is pushed live past a gap says nothing of the pull that is to fill it.
  if (accepted.gap_before == 0) sync.on_run(peer, channel, run.origin());
  if (accepted.known) replication.confirm(peer, channel, origin_log, origin_log.committed);
  if (mutated(Mutation::confirm_before_commit)) replication.confirm(peer, channel, origin_log, last);
  if (accepted.gap_before != 0) sync.hear_of(peer, channel, run.origin(), last, 0);
  if (accepted.refused) sync.hear_of(peer, channel, run.origin(), last, kStoreBehindMs);
}

void Core::Parts::on(NodeIx peer, const Stored& message) {
  for (const Stored::Entry& entry : message.entries) {
    ChannelLog& channel = log.open(entry.channel);
    replication.stored(peer, channel, channel.of(entry.origin), entry.seq);
    // Who only has a copy tells of it to nobody by itself, and an author may wait for ours beside it.
    if (acks.waits_again(channel)) sync.hear_of(peer, channel, entry.origin, entry.seq, 0);
  }
}

void Core::Parts::on(NodeIx peer, const Heads& message) {
  for (const Heads::Entry& entry : message.entries) {
    const std::uint64_t hash = channel_hash(entry.channel);
    ChannelLog* channel = log.find(entry.channel);
    if (channel == nullptr) {
      // Of a channel that is not held here only a home or a subscriber wants to hear.
      const auto homes = cluster.homes(hash);
      const bool home = std::find(homes.begin(), homes.end(), cluster.self()) != homes.end();
      if (!home && !interest.ours(hash)) continue;
      channel = &log.open(entry.channel);
    }
    const bool keeps = channel->self_home || interest.ours(hash);
    for (const auto& [origin, seq] : entry.heads.seqs()) {
      replication.stored(peer, *channel, channel->of(origin), seq);
      if (keeps) sync.hear_of(peer, *channel, origin, seq, kOnItsWayMs);
    }
  }
}

void Core::Parts::on(NodeIx peer, const Offer& message) {
  for (const Offer::Entry& entry : message.entries) {
    ChannelLog& channel = log.open(entry.channel);
    for (const Offer::Head& head : entry.heads) {
      OriginLog& ours = channel.of(head.origin);
      if (ours.committed == head.seq && ours.chain_committed != head.chain) {
        ++forks;
        turn.say(Severity::error, "fork: " + entry.channel + ", " + head.origin + " " + std::to_string(head.seq) +
                                      " has other contents at peer " + cluster.id(peer));
      }
      if (ours.committed >= head.seq) {
        replication.confirm(peer, channel, ours, ours.committed);
      } else if (ours.appended < head.seq) {
        sync.hear_of(peer, channel, head.origin, head.seq, 0);
      }
    }
  }
}

void Core::Parts::on(NodeIx peer, const StoredWant& message) {
  ChannelLog* channel = log.find(message.channel);
  if (channel == nullptr) return;
  for (auto& [origin, origin_log] : channel->origins) {
    if (origin_log.committed != 0) replication.confirm(peer, *channel, origin_log, origin_log.committed);
  }
}

void Core::Parts::on(NodeIx peer, Pull& message) {
  if (message.interested) interest_changed(peer, interest.hint(peer, channel_hash(message.channel)));
  serving.on_pull(peer, std::move(message));
}

void Core::Parts::on(NodeIx peer, const PullDone& message) {
  sync.on_pull_done(peer, log.open(message.channel), message);
}

void Core::Parts::on(NodeIx peer, const Fetch& message) {
  serving.on_fetch(peer, message);
}

void Core::Parts::on(NodeIx peer, const StoreFull&) {
  membership.set_full(peer, true);
}

void Core::Parts::on(NodeIx peer, const Digest& message) {
  anti_entropy.on_digest(peer, message);
}

void Core::Parts::on(NodeIx peer, const DigestReply& message) {
  anti_entropy.on_reply(peer, message);
}

void Core::Parts::on(NodeIx peer, const SettleAsk& message) {
  if (lives.lacks(message.knew)) {
    const bool twin = twins.is_rival(message.knew);
    const std::string met = "peer " + cluster.id(peer) + " has met this node as " + message.knew;
    turn.say(Severity::warning,
             met + (twin ? ", which was another process: what that one may have confirmed is fetched"
                         : ", of which the store has no trace: it was lost or put back, and what it lacks is fetched"));
    anti_entropy.became_hollow(twin ? HollowBecause::twin : HollowBecause::lost_life);
  }
  anti_entropy.on_settle_ask(peer, message);
}

void Core::Parts::on(NodeIx peer, const SettleDone& message) {
  anti_entropy.on_settle_done(peer, message);
}

void Core::Parts::on(NodeIx peer, const OpAsk& message) {
  serving.on_op_ask(peer, message);
}

void Core::Parts::on(NodeIx peer, const OpAnswer& message) {
  publishing.on_op_answer(peer, message);
}

void Core::Parts::on(NodeIx, const SignalMessage& message) {
  if (ChannelLog* channel = log.find(message.channel)) {
    sessions.signal(0, *channel, message.client, message.data);
  }
}

void Core::Parts::on(NodeIx peer, const PresenceFull& message) {
  presence.on_full(peer, message);
}

void Core::Parts::on(NodeIx peer, const PresenceDelta& message) {
  presence.on_delta(peer, message);
}

void Core::Parts::on(NodeIx peer, const PresenceWant& message) {
  presence.on_want(peer, message);
}

}  // namespace inkmesh
