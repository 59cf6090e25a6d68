#include "node/metrics.h"

#include <spdlog/fmt/fmt.h>

#include <iterator>
#include <string_view>
#include <utility>

#include "node/version.h"
#include "wire/mesh_codec.h"

namespace inkmesh::node {
namespace {

/// Writes families in the order in which they are asked for; each has its HELP and TYPE once.
class Text {
 public:
  template <typename Number>
  void counter(std::string_view name, std::string_view help, Number value) {
    family(name, "counter", help);
    sample(name, "", value);
  }

  template <typename Number>
  void gauge(std::string_view name, std::string_view help, Number value) {
    family(name, "gauge", help);
    sample(name, "", value);
  }

  void family(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(text_), "# HELP inkmesh_{0} {2}\n# TYPE inkmesh_{0} {1}\n", name, type, help);
  }

  /// `labels`: `{peer="ws2"}` or empty. Node ids and epochs have no byte that a label would have to escape.
  template <typename Number>
  void sample(std::string_view name, std::string_view labels, Number value) {
    fmt::format_to(std::back_inserter(text_), "inkmesh_{}{} {}\n", name, labels, value);
  }

  /// A family with one sample for each of `peers`.
  template <typename Peers, typename ValueOf>
  void each_peer(std::string_view name, std::string_view type, std::string_view help, const Peers& peers,
                 ValueOf value_of) {
    if (peers.empty()) return;
    family(name, type, help);
    for (const auto& peer : peers)
      sample(name, fmt::format("{{peer=\"{}\"}}", peer.id), value_of(peer));
  }

  std::string take() {
    return std::move(text_);
  }

