#include "inkmesh/core.h"

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

constexpr const char* kShutOut = "another process runs as this node";

/// Numbers of requests stay below 2^53, however long a life is.
std::uint64_t first_request(std::uint64_t seed, std::uint64_t of) {
  return core::mix(seed ^ of) >> 16;
}

}  // namespace

Core::Parts::Parts(const CoreSettings& given)
    : settings(given),
      cluster(given.nodes, given.self, given.replicas, given.ack),
      log(turn, cluster, make_origin(given.self, mutated(Mutation::reuse_epoch) ? Epoch("00000000") : given.epoch),
          given.durability, given.limits),
      interest(turn, cluster, given.limits.hints_of_peer),
      lives(turn, cluster, given.notes, given.epoch),
      membership(turn, cluster),
      links(turn, cluster, given.epoch, given.seed),
      twins(turn, cluster, membership, links, given.epoch),
      acks(turn, cluster, log, membership, links, given.limits.authors_waiting),
      replication(turn, cluster, log, interest, membership, links, acks, given.limits.window_bytes),
      anti_entropy(turn, cluster, log, lives, membership, links, replication, core::mix(given.seed)),
      sync(turn, cluster, log, interest, membership, links, replication, anti_entropy, given.limits,
           first_request(given.seed, 1)),
      serving(turn, cluster, log, links, anti_entropy, given.limits.pulls_waiting),
      repairs(turn, cluster, membership, links, given.limits.damaged_records),
      retries(turn, cluster, membership, links, given.limits.retries_held, first_request(given.seed, 2)),
      sessions(turn, log, sync, {given.channels_per_connection, given.outbox_bytes}),
      publishing(turn, log, membership, twins, sync, acks, retries, replication, sessions),
      presence(turn, cluster, log, interest, membership, links),
      history(turn, log, sync, given.limits.pages_asked),
      received_strokes(cluster.size()) {}

Core::Core(CoreSettings settings, const std::vector<StoredHead>& heads) : parts_(std::make_unique<Parts>(settings)) {
  parts_->log.load(heads);
  for (const StoredHead& head : heads)
    parts_->membership.holds(head.origin, head.ts);
  if (parts_->lives.hollow() && !mutated(Mutation::forget_lost_disk)) parts_->anti_entropy.began_hollow();
}

Core::~Core() = default;

void Core::step(Event event, const Now& now, Effects& effects) {
  Parts& parts = *parts_;
  parts.turn.begin(now, effects);
  if (parts.started_ms == 0) {
    parts.started_ms = now.monotonic_ms;
    parts.lives.begin();
    parts.log.begin();
    parts.twins.begin();
  }
  std::visit([&parts](auto& happened) { parts.on(happened); }, event);
}

void Core::end_turn(const Now& now, Effects& effects) {
  parts_->turn.begin(now, effects);
  parts_->end_turn();
}

MonotonicMs Core::next_wakeup() const {
  return parts_->sessions.pending() ? parts_->last_tick_ms : parts_->last_tick_ms + Parts::kTickMs;
}

bool Core::reading() const {
  return parts_->sessions.reading() || parts_->serving.reading();
}

std::vector<NodeId> Core::homes(const Channel& channel) const {
  std::vector<NodeId> homes;
  for (const NodeIx home : parts_->cluster.homes(channel_hash(channel)))
    homes.push_back(parts_->cluster.id(home));
  return homes;
}

std::vector<StoredHead> Core::committed(const Channel& channel) const {
  std::vector<StoredHead> heads;
  const ChannelLog* log = parts_->log.find(channel);
  if (log == nullptr) return heads;
  for (const auto& [origin, origin_log] : log->origins) {
    if (origin_log.committed == 0) continue;
    heads.push_back({channel, origin, origin_log.committed, origin_log.chain_committed, origin_log.ts});
  }
  return heads;
}

// ---- the end of a turn ----------------------------------------------------------------------------------------------

void Core::Parts::end_turn() {
  log.flush();
  sessions.flush();
  if (auto delta = interest.flush()) gossip(std::move(*delta));
  presence.flush();
  replication.flush();
  links.flush();
  log.trim_turn();
}

// ---- clients --------------------------------------------------------------------------------------------------------

