// Validated settings: what cluster.yaml says, with units in the names. Whoever holds one may rely on its ranges.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inkmesh/types.h"

namespace inkmesh {

/// A host (IPv4, IPv6 without brackets, or a name) and a TCP port, 1 to 65535.
struct Address {
  std::string host;
  std::uint16_t port = 0;
};

/// Where a node listens, and where others find it (the same unless cluster.yaml has `advertise`).
struct Endpoint {
  Address listen;
  Address advertise;
};

struct NodeSettings {
  NodeId id;
  Endpoint client;  ///< WebSocket and HTTP
  Endpoint gossip;  ///< ZeroMQ PUB
  Endpoint mesh;    ///< ROUTER of the links
};

enum class Durability { sync, async };

struct StorageSettings {
  /// Folder of the store. `{node}` stands for the node's id.
  std::string path = "data/{node}";
  std::uint64_t map_size_bytes = std::uint64_t{64} << 30;
  Durability durability = Durability::sync;
  /// With Durability::async: how often a group is committed. 1 to 10000.
  std::uint32_t commit_interval_ms = 100;
};

struct LimitSettings {
  std::uint32_t connections = 20'000;              ///< of one node; 1 to 1'000'000
  std::uint32_t connections_per_address = 10'000;  ///< of one client address; 1 to 1'000'000
  std::uint32_t handshakes = 2'000;                ///< connections that are not open yet
  std::uint32_t channels_per_connection = 256;     ///< 1 to 100'000
  std::uint32_t publish_per_s = 200;               ///< of one connection; 1 to 1'000'000
  std::uint32_t signal_per_s = 200;                ///< of one connection; 1 to 1'000'000
  std::uint32_t outbox_bytes = 1U << 20;           ///< what one connection may have unsent; 512 KiB to 1 GiB
  std::uint32_t idle_ms = 30'000;                  ///< a ping after this much silence, closed after twice
};

struct ClusterConfig {
  std::vector<NodeSettings> nodes;  ///< 1 to 1000, ids and addresses unique, sorted by id
  std::uint32_t replicas = 2;       ///< homes of a channel; 0 to 16; more than there are nodes counts as all
  std::uint32_t ack = 2;            ///< 1 to min(max(replicas, 1), nodes)
  StorageSettings storage;
  LimitSettings limits;
  /// Trusted proxies' addresses whose X-Forwarded-For is believed.
  std::vector<std::string> trusted_proxies;
};

}  // namespace inkmesh
