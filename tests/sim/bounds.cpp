#include "bounds.h"

#include <algorithm>

namespace inkmesh::sim {
namespace {

constexpr std::uint64_t kTailStrokes = 64;
constexpr std::uint64_t kWindowBytes = std::uint64_t{8} << 20;
constexpr std::size_t kSubscriberReads = 64;
constexpr std::size_t kReadsOfPeer = 16;
constexpr std::size_t kPageReads = 16;

/// The most that a stroke costs in these runs.
std::uint64_t stroke_bytes(const Options& options) {
  return 128 + 200 + options.data_bytes_max;
}

std::string more(const std::string& what, std::uint64_t is, std::uint64_t bound) {
  return what + ": " + std::to_string(is) + ", and " + std::to_string(bound) + " is the bound";
}

}  // namespace

std::string past_bounds(SimNode& node, const Options& options) {
  const CoreStatus status = node.core().status();
  const std::uint64_t stroke = stroke_bytes(options);
  const std::uint64_t unsent = node.edge().unwritten_max();
  if (unsent > options.outbox_bytes + 3 * stroke) return more("unsent to a connection", unsent, options.outbox_bytes);
  std::uint64_t tail = node.storing_bytes();
  for (const StoredHead& head : node.store().heads())
    tail += std::min(head.seq, kTailStrokes) * stroke;
  if (status.tail_bytes > tail) return more("strokes in memory", status.tail_bytes, tail);
  if (status.acks_waiting > node.publishing()) return more("acks waiting", status.acks_waiting, node.publishing());
  for (const PeerStatus& peer : status.peers) {
    const std::uint64_t window = kWindowBytes + options.events_per_turn_max * stroke;
    if (peer.window_bytes > window) return more("under way to " + peer.id, peer.window_bytes, window);
  }
  const std::size_t reads = kSubscriberReads + kPageReads + kReadsOfPeer * status.peers.size();
  if (node.reading() > reads) return more("reads at once", node.reading(), reads);
  return {};
}

std::string left_over(const SimNode& node, const Options& options) {
  const bool gone_for_good = options.lose_one_for_good;
  const bool loses = options.disk_loss_per_mille != 0 || gone_for_good || options.durability == Durability::async ||
                     options.list_change != ListChange::none;
  const CoreStatus status = node.core().status();
  const auto left = [](const char* what, std::uint64_t is) { return std::string(what) + ": " + std::to_string(is); };
  if (status.tail_bytes != 0) return left("bytes of strokes in memory", status.tail_bytes);
  if (status.acks_waiting != 0 && !loses) return left("acks waiting", status.acks_waiting);
  if (status.lagging_subscriptions != 0) return left("lagging subscriptions", status.lagging_subscriptions);
  if (status.connections != node.edge().size()) return left("connections", status.connections);
  if (node.reading() != 0) return left("reads", node.reading());
  if (status.standins != 0 && !gone_for_good) return left("channels with stand-ins", status.standins);
  for (const PeerStatus& peer : status.peers) {
    if (peer.state != "up") continue;
    if (peer.window_bytes != 0) return left(("bytes under way to " + peer.id).c_str(), peer.window_bytes);
    if (peer.lag_strokes != 0 && !gone_for_good) return left(("strokes owed to " + peer.id).c_str(), peer.lag_strokes);
  }
  return {};
}

}  // namespace inkmesh::sim