void Core::Parts::on(const ConnOpened& event) {
  sessions.opened(event);
  if (sent_away) turn.emit(SendAway{event.conn, kShutOut});
}

void Core::Parts::on(const ConnClosed& event) {
  for (ChannelLog* channel : sessions.closed(event.conn))
    close_channel(event.conn, *channel);
}

void Core::Parts::close_channel(ConnId conn, ChannelLog& channel) {
  if (interest.closed(channel.hash)) sync.closed(channel);
  presence.left(conn, channel);
}

void Core::Parts::on(const Written& event) {
  sessions.written(event);
}

void Core::Parts::on(const Subscribe& event) {
  if (interest.size() >= kInterestChannelsMax && !interest.ours(channel_hash(event.channel))) {
    // What a node has open must fit into one message to its peers.
    turn.emit(SendError{event.conn, event.id, ErrorCode::unavailable,
                        "this node has " + std::to_string(kInterestChannelsMax) + " channels open, as many as it can",
                        kFullNodeRetryMs});
    return;
  }
  ChannelLog& channel = log.open(event.channel);
  // First, so that a pull can say that we are interested; a refused or repeated one takes it back within the turn.
  interest.opened(channel.hash);
  if (sessions.subscribe(event, channel) != core::Sessions::Subscribed::fresh) {
    interest.closed(channel.hash);
    return;
  }
  presence.joined(event.conn, *sessions.client(event.conn), channel);
}

void Core::Parts::on(const Unsubscribe& event) {
  ChannelLog* channel = log.find(event.channel);
  if (channel == nullptr || !sessions.unsubscribe(event.conn, *channel)) {
    turn.emit(SendError{event.conn, event.id, ErrorCode::not_subscribed, "not subscribed to " + event.channel, 0});
    return;
  }
  close_channel(event.conn, *channel);
  turn.emit(SendUnsubscribed{event.conn, event.id, event.channel});
}

void Core::Parts::on(Publish& event) {
  publishing.publish(std::move(event));
}

void Core::Parts::on(const SignalSent& event) {
  const std::uint64_t hash = channel_hash(event.channel);
  if (ChannelLog* channel = log.find(event.channel)) {
    sessions.signal(event.conn, *channel, event.client, event.data);
  }
  for (const NodeIx peer : interest.interested(hash)) {
    const bool there = peer != cluster.self() && membership.up(peer);
    if (!there || !replication.has_room(peer)) continue;
    links.send(peer, SignalMessage{event.channel, event.client, event.data}, 64 + event.data.size());
  }
}

void Core::Parts::on(const PresenceAsk& event) {
  ChannelLog* channel = log.find(event.channel);
  if (channel == nullptr || !sessions.subscribed(event.conn, *channel)) {
    turn.emit(SendError{event.conn, event.id, ErrorCode::not_subscribed,
                        "presence is for subscribed channels: subscribe to " + event.channel + " first", 0});
    return;
  }
  presence.ask(event, *channel);
}

void Core::Parts::on(HistoryAsk& event) {
  history.ask(std::move(event));
}

// ---- the store ------------------------------------------------------------------------------------------------------

void Core::Parts::on(const Committed& event) {
  const auto items = log.committed(event.ticket);
  serving.store_answered();
  if (items.empty()) {
    repairs.committed(event.ticket);
    return;
  }
  for (const core::Log::CommittedItem& item : items) {
    if (item.from != core::kFromClient || item.origin_log->shown >= item.stroke->seq) continue;
    item.origin_log->shown = item.stroke->seq;
    sessions.show(*item.log, {item.stroke});
  }
  replication.committed(items);
}

