#include "node/status_json.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "node/config/config_values.h"
#include "node/version.h"
#include "wire/mesh_codec.h"

namespace inkmesh::node {
namespace {

/// Members of nested objects, one call each.
class Json {
 public:
  void key(std::string_view name) {
    writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  }
  void text(std::string_view value) {
    writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }
  void add(std::string_view name, std::string_view value) {
    key(name);
    text(value);
  }
  void add(std::string_view name, const std::string& value) {
    add(name, std::string_view(value));
  }
  void add(std::string_view name, const char* value) {
    add(name, std::string_view(value));
  }
  void add(std::string_view name, bool value) {
    key(name);
    writer_.Bool(value);
  }
  void add(std::string_view name, std::uint64_t value) {
    key(name);
    writer_.Uint64(value);
  }
  void add(std::string_view name, std::int64_t value) {
    key(name);
    writer_.Int64(value);
  }
  template <typename Body>
  void object(Body body) {
    writer_.StartObject();
    body();
    writer_.EndObject();
  }
  template <typename Items, typename Body>
  void list(std::string_view name, const Items& items, Body body) {
    key(name);
    writer_.StartArray();
    for (const auto& item : items)
      body(item);
    writer_.EndArray();
  }
  std::string take() const {
    return {buffer_.GetString(), buffer_.GetSize()};
  }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

/// `twin` alone where it is not so.
void add_twin(Json& json, const std::optional<TwinStatus>& twin) {
  json.add("twin", twin.has_value());
  if (!twin) return;
  json.add("twin_epoch", twin->epoch);
  json.add("twin_address", twin->address);
  json.add("twin_later", twin->later);
}

void add_peer(Json& json, const PeerStatus& peer, const Snapshot& now) {
  const mesh::MeshStats& mesh = now.mesh;
  const auto link = std::find_if(mesh.peers.begin(), mesh.peers.end(),
                                 [&](const mesh::MeshStats::Peer& each) { return each.id == peer.id; });
  json.object([&] {
    json.add("id", peer.id);
    json.add("state", peer.state);
    json.add("epoch", peer.epoch);
    json.add("lag_strokes", peer.lag_strokes);
    json.add("window_bytes", peer.window_bytes);
    if (link != mesh.peers.end() && link->rtt_us > 0) json.add("rtt_us", link->rtt_us);
    json.add("clock_offset_ms", peer.clock_offset_ms);
    json.add("full", peer.full);
    json.add("hollow", peer.hollow);
    json.add("same_list", peer.same_list);
    json.add("settled", peer.settled);
    add_twin(json, peer.twin);
    json.add("other_mesh_version", std::uint64_t{peer.other_version});
    json.add("interest_channels", peer.interest_channels);
    json.add("forwarded_interest", peer.forwarded_interest);
    json.add("forwarded_durability", peer.forwarded_durability);
    json.add("received_strokes", peer.received_strokes);
    json.add("frames_sent", peer.frames_sent);
    json.add("frames_received", peer.frames_received);
    json.add("frames_lost", peer.frames_lost);
    json.add("antientropy_bytes", peer.antientropy_bytes);
    if (link == mesh.peers.end()) return;
    json.add("bytes_sent", link->bytes_sent);
    json.add("bytes_received", link->bytes_received);
    json.add("send_failed", link->send_failed);
  });
}

void add_store(Json& json, const store::StoreUsage& usage, const store::CommitterStats& committer) {
  json.key("store");
  json.object([&] {
    json.add("strokes", usage.strokes);
    json.add("used_bytes", usage.used_bytes);
    json.add("capacity_bytes", usage.capacity_bytes != 0 ? usage.capacity_bytes : usage.map_bytes);
    json.add("map_bytes", usage.map_bytes);
    json.add("file_bytes", usage.file_bytes);
    json.add("commits", committer.commits);
    json.add("commit_us_max", committer.commit_us_max);
    json.add("queue", committer.queue_now);
  });
}

}  // namespace

std::string status_json(const ClusterConfig& config, const Snapshot& now) {
  const CoreStatus& core = now.core;
  Json json;
  json.object([&] {
    json.add("node", core.self);
    json.add("pid", static_cast<std::uint64_t>(getpid()));
    json.add("epoch", core.epoch);
    json.add("version", version());
    json.add("ready", core.ready);
    json.list("reasons", core.not_ready_reasons, [&](const std::string& reason) { json.text(reason); });
    json.add("hollow", core.hollow);
    if (core.hollow) json.add("hollow_because", name_of(core.hollow_because));
    std::vector<std::string_view> awaited;
    for (const PeerStatus& peer : core.peers) {
      if (peer.awaited) awaited.emplace_back(peer.id);
    }
    json.list("hollow_until", awaited, [&](std::string_view id) { json.text(id); });
    json.add("lists_differ", core.lists_differ);
    add_twin(json, core.twin);
    json.add("shut_out", core.shut_out);
    json.add("mesh_version", std::uint64_t{wire::kMeshVersion});
    json.add("mesh_other_version", now.mesh.other_version);
    json.add("full", core.full);
    json.list("nodes", config.nodes, [&](const NodeSettings& node) {
      json.object([&] {
        json.add("id", node.id);
        json.add("client", config::format_address(node.client.advertise));
      });
    });
    json.add("replicas", std::uint64_t{config.replicas});
    json.add("ack", std::uint64_t{config.ack});
    json.list("peers", core.peers, [&](const PeerStatus& peer) { add_peer(json, peer, now); });
    json.add("channels", core.channels);
    json.add("channel_origins_max", std::uint64_t{core.channel_origins_max});
    json.add("connections", now.edge.connections);
    json.add("subscriptions", core.subscriptions);
    json.add("lagging", core.lagging_subscriptions);
    json.key("interest");
    json.object([&] { json.add("channels", core.interest_channels); });
    add_store(json, now.store, now.committer);
    json.key("strokes");
    json.object([&] {
      json.add("accepted", core.strokes_accepted);
      json.add("delivered", core.strokes_delivered);
      json.add("duplicates", core.duplicates);
      json.add("acks_waiting", core.acks_waiting);
    });
    json.add("standins", core.standins);
    json.add("forks", core.forks);
    json.add("damaged_records", core.damaged_records);
    json.add("repairs", core.repairs);
    json.list("strokes_ahead", core.strokes_ahead, [&](const StrokesAhead& ahead) {
      json.object([&] {
        json.add("node", ahead.node);
        json.add("ahead_ms", ahead.ahead_ms);
      });
    });
    json.add("resident_bytes", now.process.resident_bytes);
  });
  return json.take();
}

std::string ready_json(const CoreStatus& core) {
  Json json;
  json.object([&] {
    json.add("ready", core.ready);
    json.list("reasons", core.not_ready_reasons, [&](const std::string& reason) { json.text(reason); });
  });
  return json.take();
}

}  // namespace inkmesh::node
