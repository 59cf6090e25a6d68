#include "mesh/zmq_mesh.h"

#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
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

/// A socket's descriptor tells once that something came, and sending may take that word along: a dealer, which nobody
/// should send to, is looked at every so many polls.
constexpr std::uint64_t kPollsBetweenLooks = 64;

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
  ~Impl();

  void watch(int descriptor, bool* readable);
  void watch(zmq::socket_ref socket, bool* readable);
  void wait(std::int64_t timeout_ms);
  void take_link_events(std::vector<Event>& events);
  bool receive_gossip(std::vector<Event>& events);
  bool receive_frames(std::vector<Event>& events);
  bool of_other_version(std::string_view message, std::vector<Event>& events);
  std::int64_t bounded_wait(std::int64_t timeout_ms) const;

  // What is marked readable is read until nothing is left: ZeroMQ tells of what comes later only then.
  struct Peer {
    std::unique_ptr<PeerLink> link;
    std::uint64_t bytes_received = 0;
    bool monitored = false;
    bool received = false;
  };

  zmq::context_t context;
  zmq::socket_t gossip_out;
  zmq::socket_t gossip_in;
  zmq::socket_t inbox;
  std::map<NodeId, Peer, std::less<>> peers;
  bool gossip_waits = false;
  bool frames_wait = false;
  int descriptor = -1;  ///< an epoll of all of them
  std::vector<epoll_event> ready;
  std::uint64_t polls = 0;
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

  for (const NodeSettings& node : config.nodes) {
    if (node.id == self) continue;
    gossip_in.set(zmq::sockopt::ipv6, connects_by_ipv6(node.gossip.advertise));
    gossip_in.connect(endpoint_of(node.gossip.advertise));
    peers[node.id].link = std::make_unique<PeerLink>(context, node);
  }
  descriptor = epoll_create1(EPOLL_CLOEXEC);
  if (descriptor < 0) throw std::runtime_error("epoll: out of file descriptors");
  watch(gossip_in, &gossip_waits);
  watch(inbox, &frames_wait);
  for (auto& [id, peer] : peers) {
    watch(peer.link->dealer(), &peer.received);
    watch(peer.link->monitor(), &peer.monitored);
  }
}

Mesh::Impl::~Impl() {
  if (descriptor >= 0) close(descriptor);
}

/// `readable` becomes true with the descriptor.
void Mesh::Impl::watch(int watched, bool* readable) {
  epoll_event what{};
  what.events = EPOLLIN;
  what.data.ptr = readable;
  if (epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &what) != 0) throw std::runtime_error("epoll: out of memory");
  ready.emplace_back();
}

void Mesh::Impl::watch(zmq::socket_ref socket, bool* readable) {
  watch(socket.get(zmq::sockopt::fd), readable);
  *readable = (socket.get(zmq::sockopt::events) & ZMQ_POLLIN) != 0;
}

void Mesh::Impl::wait(std::int64_t timeout_ms) {
  const int timeout = timeout_ms < 0 ? -1 : static_cast<int>(std::min<std::int64_t>(timeout_ms, 60'000));
  const int count = epoll_wait(descriptor, ready.data(), static_cast<int>(ready.size()), timeout);
  if (count < 0 && errno != EINTR) throw std::runtime_error(std::string("epoll: ") + std::strerror(errno));
  for (int i = 0; i < count; ++i) {
    auto* readable = static_cast<bool*>(ready[static_cast<std::size_t>(i)].data.ptr);
    if (readable != nullptr) *readable = true;
  }
  if (++polls % kPollsBetweenLooks != 0) return;
  for (auto& [id, peer] : peers)
    peer.received = true;
}

Mesh::Mesh(const ClusterConfig& config, const NodeId& self) try : impl_(std::make_unique<Impl>(config, self)) {
} catch (const zmq::error_t& error) {
  throw std::runtime_error(std::string("cannot start the mesh: ") + error.what());
}

Mesh::~Mesh() = default;

std::int64_t Mesh::Impl::bounded_wait(std::int64_t timeout_ms) const {
  for (const auto& [id, peer] : peers) {
    if (peer.monitored || peer.link->has_news()) return 0;
    if (peer.link->draining() && (timeout_ms < 0 || timeout_ms > kDrainCheckMs)) timeout_ms = kDrainCheckMs;
  }
  return timeout_ms;
}

void Mesh::watch(int descriptor) {
  impl_->watch(descriptor, nullptr);
}

void Mesh::poll(std::int64_t timeout_ms, std::vector<Event>& events) {
  Impl& mesh = *impl_;
  mesh.wait(wait_ms(timeout_ms));
  // Links first: a frame of a peer that has just come back is then stepped after its PeerConnected.
  mesh.take_link_events(events);
  if (mesh.gossip_waits) mesh.gossip_waits = mesh.receive_gossip(events);
  if (mesh.frames_wait) mesh.frames_wait = mesh.receive_frames(events);
}

int Mesh::descriptor() const {
  return impl_->descriptor;
}

std::int64_t Mesh::wait_ms(std::int64_t timeout_ms) const {
  return impl_->gossip_waits || impl_->frames_wait ? 0 : impl_->bounded_wait(timeout_ms);
}

void Mesh::Impl::take_link_events(std::vector<Event>& events) {
  for (auto& [id, peer] : peers) {
    PeerLink& link = *peer.link;
    if (std::exchange(peer.monitored, false) || link.has_news() || link.draining()) link.take_events(events);
    if (!peer.received) continue;
    const std::size_t discarded = link.discard_received(kDrainMessagesMax);
    peer.received = discarded == kDrainMessagesMax;
    stats.malformed += discarded;
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

/// True when more may wait.
bool Mesh::Impl::receive_gossip(std::vector<Event>& events) {
  zmq::message_t last;
  for (std::size_t n = 0; n < kDrainMessagesMax; ++n) {
    const std::size_t parts = receive(gossip_in, last);
    if (parts == 0) return false;
    stats.gossip_bytes_received += last.size();
    if (of_other_version(view_of(last), events)) continue;
    auto message = parts == 1 ? wire::decode_gossip(view_of(last)) : std::nullopt;
    if (message && peers.contains(message->node)) {
      events.emplace_back(GossipReceived{std::move(*message)});
    } else {
      ++stats.malformed;
    }
  }
  return true;
}

bool Mesh::Impl::receive_frames(std::vector<Event>& events) {
  zmq::message_t last;
  for (std::size_t n = 0; n < kDrainMessagesMax; ++n) {
    const std::size_t parts = receive(inbox, last);
    if (parts == 0) return false;
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
  return true;
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
