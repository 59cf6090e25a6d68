#include "world.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "bounds.h"
#include "describe.h"

namespace inkmesh::sim {

World::World(const Options& options, bool record)
    : options_(options),
      random_(options.seed),
      checker_(agenda_, options_),
      network_(agenda_, random_.split(), options_,
               Network::Ports{[this](NodeIndex node, Event&& event) { nodes_[node]->feed(std::move(event)); },
                              [this](NodeIndex node) { return ids_[node]; }}),
      ack_watch_(agenda_, checker_, network_, options_, nodes_) {
  if (record) trace_.record();
  for (NodeIndex index = 0; index < options_.nodes; ++index)
    ids_.push_back("ws" + std::to_string(index + 1));
  for (NodeIndex index = 0; index < options_.nodes; ++index) {
    nodes_.push_back(std::make_unique<SimNode>(
        SimNode::Wiring{agenda_, trace_, checker_, network_, options_, ids_, ack_watch_}, index, random_.split()));
    checker_.watch(nodes_.back()->store());
  }
}

void World::start() {
  for (const auto& node : nodes_)
    node->start();
}

NodeIndex World::index_of(const NodeId& id) const {
  return static_cast<NodeIndex>(std::find(ids_.begin(), ids_.end(), id) - ids_.begin());
}

std::vector<NodeIndex> World::homes(const Channel& channel) const {
  std::vector<NodeIndex> homes;
  const auto up = std::find_if(nodes_.begin(), nodes_.end(), [](const auto& node) { return node->up(); });
  for (const NodeId& id : (*up)->core().homes(channel))
    homes.push_back(index_of(id));
  return homes;
}

SimClient& World::client(const ClientName& name, NodeIndex node) {
  clients_.push_back(std::make_unique<SimClient>(SimClient::Wiring{agenda_, trace_, checker_, options_, nodes_}, name,
                                                 node, random_.split()));
  clients_.back()->start();
  return *clients_.back();
}

void World::run_until(SimUs when) {
  while (!failed() && agenda_.step(when)) {
  }
}

bool World::run_until_true(const std::function<bool()>& done, SimUs at_most) {
  const SimUs until = now() + at_most;
  while (!done()) {
    if (failed() || !agenda_.step(until)) return false;
  }
  return true;
}

void World::lose_disk(NodeIndex node) {
  if (trace_.recording()) note(ids_[node] + " loses its disk");
  nodes_[node]->store().lose_disk();
  checker_.disk_lost();
}

void World::restore(NodeIndex node, const store::MemoryStore::Backup& backup) {
  if (trace_.recording()) note(ids_[node] + " starts on a backup");
  nodes_[node]->store().restore(backup);
  nodes_[node]->store().set_note({kWholeNote, std::string(name_of(HollowBecause::restored))});
}

void World::note(const std::string& text) {
  if (trace_.recording()) trace_.line(now(), {}, "== " + text);
}

// ---- coming together
// --------------------------------------------------------------------------------------------------

std::map<Channel, std::vector<bool>> World::interested() const {
  std::map<Channel, std::vector<bool>> interested;
  for (const auto& client : clients_) {
    if (!client->connected()) continue;
    for (const auto& [channel, subscription] : client->subscriptions()) {
      std::vector<bool>& nodes = interested[channel];
      nodes.resize(nodes_.size());
      nodes[client->node()] = nodes[client->node()] || subscription.wanted;
    }
  }
  return interested;
}

std::string World::apart_disks(const Channel& channel, const std::vector<bool>& interested) const {
  const Cursor all = checker_.stored(channel);
  const std::vector<NodeIndex> homes = this->homes(channel);
  for (NodeIndex index = 0; index < nodes_.size(); ++index) {
    const SimNode& node = *nodes_[index];
    if (!node.up()) continue;
    const bool home = std::find(homes.begin(), homes.end(), index) != homes.end();
    if (!home && !(index < interested.size() && interested[index])) continue;
    for (const auto& [origin, seq] : all.seqs()) {
      const Seq head = node.store().head(channel, origin);
      if (head < seq) {
        return node.id() + (home ? " (home)" : " (interested)") + " lacks " + origin + ":" + std::to_string(head + 1) +
               ", and somebody has up to " + origin + ":" + std::to_string(seq);
      }
    }
  }
  return {};
}

World::Apart World::apart_client(const SimClient& client) const {
  if (!client.connected()) return {{}, client.describe()};
  if (const Channel* channel = client.unacknowledged()) return {*channel, client.describe(*channel)};
  return {};
}

World::Apart World::apart() const {
  for (const auto& client : clients_) {
    if (Apart apart = apart_client(*client); !apart.empty()) return apart;
  }
  std::map<Channel, std::vector<bool>> interested = this->interested();
  for (const auto& [channel, truth] : checker_.channels()) {
    if (std::string text = apart_disks(channel, interested[channel]); !text.empty()) return {channel, std::move(text)};
    const Cursor all = checker_.stored(channel);
    for (const auto& client : clients_) {
      const auto found = client->subscriptions().find(channel);
      if (found == client->subscriptions().end() || !found->second.wanted) continue;
      const SimClient::Subscription& subscription = found->second;
      const bool live = subscription.answered && subscription.live && subscription.seen.covers(all);
      // With a home gone for good nobody may know that the history is whole.
      if (live && (options_.lose_one_for_good || subscription.complete)) continue;
      std::string text = client->describe(channel);
      for (const auto& [origin, seq] : all.seqs()) {
        if (subscription.seen.at(origin) >= seq) continue;
        text += ", has not seen " + origin + ":" + std::to_string(subscription.seen.at(origin) + 1);
        break;
      }
      return {channel, std::move(text)};
    }
  }
  return {};
}

World::Apart World::come_together(SimUs at_most, SimUs look_every) {
  const SimUs until = now() + at_most;
  Apart apart;
  do {
    run_for(look_every);
    apart = this->apart();
  } while (!apart.empty() && now() < until && !failed());
  return apart;
}

void World::check_disks(const Channel& channel, const Checker::ChannelTruth& truth) {
  std::map<std::pair<Origin, Seq>, std::pair<std::uint64_t, NodeId>> chains;
  for (const auto& node : nodes_) {
    for (const auto& [origin, strokes] : truth.strokes) {
      for (Seq seq = 1; seq <= node->store().head(channel, origin); ++seq) {
        if (const StrokePtr stroke = node->store().intact(channel, origin, seq)) checker_.told(stroke);
      }
    }
    if (!node->up()) continue;
    if (node->core().status().forks != 0) checker_.violation(channel, node->id() + " has seen a fork");
    for (const StoredHead& head : node->core().committed(channel)) {
      const auto [known, first] = chains.try_emplace({head.origin, head.seq}, head.chain, node->id());
      if (!first && known->second.first != head.chain) {
        checker_.violation(channel, node->id() + " has another running hash than " + known->second.second + " at " +
                                        head.origin + ":" + std::to_string(head.seq));
      }
      if (head.seq > node->store().head(channel, head.origin)) {
        checker_.violation(channel, node->id() + " says " + head.origin + ":" + std::to_string(head.seq) +
                                        ", its disk has " + std::to_string(node->store().head(channel, head.origin)));
      }
    }
  }
}

void World::check_acked(const Channel& channel, const Checker::ChannelTruth& truth) {
  const Cursor all = checker_.stored(channel);
  for (const Checker::Acked& acked : truth.acked) {
    const std::string name = acked.origin + ":" + std::to_string(acked.seq);
    if (all.at(acked.origin) < acked.seq) checker_.violation(channel, name + " was acknowledged and is lost");
    for (const auto& client : clients_) {
      const auto found = client->subscriptions().find(channel);
      if (found == client->subscriptions().end() || !found->second.wanted) continue;
      if (found->second.seen.at(acked.origin) < acked.seq) {
        checker_.violation(channel, name + " was acknowledged and has not reached " + client->name());
      }
    }
  }
}

void World::check_pictures(const Channel& channel) {
  using Place = std::tuple<TimeUs, Origin, Seq>;
  using Picture = std::map<std::pair<ClientName, Op>, Place>;
  const Cursor all = checker_.stored(channel);
  std::optional<Picture> first;
  ClientName first_of;
  for (const auto& client : clients_) {
    const auto found = client->subscriptions().find(channel);
    if (found == client->subscriptions().end() || !found->second.wanted) continue;
    if (found->second.from.kind != StartAt::Kind::full) continue;
    Picture picture;
    for (const StrokePtr& stroke : found->second.strokes) {
      // What nobody has stored may have been seen by some.
      if (stroke->seq > all.at(stroke->origin)) continue;
      Place place{stroke->ts, stroke->origin, stroke->seq};
      const auto [drawn, is_new] = picture.try_emplace({stroke->client, stroke->op}, place);
      if (!is_new) drawn->second = std::min(drawn->second, place);
    }
    if (!first) {
      first = std::move(picture);
      first_of = client->name();
    } else if (*first != picture) {
      const auto [ours, theirs] = std::mismatch(first->begin(), first->end(), picture.begin(), picture.end());
      const auto& [author, op] = ours == first->end() || (theirs != picture.end() && theirs->first < ours->first)
                                     ? theirs->first
                                     : ours->first;
      checker_.violation(channel, client->name() + " shows another picture than " + first_of + ", from " + author +
                                      "/" + std::to_string(op) + " on");
    }
  }
}

void World::check_left_over() {
  for (const auto& node : nodes_) {
    if (!node->up()) continue;
    const Excess left = left_over(*node, options_);
    if (left.text.empty()) continue;
    checker_.violation(left.channel, node->id() + " still has, when all is done, " + left.text, left.topic);
  }
}

void World::check_presence() {
  std::map<Channel, SimClient::Subscription::Who> there;
  for (const auto& client : clients_) {
    for (const auto& [channel, subscription] : client->subscriptions()) {
      if (subscription.wanted) there[channel].emplace(client->name(), nodes_[client->node()]->id());
    }
  }
  std::set<std::pair<Channel, const void*>> right;
  for (const auto& client : clients_) {
    for (const auto& [channel, subscription] : client->subscriptions()) {
      if (!subscription.wanted || !subscription.present) continue;
      const bool shared = subscription.present->since.empty();
      if (shared && !right.emplace(channel, subscription.present->list.get()).second) continue;
      tell_presence(*client, channel, there[channel]);
    }
  }
}

void World::tell_presence(const SimClient& client, const Channel& channel, const SimClient::Subscription::Who& there) {
  const SimClient::Subscription::Who told = client.subscription(channel).present->who();
  if (told == there) return;
  const auto [said, is] = std::mismatch(told.begin(), told.end(), there.begin(), there.end());
  const bool ghost = is == there.end() || (said != told.end() && *said < *is);
  const auto& [name, node] = ghost ? *said : *is;
  checker_.violation(channel,
                     client.name() + " at " + nodes_[client.node()]->id() +
                         (ghost ? " is told of " : " is not told of ") + name + " at " + node +
                         (ghost ? ", who is not there" : ", who is there"),
                     "presence");
}

void World::check_end() {
  for (const auto& [channel, truth] : checker_.channels()) {
    check_disks(channel, truth);
    check_acked(channel, truth);
    check_pictures(channel);
  }
}

}  // namespace inkmesh::sim
