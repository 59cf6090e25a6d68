#include "mesh/mesh.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "mesh/gossip.h"
#include "mesh/limits.h"
#include "mesh/peer_link.h"
#include "mesh/poller.h"
#include "mesh/resolver.h"
#include "mesh/router.h"
#include "wire/mesh_codec.h"

namespace inkmesh::mesh {
namespace {

/// What one read of a link takes at most.
constexpr std::size_t kReadBytesMax = std::size_t{256} << 10;
/// A peer's links: one, those that are dying while it makes the next, and strangers.
constexpr std::size_t kConnectionsOfPeer = 4;
constexpr std::size_t kStrangersMax = 32;

const NodeSettings& find_node(const ClusterConfig& config, const NodeId& id) {
  const auto found =
      std::find_if(config.nodes.begin(), config.nodes.end(), [&](const NodeSettings& node) { return node.id == id; });
  if (found == config.nodes.end()) throw std::runtime_error("node '" + id + "' is not in the cluster file");
  return *found;
}

MonotonicMs monotonic_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<MonotonicMs>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

struct Mesh::Impl {
  Impl(const ClusterConfig& config, const NodeId& self);
  ~Impl();

  void beat(MonotonicMs now);
  bool of_other_version(std::string_view message, std::vector<Event>& events);
  void take_gossip(std::size_t parts, std::string_view bytes, std::vector<Event>& events);
  bool take_frame(const Router::Message& message, std::vector<Event>& events);
  MonotonicMs due_ms() const;

  struct Peer {
    Peer(Poller& poller, Resolver& resolver, const NodeSettings& node) : link(poller, resolver, node) {}
    PeerLink link;
    std::uint64_t bytes_received = 0;
  };

  Poller poller;
  Resolver resolver;
  Gossip gossip;
  Router router;
  std::map<NodeId, Peer, std::less<>> peers;
  std::string scratch = std::string(kReadBytesMax, '\0');
  MonotonicMs next_beat_ms = 0;
  MeshStats stats;
};

Mesh::Impl::Impl(const ClusterConfig& config, const NodeId& self)
    : gossip(poller, config, find_node(config, self)),
      router(poller, find_node(config, self).mesh.listen, kStrangersMax + kConnectionsOfPeer * config.nodes.size()) {
  for (const NodeSettings& node : config.nodes) {
    if (node.id == self) continue;
    peers.try_emplace(node.id, poller, resolver, node);
  }
}

Mesh::Impl::~Impl() {
  const MonotonicMs until = monotonic_ms() + static_cast<MonotonicMs>(kLingerMs);
  for (auto& [id, peer] : peers) {
    const MonotonicMs now = monotonic_ms();
    peer.link.linger(static_cast<int>(until - std::min(now, until)));
  }
}

Mesh::Mesh(const ClusterConfig& config, const NodeId& self) try : impl_(std::make_unique<Impl>(config, self)) {
} catch (const zmq::error_t& error) {
  throw std::runtime_error(std::string("cannot start the mesh: ") + error.what());
}

Mesh::~Mesh() = default;

void Mesh::watch(int descriptor) {
  impl_->poller.watch(descriptor, EPOLLIN, nullptr);
}

void Mesh::poll(std::int64_t timeout_ms, std::vector<Event>& events) {
  Impl& mesh = *impl_;
  mesh.poller.wait(timeout_ms == 0 ? 0 : wait_ms(timeout_ms));
  const MonotonicMs now = monotonic_ms();
  if (now >= mesh.next_beat_ms) mesh.beat(now);
  // Links first: a frame of a peer that has just come back is then stepped after its PeerConnected.
  for (auto& [id, peer] : mesh.peers)
    peer.link.turn(now, mesh.scratch, events);
  mesh.gossip.receive([&](std::size_t parts, std::string_view bytes) { mesh.take_gossip(parts, bytes, events); });
  mesh.router.turn(mesh.scratch, [&](const Router::Message& message) { return mesh.take_frame(message, events); });
}

int Mesh::descriptor() const {
  return impl_->poller.descriptor();
}

MonotonicMs Mesh::Impl::due_ms() const {
  MonotonicMs due = next_beat_ms;
  for (const auto& [id, peer] : peers)
    due = std::min(due, peer.link.due_ms());
  return due;
}

std::int64_t Mesh::wait_ms(std::int64_t timeout_ms) const {
  const Impl& mesh = *impl_;
  if (timeout_ms == 0 || mesh.gossip.waits() || mesh.router.waits()) return 0;
  const MonotonicMs now = monotonic_ms();
  const MonotonicMs due = mesh.due_ms();
  const std::int64_t wait = due > now ? static_cast<std::int64_t>(due - now) : 0;
  return timeout_ms < 0 ? wait : std::min(wait, timeout_ms);
}

/// A loop that was late beats once, not for all the time that it missed: nobody is cut for that.
void Mesh::Impl::beat(MonotonicMs now) {
  next_beat_ms = now + static_cast<MonotonicMs>(kHeartbeatIntervalMs);
  for (auto& [id, peer] : peers)
    peer.link.beat();
  router.beat();
}

/// A peer's message in another version: counted and told.
bool Mesh::Impl::of_other_version(std::string_view message, std::vector<Event>& events) {
  const std::uint8_t version = wire::version_of(message);
  if (version == wire::kMeshVersion) return false;
  const auto sender = wire::sender_of(message);
  if (!sender || !peers.contains(*sender)) return false;
  ++stats.other_version;
  stats.last_other_version = version;
  events.emplace_back(OtherVersion{*sender, version});
  return true;
}

void Mesh::Impl::take_gossip(std::size_t parts, std::string_view bytes, std::vector<Event>& events) {
  stats.gossip_bytes_received += bytes.size();
  if (of_other_version(bytes, events)) return;
  auto message = parts == 1 ? wire::decode_gossip(bytes) : std::nullopt;
  if (message && peers.contains(message->node)) {
    events.emplace_back(GossipReceived{std::move(*message)});
  } else {
    ++stats.malformed;
  }
}

/// True when a peer of the list said it.
bool Mesh::Impl::take_frame(const Router::Message& message, std::vector<Event>& events) {
  if (of_other_version(message.last, events)) return true;
  auto frame = message.parts == 1 ? wire::decode_frame(message.last) : std::nullopt;
  const auto peer = frame ? peers.find(frame->node) : peers.end();
  if (peer == peers.end()) {
    ++stats.malformed;
    // Who it is, is for the core to say; what it says is not for it.
    if (frame) {
      frame->messages.clear();
      events.emplace_back(FrameReceived{std::move(*frame)});
    }
    return false;
  }
  peer->second.bytes_received += message.last.size();
  events.emplace_back(FrameReceived{std::move(*frame), message.address});
  return true;
}

void Mesh::send(const SendFrame& effect) {
  const auto peer = impl_->peers.find(effect.peer);
  if (peer == impl_->peers.end()) throw std::logic_error("frame for '" + effect.peer + "', which is no peer");
  peer->second.link.send(wire::encode(effect.frame));
}

void Mesh::send(const SendGossip& effect) {
  const std::string bytes = wire::encode(effect.message);
  if (impl_->gossip.send(bytes)) impl_->stats.gossip_bytes_sent += bytes.size();
}

MeshStats Mesh::stats() const {
  MeshStats stats = impl_->stats;
  for (const auto& [id, peer] : impl_->peers) {
    stats.malformed += peer.link.answered();
    stats.peers.push_back(
        {id, peer.link.bytes_sent(), peer.bytes_received, peer.link.send_failed(), peer.link.rtt_us()});
  }
  return stats;
}

}  // namespace inkmesh::mesh
