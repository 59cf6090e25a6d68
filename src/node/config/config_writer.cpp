#include <string>

#include "node/config/config_values.h"
#include "node/config/config_yaml.h"

namespace inkmesh::config {
namespace {

/// A double-quoted YAML string: its escapes are those of JSON, and everything else may stand as it is.
std::string quoted(const std::string& text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xfU];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string endpoint(const Endpoint& endpoint) {
  const std::string listen = quoted(format_address(endpoint.listen));
  const std::string advertise = quoted(format_address(endpoint.advertise));
  if (listen == advertise) return listen;
  return "{listen: " + listen + ", advertise: " + advertise + "}";
}

}  // namespace

std::string to_yaml(const ClusterConfig& config) {
  std::string out = "nodes:\n";
  for (const NodeSettings& node : config.nodes) {
    out += "  - id: " + quoted(node.id) + "\n";
    out += "    client: " + endpoint(node.client) + "\n";
    out += "    gossip: " + endpoint(node.gossip) + "\n";
    out += "    mesh: " + endpoint(node.mesh) + "\n";
  }
  const auto number = [&out](const char* key, std::uint64_t value) {
    out += std::string(key) + ": " + std::to_string(value) + "\n";
  };
  number("replicas", config.replicas);
  number("ack", config.ack);
  out += "storage:\n";
  out += "  path: " + quoted(config.storage.path) + "\n";
  out += "  map_size: " + format_size(config.storage.map_size_bytes) + "\n";
  out += std::string("  durability: ") + (config.storage.durability == Durability::sync ? "sync" : "async") + "\n";
  number("  commit_interval_ms", config.storage.commit_interval_ms);
  out += "limits:\n";
  number("  connections", config.limits.connections);
  number("  connections_per_address", config.limits.connections_per_address);
  number("  handshakes", config.limits.handshakes);
  number("  channels_per_connection", config.limits.channels_per_connection);
  number("  publish_per_s", config.limits.publish_per_s);
  number("  signal_per_s", config.limits.signal_per_s);
  out += "  outbox: " + format_size(config.limits.outbox_bytes) + "\n";
  number("  idle_ms", config.limits.idle_ms);
  out += "trusted_proxies: [";
  for (std::size_t i = 0; i < config.trusted_proxies.size(); ++i) {
    out += (i == 0 ? "" : ", ") + quoted(config.trusted_proxies[i]);
  }
  return out + "]\n";
}

}  // namespace inkmesh::config