 private:
  std::string text_;
};

double in_seconds(std::uint64_t us) {
  return static_cast<double>(us) / 1e6;
}

void add_node(Text& text, const Snapshot& now) {
  text.family("build_info", "gauge", "What runs here; always 1.");
  text.sample("build_info",
              fmt::format("{{version=\"{}\",node=\"{}\",epoch=\"{}\"}}", version(), now.core.self, now.core.epoch), 1);
  text.gauge("ready", "1 while the node takes clients.", now.core.ready ? 1 : 0);
  text.gauge("lists_differ", "1 while some node that is there has another node list, replicas or ack.",
             now.core.lists_differ ? 1 : 0);
  text.gauge("hollow", "1 while the store does not count as whole: the node has yet to be compared with every other.",
             now.core.hollow ? 1 : 0);
  if (now.core.hollow) {
    text.family("hollow_because", "gauge",
                "Why the store does not count as whole; always 1, and not there when it does.");
    text.sample("hollow_because", fmt::format("{{because=\"{}\"}}", name_of(now.core.hollow_because)), 1);
  }
  text.gauge("twin", "1 while another process runs under this node's id.", now.core.twin ? 1 : 0);
  text.gauge("shut_out", "1 while the peers listen to another process that runs under this node's id.",
             now.core.shut_out ? 1 : 0);
  text.gauge("mesh_version", "The version of the mesh's language that this node speaks.", unsigned{wire::kMeshVersion});
  text.gauge("channels", "Channels held in the store.", now.core.channels);
  text.gauge("channel_origins_max", "The most origins of any channel: the length of its cursor.",
             now.core.channel_origins_max);
  text.gauge("interest_channels", "Channels that clients of this node have open.", now.core.interest_channels);
  text.gauge("subscriptions", "Subscriptions of this node's clients.", now.core.subscriptions);
  text.gauge("lagging_subscriptions", "Subscriptions that are read to from the log.", now.core.lagging_subscriptions);
  text.counter("strokes_accepted_total", "Strokes that this node numbered.", now.core.strokes_accepted);
  text.counter("strokes_delivered_total", "Strokes given to clients, each recipient counted.",
               now.core.strokes_delivered);
  text.counter("signals_delivered_total", "Signals given to clients, each recipient counted.",
               now.core.signals_delivered);
  text.counter("duplicates_total", "Publishes that were answered as known.", now.core.duplicates);
  text.gauge("acks_waiting", "Publishes that are not yet durable on enough nodes.", now.core.acks_waiting);
  text.gauge("standins", "Channels that have a stand-in for one of their homes.", now.core.standins);
  text.counter("pulls_total", "Ranges of strokes asked from peers.", now.core.pulls);
  text.counter("forks_total",
               "Times that a peer had other contents under one origin and seq. Anything but 0 is an alarm.",
               now.core.forks);
  text.gauge("damaged_records", "Damaged records that peers are asked for.", now.core.damaged_records);
  text.counter("repairs_total", "Damaged records refilled from peers.", now.core.repairs);
  text.gauge("tail_bytes", "Uncommitted and recent strokes in memory.", now.core.tail_bytes);
  if (now.core.strokes_ahead.empty()) return;
  text.family("strokes_ahead_seconds", "gauge",
              "How far a node's strokes lie ahead of our wall clock, where that is more than a day.");
  for (const StrokesAhead& ahead : now.core.strokes_ahead)
    text.sample("strokes_ahead_seconds", fmt::format("{{node=\"{}\"}}", ahead.node),
                static_cast<double>(ahead.ahead_ms) / 1e3);
}

void add_peers(Text& text, const Snapshot& now) {
  const std::vector<PeerStatus>& peers = now.core.peers;
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value_of) {
    text.each_peer(name, type, help, peers, value_of);
  };
  each("peer_up", "gauge", "1 while the peer's heartbeats arrive.",
       [](const PeerStatus& peer) { return peer.state == "up" ? 1 : 0; });
  each("peer_full", "gauge", "1 while the peer's store refuses publishes.",
       [](const PeerStatus& peer) { return peer.full ? 1 : 0; });
  each("peer_hollow", "gauge", "1 while the peer says that its store is new, or was lost and is being refilled.",
       [](const PeerStatus& peer) { return peer.hollow ? 1 : 0; });
  each("peer_same_list", "gauge", "1 while the peer is known to run with this node's list, replicas and ack.",
       [](const PeerStatus& peer) { return peer.same_list ? 1 : 0; });
  each("peer_awaited", "gauge", "1 while this node is hollow and has yet to be compared with the peer.",
       [](const PeerStatus& peer) { return peer.awaited ? 1 : 0; });
  each("peer_settled", "gauge", "1 once the peer has shown all that it holds of our homes' channels.",
       [](const PeerStatus& peer) { return peer.settled ? 1 : 0; });
  each("peer_twin", "gauge", "1 while two processes run under the peer's id: only one of them is listened to.",
       [](const PeerStatus& peer) { return peer.twin ? 1 : 0; });
  each("peer_other_version", "gauge",
       "The version of the mesh's language that the peer speaks, where it is not ours; 0: ours, or it is silent.",
       [](const PeerStatus& peer) { return unsigned{peer.other_version}; });
  each("peer_lag_strokes", "gauge", "Strokes that the peer should have and has not confirmed.",
       [](const PeerStatus& peer) { return peer.lag_strokes; });
  each("peer_window_bytes", "gauge", "Sent to the peer and not confirmed.",
       [](const PeerStatus& peer) { return peer.window_bytes; });
  each("peer_clock_offset_seconds", "gauge", "The peer's wall clock less ours.",
       [](const PeerStatus& peer) { return static_cast<double>(peer.clock_offset_ms) / 1e3; });
  each("peer_interest_channels", "gauge", "Channels that the peer's clients have open.",
       [](const PeerStatus& peer) { return peer.interest_channels; });
  if (!peers.empty()) {
    constexpr std::string_view kForwarded = "forwarded_strokes_total";
    text.family(kForwarded, "counter",
                "Strokes sent to the peer: its clients have the channel open, or it only stores.");
    for (const PeerStatus& peer : peers) {
      const auto labels = [&](std::string_view reason) {
        return fmt::format("{{peer=\"{}\",reason=\"{}\"}}", peer.id, reason);
      };
      text.sample(kForwarded, labels("interest"), peer.forwarded_interest);
      text.sample(kForwarded, labels("durability"), peer.forwarded_durability);
    }
  }
  each("peer_received_strokes_total", "counter", "Strokes received from the peer.",
       [](const PeerStatus& peer) { return peer.received_strokes; });
  each("peer_frames_sent_total", "counter", "Link frames sent to the peer.",
       [](const PeerStatus& peer) { return peer.frames_sent; });
  each("peer_frames_received_total", "counter", "Link frames received from the peer.",
       [](const PeerStatus& peer) { return peer.frames_received; });
  each("peer_frames_lost_total", "counter", "Gaps seen in the peer's frame numbers.",
       [](const PeerStatus& peer) { return peer.frames_lost; });
  each("peer_antientropy_bytes_total", "counter", "About what digests and offers to the peer took.",
       [](const PeerStatus& peer) { return peer.antientropy_bytes; });
}

