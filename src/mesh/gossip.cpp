#include "mesh/gossip.h"

#include <cerrno>
#include <stdexcept>
#include <string>

#include "mesh/addresses.h"
#include "mesh/limits.h"

namespace inkmesh::mesh {
namespace {

/// A subscriber that lags by more misses gossip, and asks for what it missed.
constexpr int kOutMessagesMax = 256;
constexpr int kInMessagesMax = 512;

/// Before bind and connect. CurveZMQ's keys belong here, once cluster.yaml has them.
void set_options(zmq::socket_t& socket, int queued_messages_max) {
  socket.set(zmq::sockopt::heartbeat_ivl, kHeartbeatIntervalMs);
  socket.set(zmq::sockopt::heartbeat_timeout, kGossipTimeoutMs);
  socket.set(zmq::sockopt::heartbeat_ttl, kGossipTimeoutMs);
  socket.set(zmq::sockopt::tcp_maxrt, kTcpMaxRetransmitMs);
  socket.set(zmq::sockopt::connect_timeout, kConnectTimeoutMs);
  socket.set(zmq::sockopt::handshake_ivl, kHandshakeTimeoutMs);
  socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
  socket.set(zmq::sockopt::reconnect_ivl_max, kReconnectMaxMs);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(kMaxMessageBytes));
  socket.set(zmq::sockopt::linger, kLingerMs);
  socket.set(zmq::sockopt::sndhwm, queued_messages_max);
  socket.set(zmq::sockopt::rcvhwm, queued_messages_max);
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

}  // namespace

Gossip::Gossip(Poller& poller, const ClusterConfig& config, const NodeSettings& self)
    : out_(context_, zmq::socket_type::pub), in_(context_, zmq::socket_type::sub) {
  set_options(out_, kOutMessagesMax);
  bind(out_, self.gossip.listen);

  set_options(in_, kInMessagesMax);
  // One subscription, to everything: more of them than the high-water mark would be lost without a word.
  in_.set(zmq::sockopt::subscribe, "");
  for (const NodeSettings& node : config.nodes) {
    if (node.id == self.id) continue;
    in_.set(zmq::sockopt::ipv6, connects_by_ipv6(node.gossip.advertise));
    in_.connect(endpoint_of(node.gossip.advertise));
  }
  poller.watch(in_.get(zmq::sockopt::fd), EPOLLIN, &ready_);
  // What came meanwhile may have been told to nobody.
  ready_ = EPOLLIN;
}

bool Gossip::send(std::string_view message) {
  return out_.send(zmq::buffer(message), zmq::send_flags::dontwait).has_value();
}

std::size_t Gossip::next(zmq::message_t& last) {
  std::size_t parts = 0;
  do {
    if (!in_.recv(last, zmq::recv_flags::dontwait)) return parts;
    ++parts;
  } while (last.more());
  return parts;
}

}  // namespace inkmesh::mesh
