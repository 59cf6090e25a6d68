#include "node/twins.h"

#include <algorithm>

namespace inkmesh::node {
namespace {

constexpr std::size_t kEarlierMax = 16;
constexpr MonotonicMs kSilentMs = 5'000;
constexpr MonotonicMs kGoesOnMs = 10'000;
constexpr MonotonicMs kTellAgainMs = 60'000;

}  // namespace

bool Twins::goes_on(const Peer& peer) const {
  return peer.late_ms - peer.late_since_ms >= kGoesOnMs;
}

std::optional<std::string> Twins::heard(const NodeId& id, const Epoch& epoch, MonotonicMs now_ms) {
  Peer& peer = peers_[id];
  if (peer.latest == epoch) return std::nullopt;
  if (std::find(peer.earlier.begin(), peer.earlier.end(), epoch) == peer.earlier.end()) {
    if (!peer.latest.empty()) peer.earlier.push_back(peer.latest);
    if (peer.earlier.size() > kEarlierMax) peer.earlier.pop_front();
    peer.latest = epoch;
    return std::nullopt;
  }
  if (peer.late_ms == 0 || now_ms - peer.late_ms > kSilentMs) peer.late_since_ms = now_ms;
  peer.late_ms = now_ms;
  if (!goes_on(peer) || (peer.told_ms != 0 && now_ms - peer.told_ms < kTellAgainMs)) return std::nullopt;
  peer.told_ms = now_ms;
  return "two processes run as " + id + " (epochs " + epoch + " and " + peer.latest +
         "): only the later one is listened to. Stop the one that should not be, then restart the other";
}

std::vector<NodeId> Twins::seen(MonotonicMs now_ms) const {
  std::vector<NodeId> ids;
  for (const auto& [id, peer] : peers_) {
    if (goes_on(peer) && now_ms - peer.late_ms <= kSilentMs) ids.push_back(id);
  }
  return ids;
}

}  // namespace inkmesh::node
