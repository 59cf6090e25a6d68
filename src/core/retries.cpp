#include "core/retries.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace inkmesh::core {

bool Retries::hold(const ChannelLog& log, Publish publish) {
  const auto known = requests_.find(key_of(publish));
  if (known != requests_.end()) {
    held_.at(known->second).publishes.push_back(std::move(publish));
    return true;
  }
  Held held;
  for (const NodeIx peer : cluster_.likely_holders(log.hash)) {
    if (may_answer(peer, log.homes)) held.awaited.insert(peer);
  }
  if (held.awaited.empty() || held_.size() >= held_max_) return false;
  const std::uint64_t request = ++last_request_;
  for (const NodeIx peer : held.awaited)
    ask(peer, request, publish);
  held.homes = log.homes;
  held.until_ms = turn_.ms() + kWaitMs;
  requests_.emplace(key_of(publish), request);
  held.publishes.push_back(std::move(publish));
  held_.emplace(request, std::move(held));
  return true;
}

bool Retries::may_answer(NodeIx peer, const std::vector<NodeIx>& homes) const {
  // A home's link may only have been reset; of the others one that is linked is more likely to know.
  const bool home = std::find(homes.begin(), homes.end(), peer) != homes.end();
  return home ? membership_.up(peer) && !membership_.cut_off(peer) : membership_.reachable(peer);
}

void Retries::ask(NodeIx peer, std::uint64_t request, const Publish& publish) {
  links_.send(peer, OpAsk{request, publish.channel, publish.client, publish.op}, 96 + publish.channel.size());
}

void Retries::linked(NodeIx peer) {
  for (const auto& [request, held] : held_) {
    if (held.awaited.count(peer) != 0) ask(peer, request, held.publishes.front());
  }
}

Retries::ByRequest::iterator Retries::release(ByRequest::iterator it, Released& released) {
  requests_.erase(key_of(it->second.publishes.front()));
  released.publishes = std::move(it->second.publishes);
  return held_.erase(it);
}

std::optional<Retries::Released> Retries::on_answer(NodeIx peer, const OpAnswer& answer) {
  membership_.answered(peer);
  const auto it = held_.find(answer.request);
  if (it == held_.end() || it->second.awaited.erase(peer) == 0) return std::nullopt;
  if (!answer.found && !it->second.awaited.empty()) return std::nullopt;
  Released released;
  if (answer.found) released.known = KnownOp{answer.origin, answer.seq, answer.ts, answer.data_hash};
  release(it, released);
  return released;
}

std::vector<Retries::Released> Retries::tick() {
  std::vector<Released> all;
  // The requests' deadlines rise with their numbers.
  for (auto it = held_.begin(); it != held_.end() && turn_.ms() >= it->second.until_ms;) {
    for (const NodeIx silent : it->second.awaited)
      membership_.doubt(silent);
    it = release(it, all.emplace_back());
  }
  for (auto it = held_.begin(); it != held_.end();) {
    std::set<NodeIx>& awaited = it->second.awaited;
    for (auto peer = awaited.begin(); peer != awaited.end();)
      peer = may_answer(*peer, it->second.homes) ? std::next(peer) : awaited.erase(peer);
    it = awaited.empty() ? release(it, all.emplace_back()) : std::next(it);
  }
  return all;
}

}  // namespace inkmesh::core
