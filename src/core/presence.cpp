#include "core/presence.h"

#include <algorithm>
#include <utility>

#include "core/mutation.h"
#include "core/sorted.h"

namespace inkmesh::core {
namespace {

/// Each time a channel is opened anew its versions begin in a range of their own: a set that was lost in between
/// can't be taken for its successor.
constexpr std::uint64_t kVersionsPerOpening = std::uint64_t{1} << 24;
/// Of the empty set of a channel that nobody has open: below any opening's.
constexpr std::uint64_t kNobodysVersion = 1;

std::size_t bytes_of(const std::vector<PresenceEntry>& entries) {
  std::size_t bytes = 0;
  for (const PresenceEntry& entry : entries)
    bytes += entry.client.size() + 10;
  return bytes;
}

}  // namespace

Presence::Open& Presence::open(ChannelLog& log) {
  const auto [it, fresh] = opens_.try_emplace(&log);
  if (!fresh) return it->second;
  last_version_ += kVersionsPerOpening;
  it->second.version = last_version_;
  unsettled_ = true;
  for (const NodeIx peer : interest_.interested(log.hash)) {
    const bool asks = peer != cluster_.self() && membership_.up(peer) && interest_.known(peer);
    if (asks) links_.send(peer, PresenceWant{log.name});
  }
  return it->second;
}

void Presence::changed(ChannelLog& log, Open& open) {
  if (open.in_turn) return;
  open.in_turn = true;
  changed_.push_back(&log);
}

void Presence::count(ChannelLog& log, Open& open, const ClientName& client, NodeIx node, int by) {
  const Who who{client, node};
  std::uint32_t& count = open.counts[who];
  open.was_present.try_emplace(who, count > 0);
  count += static_cast<std::uint32_t>(by);
  if (count == 0) open.counts.erase(who);
  open.everyone.reset();
  changed(log, open);
}

void Presence::joined(ConnId conn, const ClientName& client, ChannelLog& log) {
  Open& here = open(log);
  if (!here.local.emplace(conn, client).second) return;
  // One that left in this turn has not left for its peers: a delta names nobody twice.
  const auto gone = std::find(here.went.begin(), here.went.end(), conn);
  if (gone != here.went.end()) {
    here.went.erase(gone);
  } else {
    here.came.emplace(conn, client);
  }
  count(log, here, client, cluster_.self(), 1);
}

void Presence::left(ConnId conn, ChannelLog& log) {
  const auto it = opens_.find(&log);
  if (it == opens_.end()) return;
  Open& here = it->second;
  // What it asked before it left is answered before.
  const auto unanswered = std::stable_partition(here.asked.begin(), here.asked.end(),
                                                [conn](const PresenceAsk& event) { return event.conn != conn; });
  for (auto event = unanswered; event != here.asked.end(); ++event)
    answer(*event, log, here);
  here.asked.erase(unanswered, here.asked.end());
  erase_sorted(here.watchers, conn);
  const auto local = here.local.find(conn);
  if (local == here.local.end()) return;
  const ClientName client = local->second;
  here.local.erase(local);
  if (here.came.erase(conn) == 0) here.went.push_back(conn);
  count(log, here, client, cluster_.self(), -1);
}

void Presence::ask(const PresenceAsk& event, ChannelLog& log) {
  // Answered with the turn: whoever goes and comes again within it is no change, and must not be missing here.
  Open& here = open(log);
  here.asked.push_back(event);
  changed(log, here);
}

void Presence::answer(const PresenceAsk& event, const ChannelLog& log, Open& open) {
  if (open.local.count(event.conn) != 0) {
    insert_sorted(open.watchers, event.conn);
  }
  // Thousands may ask at once, each to be told of thousands.
  std::shared_ptr<const std::vector<Present>> everyone = open.everyone.lock();
  if (!everyone) {
    std::vector<Present> clients;
    clients.reserve(open.counts.size());
    for (const auto& [who, count] : open.counts)
      clients.push_back({who.first, cluster_.id(who.second)});
    everyone = std::make_shared<const std::vector<Present>>(std::move(clients));
    open.everyone = everyone;
  }
  turn_.emit(SendPresence{event.conn, event.id, log.name, std::move(everyone)});
}

// ---- the peers' sets ------------------------------------------------------------------------------------------------

void Presence::forget_remote(ChannelLog& log, Open& open, NodeIx peer) {
  const auto it = open.remote.find(peer);
  if (it == open.remote.end()) return;
  const Remote remote = std::move(it->second);
  open.remote.erase(it);
  for (const auto& [conn, client] : remote.present)
    count(log, open, client, peer, -1);
}

void Presence::on_full(NodeIx peer, const PresenceFull& full) {
  ChannelLog* log = log_.find(full.channel);
  if (log == nullptr) return;
  const auto it = opens_.find(log);
  if (it == opens_.end()) return;
  Open& here = it->second;
  settle_until_ms_ = turn_.ms() + kSettleMs;
  const auto known = here.remote.find(peer);
  const auto same = [](const auto& one, const PresenceEntry& entry) {
    return one.first == entry.conn && one.second == entry.client;
  };
  // After every broken link sets are asked for anew, and mostly nobody has come or gone.
  if (known != here.remote.end() && std::equal(known->second.present.begin(), known->second.present.end(),
                                               full.present.begin(), full.present.end(), same)) {
    known->second.version = full.version;
    return;
  }
  forget_remote(*log, here, peer);
  Remote& remote = here.remote[peer];
  remote.version = full.version;
  for (const PresenceEntry& entry : full.present) {
    if (remote.present.emplace(entry.conn, entry.client).second) count(*log, here, entry.client, peer, 1);
  }
}

void Presence::on_delta(NodeIx peer, const PresenceDelta& delta) {
  ChannelLog* log = log_.find(delta.channel);
  if (log == nullptr) return;
  const auto it = opens_.find(log);
  if (it == opens_.end()) return;
  Open& here = it->second;
  Remote& remote = here.remote[peer];
  if (remote.version != delta.from) {
    links_.send(peer, PresenceWant{delta.channel});
    return;
  }
  remote.version = delta.from + 1;
  if (mutated(Mutation::forget_presence_delta)) return;
  for (const PresenceEntry& entry : delta.joined) {
    if (remote.present.emplace(entry.conn, entry.client).second) count(*log, here, entry.client, peer, 1);
  }
  for (const ConnId conn : delta.left) {
    const auto found = remote.present.find(conn);
    if (found == remote.present.end()) continue;
    count(*log, here, found->second, peer, -1);
    remote.present.erase(found);
  }
}

void Presence::on_want(NodeIx peer, const PresenceWant& want) {
  ChannelLog* log = log_.find(want.channel);
  const auto it = log == nullptr ? opens_.end() : opens_.find(log);
  if (it != opens_.end()) {
    send_full_later(peer, *log, it->second);
  } else {
    links_.send(peer, PresenceFull{want.channel, kNobodysVersion, {}}, 32 + want.channel.size());
  }
}

void Presence::send_full_later(NodeIx peer, ChannelLog& log, Open& open) {
  open.full_to.insert(peer);
  changed(log, open);
}

void Presence::send_full(NodeIx peer, const ChannelLog& log, const Open& open) {
  PresenceFull full{log.name, open.version, {}};
  for (const auto& [conn, client] : open.local)
    full.present.push_back({conn, client});
  const std::size_t bytes = 32 + log.name.size() + bytes_of(full.present);
  links_.send(peer, std::move(full), bytes);
}

void Presence::peer_opened(NodeIx peer, std::uint64_t channel_hash) {
  unsettled_ = true;
  const auto [from, to] = opens_.equal_range(channel_hash);
  for (auto it = from; it != to; ++it)
    send_full_later(peer, *it->first, it->second);
}

void Presence::peer_gone(NodeIx peer) {
  for (auto& [log, open] : opens_)
    forget_remote(*log, open, peer);
}

void Presence::peer_closed(NodeIx peer, std::uint64_t channel_hash) {
  const auto [from, to] = opens_.equal_range(channel_hash);
  for (auto it = from; it != to; ++it)
    forget_remote(*it->first, it->second, peer);
}

void Presence::lost_something(NodeIx peer) {
  unsettled_ = true;
  for (auto& [log, open] : opens_) {
    const auto remote = open.remote.find(peer);
    if (remote != open.remote.end()) remote->second.version = 0;
  }
}

void Presence::tick() {
  if (!std::exchange(unsettled_, false) && turn_.ms() >= settle_until_ms_) return;
  for (auto& [log, open] : opens_) {
    forget_closed(*log, open);
    for (const NodeIx peer : interest_.interested(log->hash)) {
      if (peer == cluster_.self() || !membership_.up(peer)) continue;
      const auto remote = open.remote.find(peer);
      if (remote != open.remote.end() && remote->second.version != 0) continue;
      unsettled_ = true;
      if (interest_.known(peer)) links_.send(peer, PresenceWant{log->name});
    }
  }
}

void Presence::forget_closed(ChannelLog& log, Open& open) {
  // Its set came after the gossip that it has closed the channel, or that gossip was lost.
  std::vector<NodeIx> closed;
  for (const auto& [peer, remote] : open.remote) {
    unsettled_ = unsettled_ || !interest_.known(peer);
    if (!interest_.interested(peer, log.hash)) closed.push_back(peer);
  }
  for (const NodeIx peer : closed)
    forget_remote(log, open, peer);
}

// ---- the turn's end -------------------------------------------------------------------------------------------------

void Presence::flush() {
  std::vector<ChannelLog*> channels;
  channels.swap(changed_);
  for (ChannelLog* log : channels) {
    const auto it = opens_.find(log);
    Open& here = it->second;
    here.in_turn = false;
    if (!here.came.empty() || !here.went.empty()) tell_peers(*log, here);
    for (const NodeIx peer : here.full_to)
      send_full(peer, *log, here);
    here.full_to.clear();
    tell_watchers(*log, here);
    for (const PresenceAsk& event : here.asked)
      answer(event, *log, here);
    here.asked.clear();
    here.came.clear();
    here.went.clear();
    here.was_present.clear();
    if (here.local.empty()) opens_.erase(it);
  }
}

void Presence::tell_peers(ChannelLog& log, Open& open) {
  PresenceDelta delta{log.name, open.version, {}, open.went};
  ++open.version;
  for (const auto& [conn, client] : open.came)
    delta.joined.push_back({conn, client});
  const std::size_t bytes = 32 + log.name.size() + bytes_of(delta.joined) + delta.left.size() * 8;
  for (const NodeIx peer : interest_.interested(log.hash)) {
    if (peer == cluster_.self() || !membership_.up(peer) || open.full_to.count(peer) != 0) continue;
    links_.send(peer, delta, bytes);
  }
}

void Presence::tell_watchers(const ChannelLog& log, Open& open) {
  if (open.watchers.empty()) return;
  SendPresenceChange change{std::make_shared<const std::vector<ConnId>>(open.watchers), log.name, {}, {}};
  for (const auto& [who, was] : open.was_present) {
    const bool is = open.counts.count(who) != 0;
    if (is == was) continue;
    (is ? change.joined : change.left).push_back({who.first, cluster_.id(who.second)});
  }
  if (!change.joined.empty() || !change.left.empty()) turn_.emit(std::move(change));
}

}  // namespace inkmesh::core
