// Meshes on loopback, polled in turn on the test's thread until something has happened.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "inkmesh/config.h"
#include "mesh/mesh.h"

namespace inkmesh::mesh {

/// A TCP port of 127.0.0.1 that nobody listens on.
inline std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool ok = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (fd >= 0) close(fd);
  if (!ok) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

inline Endpoint loopback() {
  const Address address{"127.0.0.1", free_port()};
  return {address, address};
}

inline ClusterConfig cluster_of(const std::vector<NodeId>& ids) {
  ClusterConfig config;
  for (const NodeId& id : ids)
    config.nodes.push_back({id, loopback(), loopback(), loopback()});
  return config;
}

inline GossipMessage heartbeat(const NodeId& node, std::uint64_t version) {
  Heartbeat beat;
  beat.interest_version = version;
  beat.wall_us = 1'763'890'000'000'000;
  return {node, "5k2m9x1q", beat};
}

/// A frame with one signal of that many bytes of data.
inline Frame frame_of(const NodeId& node, std::uint64_t number, std::size_t data_bytes = 16) {
  SignalMessage signal{"drawing_a", "ann", '"' + std::string(data_bytes, 'x') + '"'};
  return {node, "5k2m9x1q", 7, number, {signal}};
}

class Bench {
 public:
  explicit Bench(const std::vector<NodeId>& ids) : config(cluster_of(ids)) {
    for (const NodeId& id : ids)
      start(id);
  }

  void start(const NodeId& id) {
    meshes[id] = std::make_unique<Mesh>(config, id);
  }
  void stop(const NodeId& id) {
    meshes.erase(id);
    seen.erase(id);
  }
  Mesh& mesh(const NodeId& id) {
    return *meshes.at(id);
  }
  const NodeSettings& settings(const NodeId& id) const {
    for (const NodeSettings& node : config.nodes) {
      if (node.id == id) return node;
    }
    throw std::runtime_error("no such node");
  }

  /// Polls every mesh until `done`; false when that takes longer than `within`.
  bool until(const std::function<bool()>& done, std::chrono::milliseconds within = std::chrono::seconds(20)) {
    const auto end = std::chrono::steady_clock::now() + within;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      for (auto& [id, each] : meshes)
        each->poll(2, seen[id]);
    }
    return true;
  }

  template <typename What>
  std::vector<What> all(const NodeId& at) {
    std::vector<What> found;
    for (const Event& event : seen[at]) {
      if (const auto* what = std::get_if<What>(&event)) found.push_back(*what);
    }
    return found;
  }

  std::size_t connects(const NodeId& at, const NodeId& peer) {
    std::size_t count = 0;
    for (const PeerConnected& event : all<PeerConnected>(at))
      count += event.peer == peer ? 1 : 0;
    return count;
  }
  std::size_t disconnects(const NodeId& at, const NodeId& peer) {
    std::size_t count = 0;
    for (const PeerDisconnected& event : all<PeerDisconnected>(at))
      count += event.peer == peer ? 1 : 0;
    return count;
  }
  /// Numbers of the frames that `at` got from `from`, as they came.
  std::vector<std::uint64_t> numbers(const NodeId& at, const NodeId& from) {
    std::vector<std::uint64_t> found;
    for (const FrameReceived& event : all<FrameReceived>(at)) {
      if (event.frame.node == from) found.push_back(event.frame.number);
    }
    return found;
  }
  std::size_t heartbeats(const NodeId& at, const NodeId& from) {
    std::size_t count = 0;
    for (const GossipReceived& event : all<GossipReceived>(at))
      count += event.message.node == from ? 1 : 0;
    return count;
  }

  /// Gossips from one node until the other has heard it: a SUB that joins late misses what came before.
  bool gossip_arrives(const NodeId& from, const NodeId& at) {
    const std::size_t before = heartbeats(at, from);
    std::uint64_t version = 0;
    return until([&] {
      mesh(from).send(SendGossip{heartbeat(from, ++version)});
      return heartbeats(at, from) > before;
    });
  }

  ClusterConfig config;
  std::map<NodeId, std::unique_ptr<Mesh>> meshes;
  std::map<NodeId, std::vector<Event>> seen;
};

}  // namespace inkmesh::mesh
