#include "core/retries.h"

#include <algorithm>
#include <utility>

namespace inkmesh::core {

bool Retries::hold(const ChannelLog& log, Publish publish) {
  for (auto& [request, held] : held_) {
    const Publish& first = held.publishes.front();
    if (first.channel != publish.channel || first.client != publish.client || first.op != publish.op) continue;
    held.publishes.push_back(std::move(publish));
    return true;
  }
  Held held;
  for (const NodeIx home : log.homes) {
    if (home != cluster_.self() && membership_.up(home)) held.awaited.insert(home);
  }
  if (held.awaited.empty() || held_.size() >= kHeldMax) return false;
  const std::uint64_t request = ++last_request_;
  for (const NodeIx home : held.awaited) {
    links_.send(home, OpAsk{request, publish.channel, publish.client, publish.op}, 96 + publish.channel.size());
  }
  held.until_ms = turn_.ms() + kWaitMs;
  held.publishes.push_back(std::move(publish));
  held_.emplace(request, std::move(held));
  return true;
}

std::optional<Retries::Released> Retries::on_answer(NodeIx peer, const OpAnswer& answer) {
  const auto it = held_.find(answer.request);
  if (it == held_.end() || it->second.awaited.erase(peer) == 0) return std::nullopt;
  if (!answer.found && !it->second.awaited.empty()) return std::nullopt;
  Released released;
  released.publishes = std::move(it->second.publishes);
  if (answer.found) released.known = KnownOp{answer.origin, answer.seq, answer.ts, answer.data_hash};
  held_.erase(it);
  return released;
}

std::vector<Retries::Released> Retries::tick() {
  std::vector<Released> all;
  for (auto it = held_.begin(); it != held_.end();) {
    if (turn_.ms() < it->second.until_ms) {
      ++it;
      continue;
    }
    all.push_back(Released{std::move(it->second.publishes), std::nullopt});
    it = held_.erase(it);
  }
  return all;
}

std::vector<Retries::Released> Retries::gone(NodeIx peer) {
  std::vector<Released> all;
  for (auto it = held_.begin(); it != held_.end();) {
    it->second.awaited.erase(peer);
    if (!it->second.awaited.empty()) {
      ++it;
      continue;
    }
    all.push_back(Released{std::move(it->second.publishes), std::nullopt});
    it = held_.erase(it);
  }
  return all;
}

}  // namespace inkmesh::core
