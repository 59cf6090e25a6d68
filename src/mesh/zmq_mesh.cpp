#include "mesh/zmq_mesh.h"

#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <zmq.hpp>

#include "mesh/addresses.h"
#include "mesh/peer_link.h"
#include "mesh/sockets.h"
#include "wire/mesh_codec.h"

namespace inkmesh::mesh {
namespace {

/// Of one socket in one poll(), so that none starves the others.
constexpr std::size_t kDrainMessagesMax = 256;
/// For each connection of an inbox.
constexpr int kInboxMessagesMax = 512;
/// A subscriber that lags by more misses gossip, and asks for what it missed.
constexpr int kGossipMessagesMax = 256;
/// How often a choked queue is looked at.
constexpr std::int64_t kDrainCheckMs = 20;

/// Places in the list of what is polled: the caller's descriptor first, then the sockets, then two for each peer.
constexpr std::size_t kGossipItem = 1;
constexpr std::size_t kInboxItem = 2;
constexpr std::size_t kFirstPeerItem = 3;

const NodeSettings& find_node(const ClusterConfig& config, const NodeId& id) {
  const auto found =
      std::find_if(config.nodes.begin(), config.nodes.end(), [&](const NodeSettings& node) { return node.id == id; });
  if (found == config.nodes.end()) throw std::runtime_error("node '" + id + "' is not in the cluster file");
  return *found;
}

/// ZeroMQ's limit is 1023 sockets: a link has one, and two for its monitor.
int sockets_max(const ClusterConfig& config) {
  return static_cast<int>(config.nodes.size()) * 3 + 64;
}

/// A name may have addresses that this machine cannot listen on (`localhost` where IPv6 is off): one is enough.
void bind(zmq::socket_t& socket, const Address& address) {
  std::string why;
  std::size_t bound = 0;
  for (const std::string& endpoint : bind_endpoints(address)) {
    try {
      // `[::]` takes IPv4 too; an IPv4 address is bound as one, also where the kernel has no IPv6.
      socket.set(zmq::sockopt::ipv6, endpoint.find('[') != std::string::npos);
      socket.bind(endpoint);
      ++bound;
    } catch (const zmq::error_t& error) {
      why = "cannot listen on " + endpoint + ": " + error.what();
      if (error.num() != EADDRNOTAVAIL && error.num() != EAFNOSUPPORT) throw std::runtime_error(why);
    }
  }
  if (bound == 0) throw std::runtime_error(why);
}

std::string_view view_of(const zmq::message_t& message) {
  return {static_cast<const char*>(message.data()), message.size()};
}

/// Where a message came from, without the port; empty where ZeroMQ does not say.
std::string address_of(zmq::message_t& message) {
  const char* address = zmq_msg_gets(message.handle(), "Peer-Address");
  return address == nullptr ? std::string{} : address;
}

/// The next message, its parts counted: the last one in `last`. 0: nothing waits. A message of more parts than
/// `parts_max` is read to its end all the same.
std::size_t receive(zmq::socket_t& socket, zmq::message_t& last) {
  std::size_t parts = 0;
  do {
    if (!socket.recv(last, zmq::recv_flags::dontwait)) return parts;
    ++parts;
  } while (last.more());
  return parts;
}

}  // namespace

struct Mesh::Impl {
  Impl(const ClusterConfig& config, const NodeId& self);

  void take_link_events(std::vector<Event>& events);
  void receive_gossip(std::vector<Event>& events);
  void receive_frames(std::vector<Event>& events);
  bool of_other_version(std::string_view message, std::vector<Event>& events);
  std::int64_t bounded_wait(std::int64_t timeout_ms) const;

  struct Peer {
    std::unique_ptr<PeerLink> link;
    std::uint64_t bytes_received = 0;
  };

