#include "bounds.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace inkmesh::sim {
namespace {

constexpr std::uint64_t kTailStrokes = 64;
constexpr std::size_t kSubscriberReads = 64;
constexpr std::size_t kReadsOfPeer = 16;
constexpr std::size_t kPageReads = 16;

/// The most that a stroke costs in these runs.
std::uint64_t stroke_bytes(const Options& options) {
  return 128 + 200 + options.data_bytes_max;
}

/// One of that kind, so that a word on their number names something whose history can be looked at.
std::optional<Waiting> first(const SimNode& node, Waiting::What what, const NodeId& peer = {}) {
  for (const Waiting& each : node.core().waiting()) {
    if (each.what == what && (peer.empty() || each.peer == peer)) return each;
  }
  return std::nullopt;
}

Excess excess(std::string text, const std::optional<Waiting>& first) {
  if (!first) return {std::move(text), {}, {}};
  if (!first->origin.empty()) text += ", the first " + first->origin + ":" + std::to_string(first->seq);
  if (!first->client.empty()) text += ", the first " + first->client + "'s";
  return {std::move(text), first->channel, {}};
}

Excess more(const std::string& what, std::uint64_t is, std::uint64_t bound,
            const std::optional<Waiting>& first = std::nullopt) {
  return excess(what + ": " + std::to_string(is) + ", and " + std::to_string(bound) + " is the bound", first);
}

Excess on(const std::string& topic, Excess excess) {
  excess.topic = topic;
  return excess;
}

Excess left(const std::string& what, std::uint64_t is, const std::optional<Waiting>& first = std::nullopt) {
  return excess(what + ": " + std::to_string(is), first);
}

}  // namespace

Excess past_bounds(SimNode& node, const Options& options) {
  const CoreStatus status = node.core().status();
  const CoreLimits& limits = options.limits;
  const std::uint64_t stroke = stroke_bytes(options);
  const std::uint64_t unsent = node.edge().unwritten_max();
  if (unsent > options.outbox_bytes + 3 * stroke) {
    return more("unsent to " + node.edge().unwritten_most(), unsent, options.outbox_bytes);
  }
  std::uint64_t tail = node.storing_bytes();
  for (const StoredHead& head : node.store().heads())
    tail += std::min(head.seq, kTailStrokes) * stroke;
  if (status.tail_bytes > tail) {
    return more("bytes of strokes in memory", status.tail_bytes, tail, first(node, Waiting::What::stroke));
  }
  const std::uint64_t authors = std::min<std::uint64_t>(node.publishing(), limits.authors_waiting);
  if (status.acks_waiting > authors) {
    return more("authors waiting", status.acks_waiting, authors, first(node, Waiting::What::author));
  }
  for (const PeerStatus& peer : status.peers) {
    const std::uint64_t window = limits.window_bytes + options.events_per_turn_max * stroke;
    if (peer.window_bytes > window) {
      return more("under way to " + peer.id, peer.window_bytes, window, first(node, Waiting::What::window, peer.id));
    }
    if (peer.interest_hints > limits.hints_of_peer) {
      return on("interest", more("hints of " + peer.id, peer.interest_hints, limits.hints_of_peer));
    }
  }
  if (status.retries_held > limits.retries_held) {
    return on("op-", more("retries held", status.retries_held, limits.retries_held));
  }
  if (status.pulls_under_way > limits.pulls) {
    return on("pull", more("pulls under way", status.pulls_under_way, limits.pulls));
  }
  if (status.pages_waiting > limits.pages_asked) {
    return on("history", more("pages waiting", status.pages_waiting, limits.pages_asked));
  }
  if (status.damaged_records > limits.damaged_records) {
    return more("damaged records asked for", status.damaged_records, limits.damaged_records);
  }
  const std::size_t reads = kSubscriberReads + kPageReads + kReadsOfPeer * status.peers.size();
  if (node.reading().size() > reads) {
    return {more("reads at once", node.reading().size(), reads).text, node.reading().begin()->second, "read"};
  }
  return {};
}

Excess left_over(const SimNode& node, const Options& options) {
  const bool gone_for_good = options.lose_one_for_good;
  const bool loses = options.disk_loss_per_mille != 0 || gone_for_good || options.durability == Durability::async ||
                     options.list_change != ListChange::none;
  using What = Waiting::What;
  const CoreStatus status = node.core().status();
  if (status.tail_bytes != 0) return left("bytes of strokes in memory", status.tail_bytes, first(node, What::stroke));
  if (status.acks_waiting != 0 && !loses) {
    return left("authors who wait", status.acks_waiting, first(node, What::author));
  }
  if (status.retries_held != 0) return on("op-", left("retries held", status.retries_held));
  if (status.pages_waiting != 0) return on("history", left("pages that were asked for", status.pages_waiting));
  if (status.damaged_records != 0 && !loses) return left("damaged records asked for", status.damaged_records);
  if (status.lagging_subscriptions != 0) {
    return left("subscribers that are behind", status.lagging_subscriptions, first(node, What::subscriber));
  }
  if (status.connections != node.edge().size()) return left("connections", status.connections);
  if (!node.reading().empty()) {
    return {left("reads", node.reading().size()).text, node.reading().begin()->second, "read"};
  }
  if (status.standins != 0 && !gone_for_good) {
    const std::optional<Waiting> standin = first(node, What::standin);
    return left("channels with stand-ins" + (standin ? " (" + standin->peer + ")" : ""), status.standins, standin);
  }
  for (const PeerStatus& peer : status.peers) {
    if (peer.state != "up") continue;
    if (peer.window_bytes != 0) {
      return left("bytes under way to " + peer.id, peer.window_bytes, first(node, What::window, peer.id));
    }
    if (peer.lag_strokes != 0 && !gone_for_good) {
      return left("strokes owed to " + peer.id, peer.lag_strokes, first(node, What::confirmation, peer.id));
    }
  }
  return {};
}

}  // namespace inkmesh::sim