void Core::Parts::on(const AppendFailed& event) {
  if (repairs.failed(event.ticket)) return;
  const auto items = log.failed(event.ticket);
  serving.store_answered();
  if (items.empty()) return;
  const bool full = event.error == AppendError::full;
  turn.say(Severity::error, std::string("the store took none of ") + std::to_string(items.size()) +
                                " strokes: " + (full ? "it is full" : "it failed"));
  if (full) publishing.refuse_for_space_until(turn.ms() + 2000);
  std::vector<bool> told(cluster.size());
  for (const core::Log::CommittedItem& item : items) {
    const Stroke& stroke = *item.stroke;
    if (item.from == core::kFromClient) {
      if (item.origin_log->shown >= stroke.seq) {
        turn.emit(Halt{"a stroke that was shown could not be stored: this epoch may not number another one like it"});
        return;
      }
      acks.refuse(*item.origin_log, stroke.seq, event.error);
      continue;
    }
    const bool forgets = mutated(Mutation::keep_shown_after_failure);
    if (item.origin_log->shown > item.origin_log->committed && !forgets) {
      sessions.rewind(*item.log);
      item.origin_log->shown = item.origin_log->committed;
    }
    if (full && !told[item.from]) links.send(item.from, StoreFull{});
    told[item.from] = true;
    sync.hear_of(item.from, *item.log, stroke.origin, stroke.seq, 1000);
  }
}

void Core::Parts::on(const ReadDone& event) {
  auto channel = sessions.on_read(event);
  if (!channel) channel = serving.on_read(event);
  if (!channel) channel = history.on_read(event);
  if (!channel) return;
  for (const ReadDone::Damaged& record : event.damaged)
    repairs.damaged(*channel, record);
}

void Core::Parts::on(const SinceFound& event) {
  if (!sessions.on_since(event)) history.on_since(event);
}

void Core::Parts::on(const OpFound& event) {
  if (!serving.on_op_found(event)) publishing.on_op_found(event);
}

void Core::Parts::on(const StoreFill& event) {
  publishing.refuse_for_space(event.refuse_publishes);
  turn.say(event.refuse_publishes ? Severity::error : Severity::info,
           event.refuse_publishes ? "the store is over 90 % full: publishes are refused, reads go on"
                                  : "the store has room again: publishes are taken");
}

// ---- the clock ------------------------------------------------------------------------------------------------------

void Core::Parts::on(const Tick&) {
  if (turn.ms() < last_tick_ms + kTickMs) return;
  last_tick_ms = turn.ms();
  for (const NodeIx peer : membership.tick())
    went_down(peer);
  // Once it has begun to take clients it is not starting any more, whatever it learns of its peers.
  started = started || starting() == nullptr;
  // Who was hollow and is not any more says so at once: others wait for it. So does who has heard of a twin.
  const bool was_hollow = anti_entropy.hollow();
  anti_entropy.tick();
  twins.tick();
  send_away_if_shut_out();
  const bool news = twins.take_news() || anti_entropy.hollow() != was_hollow;
  if (turn.ms() >= heartbeat_ms + core::kHeartbeatMs || news) {
    heartbeat_ms = turn.ms();
    send_heartbeat();
  }
  replication.tick();
  sync.tick();
  publishing.tick();
  acks.tick();
  sessions.tick();
  repairs.tick();
  history.tick();
  if (turn.ms() < tidy_ms + kTidyMs) return;
  tidy_ms = turn.ms();
  interest.tick();
  presence.tick();
  log.trim_quiet();
  log.forget_empty([this](ChannelLog& channel) { return !interest.ours(channel.hash) && sync.idle(channel); });
}

void Core::Parts::on(const Drain&) {
  publishing.drain();
  send_heartbeat();
}

void Core::Parts::send_heartbeat() {
  Heartbeat beat;
  beat.list_generation = cluster.generation();
  beat.interest_version = interest.version();
  beat.interest_digest = interest.digest();
  beat.connections = static_cast<std::uint32_t>(sessions.figures().connections);
  beat.wall_us = turn.now().wall_us;
  beat.full = publishing.out_of_space();
  beat.ready = not_ready_reasons().empty();
  beat.hollow = anti_entropy.hollow();
  beat.twins = twins.lives();
  gossip(std::move(beat));
}

void Core::Parts::send_away_if_shut_out() {
  if (twins.shut_out() == sent_away) return;
  sent_away = !sent_away;
  anti_entropy.set_shut_out(sent_away);
  if (!sent_away) return;
  for (const ConnId conn : sessions.connections())
    turn.emit(SendAway{conn, kShutOut});
}

void Core::Parts::gossip(std::variant<Heartbeat, InterestDelta> body) {
  turn.emit(SendGossip{GossipMessage{settings.self, settings.epoch, std::move(body)}});
}

}  // namespace inkmesh