  zmq::context_t context;
  zmq::socket_t gossip_out;
  zmq::socket_t gossip_in;
  zmq::socket_t inbox;
  std::map<NodeId, Peer, std::less<>> peers;
  std::vector<zmq::pollitem_t> items;  ///< for each peer, in their order here: its dealer, its monitor
  MeshStats stats;
};

Mesh::Impl::Impl(const ClusterConfig& config, const NodeId& self) {
  context.set(zmq::ctxopt::max_sockets, sockets_max(config));
  const NodeSettings& own = find_node(config, self);

  gossip_out = zmq::socket_t(context, zmq::socket_type::pub);
  set_common_options(gossip_out, kGossipMessagesMax);
  bind(gossip_out, own.gossip.listen);

  inbox = zmq::socket_t(context, zmq::socket_type::router);
  set_common_options(inbox, kInboxMessagesMax);
  inbox.set(zmq::sockopt::router_mandatory, true);
  bind(inbox, own.mesh.listen);

  gossip_in = zmq::socket_t(context, zmq::socket_type::sub);
  set_common_options(gossip_in, kInboxMessagesMax);
  // One subscription, to everything: more of them than the high-water mark would be lost without a word.
  gossip_in.set(zmq::sockopt::subscribe, "");

  items = {{nullptr, -1, ZMQ_POLLIN, 0}, {gossip_in.handle(), 0, ZMQ_POLLIN, 0}, {inbox.handle(), 0, ZMQ_POLLIN, 0}};
  for (const NodeSettings& node : config.nodes) {
    if (node.id == self) continue;
    gossip_in.set(zmq::sockopt::ipv6, connects_by_ipv6(node.gossip.advertise));
    gossip_in.connect(endpoint_of(node.gossip.advertise));
    peers[node.id].link = std::make_unique<PeerLink>(context, node);
  }
  for (const auto& [id, peer] : peers) {
    items.push_back({peer.link->dealer(), 0, ZMQ_POLLIN, 0});
    items.push_back({peer.link->monitor(), 0, ZMQ_POLLIN, 0});
  }
}

Mesh::Mesh(const ClusterConfig& config, const NodeId& self) try : impl_(std::make_unique<Impl>(config, self)) {
} catch (const zmq::error_t& error) {
  throw std::runtime_error(std::string("cannot start the mesh: ") + error.what());
}

Mesh::~Mesh() = default;

std::int64_t Mesh::Impl::bounded_wait(std::int64_t timeout_ms) const {
  for (const auto& [id, peer] : peers) {
    if (peer.link->has_news()) return 0;
    if (peer.link->draining() && (timeout_ms < 0 || timeout_ms > kDrainCheckMs)) timeout_ms = kDrainCheckMs;
  }
  return timeout_ms;
}

void Mesh::poll(int extra_fd, std::int64_t timeout_ms, std::vector<Event>& events) {
  Impl& mesh = *impl_;
  mesh.items[0].fd = extra_fd;
  const bool skip_fd = extra_fd < 0;
  const auto count = static_cast<int>(mesh.items.size()) - (skip_fd ? 1 : 0);
  const auto wait = static_cast<long>(mesh.bounded_wait(timeout_ms));
  if (zmq_poll(mesh.items.data() + (skip_fd ? 1 : 0), count, wait) < 0 && zmq_errno() != EINTR) {
    throw std::runtime_error(std::string("zmq_poll: ") + zmq_strerror(zmq_errno()));
  }
  // Links first: a frame of a peer that has just come back is then stepped after its PeerConnected.
  mesh.take_link_events(events);
  if ((mesh.items[kGossipItem].revents & ZMQ_POLLIN) != 0) mesh.receive_gossip(events);
  if ((mesh.items[kInboxItem].revents & ZMQ_POLLIN) != 0) mesh.receive_frames(events);
}

std::vector<int> Mesh::descriptors() const {
  std::vector<int> all;
  for (const zmq::pollitem_t& item : impl_->items) {
    if (item.socket != nullptr) all.push_back(zmq::socket_ref(zmq::from_handle, item.socket).get(zmq::sockopt::fd));
  }
  return all;
}

std::int64_t Mesh::wait_ms(std::int64_t timeout_ms) const {
  const auto readable = [](const zmq::pollitem_t& item) {
    return item.socket != nullptr &&
           (zmq::socket_ref(zmq::from_handle, item.socket).get(zmq::sockopt::events) & ZMQ_POLLIN) != 0;
  };
  if (std::any_of(impl_->items.begin(), impl_->items.end(), readable)) return 0;
  return impl_->bounded_wait(timeout_ms);
}

void Mesh::Impl::take_link_events(std::vector<Event>& events) {
  std::size_t item = kFirstPeerItem;
  for (auto& [id, peer] : peers) {
    PeerLink& link = *peer.link;
    const bool received = (items[item++].revents & ZMQ_POLLIN) != 0;
    const bool monitored = (items[item++].revents & ZMQ_POLLIN) != 0;
    if (monitored || link.has_news() || link.draining()) link.take_events(events);
    if (received) stats.malformed += link.discard_received(kDrainMessagesMax);
  }
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

void Mesh::Impl::receive_gossip(std::vector<Event>& events) {
  zmq::message_t last;
  for (std::size_t n = 0; n < kDrainMessagesMax; ++n) {
    const std::size_t parts = receive(gossip_in, last);
    if (parts == 0) return;
    stats.gossip_bytes_received += last.size();
    if (of_other_version(view_of(last), events)) continue;
    auto message = parts == 1 ? wire::decode_gossip(view_of(last)) : std::nullopt;
    if (message && peers.contains(message->node)) {
      events.emplace_back(GossipReceived{std::move(*message)});
    } else {
      ++stats.malformed;
    }
  }
}

void Mesh::Impl::receive_frames(std::vector<Event>& events) {
  zmq::message_t last;
  for (std::size_t n = 0; n < kDrainMessagesMax; ++n) {
    const std::size_t parts = receive(inbox, last);
    if (parts == 0) return;
    if (of_other_version(view_of(last), events)) continue;
    auto frame = parts == 2 ? wire::decode_frame(view_of(last)) : std::nullopt;
    const auto peer = frame ? peers.find(frame->node) : peers.end();
    if (peer == peers.end()) {
      ++stats.malformed;
      // Who it is, is for the core to say; what it says is not for it.
      if (frame) {
        frame->messages.clear();
        events.emplace_back(FrameReceived{std::move(*frame)});
      }
      continue;
    }
    peer->second.bytes_received += last.size();
    events.emplace_back(FrameReceived{std::move(*frame), address_of(last)});
  }
}

void Mesh::send(const SendFrame& effect) {
  const auto peer = impl_->peers.find(effect.peer);
  if (peer == impl_->peers.end()) throw std::logic_error("frame for '" + effect.peer + "', which is no peer");
  std::string bytes = wire::encode(effect.frame);
  peer->second.link->send(std::move(bytes));
}

void Mesh::send(const SendGossip& effect) {
  const std::string bytes = wire::encode(effect.message);
  // A PUB never blocks: it drops for whoever is slow, and gossip repairs itself.
  if (impl_->gossip_out.send(zmq::buffer(bytes), zmq::send_flags::dontwait)) {
    impl_->stats.gossip_bytes_sent += bytes.size();
  }
}

MeshStats Mesh::stats() const {
  MeshStats stats = impl_->stats;
  for (const auto& [id, peer] : impl_->peers) {
    stats.peers.push_back(
        {id, peer.link->bytes_sent(), peer.bytes_received, peer.link->send_failed(), peer.link->rtt_us()});
  }
  return stats;
}

}  // namespace inkmesh::mesh