void add_mesh(Text& text, const mesh::MeshStats& mesh) {
  using Peer = mesh::MeshStats::Peer;
  text.each_peer("mesh_sent_bytes_total", "counter", "Link bytes given to ZeroMQ for the peer.", mesh.peers,
                 [](const Peer& peer) { return peer.bytes_sent; });
  text.each_peer("mesh_received_bytes_total", "counter", "Link bytes received from the peer.", mesh.peers,
                 [](const Peer& peer) { return peer.bytes_received; });
  text.each_peer("mesh_send_failed_total", "counter", "Frames that found the peer's queue full.", mesh.peers,
                 [](const Peer& peer) { return peer.send_failed; });
  text.each_peer("mesh_round_trip_seconds", "gauge", "The link's smoothed round trip by TCP; 0: unknown.", mesh.peers,
                 [](const Peer& peer) { return in_seconds(peer.rtt_us); });
  text.counter("gossip_sent_bytes_total", "Gossip published.", mesh.gossip_bytes_sent);
  text.counter("gossip_received_bytes_total", "Gossip received.", mesh.gossip_bytes_received);
  text.counter("mesh_other_version_total", "Mesh messages of nodes that run another version of inkmesh.",
               mesh.other_version);
  text.counter("mesh_malformed_total", "Mesh messages that did not decode, or came from nobody in the list.",
               mesh.malformed);
}

void add_edge(Text& text, const edge::EdgeStats& edge) {
  text.gauge("connections", "Open client connections.", edge.connections);
  text.gauge("handshakes", "Client connections that are not open yet.", edge.handshakes);
  text.counter("connections_accepted_total", "Client connections accepted.", edge.accepted);
  text.counter("connections_refused_total", "Client connections over a limit.", edge.refused);
  text.counter("connections_abuse_total", "Client connections closed for abuse.", edge.closed_for_abuse);
  text.counter("client_messages_received_total", "Messages from clients.", edge.messages_in);
  text.counter("client_frames_sent_total", "WebSocket frames to clients.", edge.frames_out);
  text.counter("client_sent_bytes_total", "Bytes to clients.", edge.bytes_out);
  text.gauge("outbox_bytes", "Unsent bytes of all client connections.", edge.outbox_bytes);
  text.gauge("outbox_bytes_max", "The most that one client connection ever had unsent.", edge.outbox_bytes_max);
}

void add_store(Text& text, const store::CommitterStats& committer, const store::StoreUsage& usage) {
  text.counter("commits_total", "Group commits.", committer.commits);
  text.counter("committed_strokes_total", "Strokes committed.", committer.strokes);
  text.counter("commit_seconds_total", "Time spent in commits.", in_seconds(committer.commit_us_total));
  text.gauge("commit_seconds_max", "The longest commit.", in_seconds(committer.commit_us_max));
  text.counter("store_reads_total", "Reads of the log.", committer.reads);
  text.gauge("store_queue", "Requests that wait for the store.", committer.queue_now);
  text.gauge("store_map_bytes", "Size of the memory map: the most that the store can hold.", usage.map_bytes);
  text.gauge("store_used_bytes", "Pages of the store in use.", usage.used_bytes);
  text.gauge("store_capacity_bytes", "What the pages in use can grow to; 0: the map.", usage.capacity_bytes);
  text.gauge("store_file_bytes", "Size of the store's file.", usage.file_bytes);
  text.gauge("store_strokes", "Strokes held.", usage.strokes);
}

void add_process(Text& text, const LoopStats& loop, const ProcessUsage& process) {
  text.counter("loop_turns_total", "Turns of the loop.", loop.turns);
  text.counter("loop_events_total", "Events given to the core.", loop.events);
  text.counter("loop_busy_seconds_total", "Time in which the loop did not wait.", in_seconds(loop.busy_us_total));
  text.gauge("loop_turn_seconds_max", "The longest turn of the loop.", in_seconds(loop.turn_us_max));
  text.counter("requests_refused_total", "Requests that found the node too busy.", loop.refused);
  text.gauge("mailbox_waiting", "Events that wait for the loop.", loop.waiting);
  text.gauge("process_resident_memory_bytes", "Memory of the process.", process.resident_bytes);
  text.counter("process_cpu_seconds_total", "User and system time of the process.", process.cpu_seconds);
  text.gauge("process_open_fds", "File descriptors in use.", process.descriptors);
  text.gauge("process_max_fds", "File descriptors that may be in use.", process.descriptors_max);
  text.gauge("process_start_time_seconds", "When the process started, since 1970.",
             fmt::format("{:.3f}", process.start_time_s));
}

}  // namespace

std::string metrics_text(const Snapshot& now) {
  Text text;
  add_node(text, now);
  add_peers(text, now);
  add_mesh(text, now.mesh);
  add_edge(text, now.edge);
  add_store(text, now.committer, now.store);
  add_process(text, now.loop, now.process);
  return text.take();
}

}  // namespace inkmesh::node
