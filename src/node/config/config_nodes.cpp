#include "node/config/config_nodes.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "node/config/config_values.h"

namespace inkmesh::config {
namespace {

using Kind = YamlValue::Kind;

constexpr std::size_t kNodesMax = 1000;
constexpr const char* kRoles[3] = {"client", "gossip", "mesh"};
constexpr const char* kAddressExpected = "host:port (127.0.0.1:8081, [::1]:8081, ws1.example.org:8081)";

Endpoint& role(NodeSettings& node, std::size_t index) {
  return index == 0 ? node.client : index == 1 ? node.gossip : node.mesh;
}

std::optional<Address> read_address(const YamlValue& value, const std::string& path, Mistakes& mistakes) {
  auto address = value.kind == Kind::scalar ? parse_address(value.scalar) : std::nullopt;
  if (!address) mistakes.push_back({value.line, path, std::string("expected host:port, found ") + shown(value)});
  return address;
}

std::optional<Endpoint> read_endpoint(const YamlValue& value, const std::string& path, Mistakes& mistakes) {
  constexpr const char* kWildcard =
      " is every address of the machine; expected advertise: host:port, at which others find it";
  if (value.kind != Kind::map) {
    const auto address = read_address(value, path, mistakes);
    if (!address) return std::nullopt;
    if (is_wildcard(*address)) {
      mistakes.push_back({value.line, path, address->host + kWildcard});
      return std::nullopt;
    }
    return Endpoint{*address, *address};
  }
  Section section(value, path, mistakes);
  const YamlValue* listen = section.required("listen", kAddressExpected);
  const YamlValue* advertise = section.required("advertise", kAddressExpected);
  section.finish();
  if (listen == nullptr || advertise == nullptr) return std::nullopt;
  const auto listen_at = read_address(*listen, path + ".listen", mistakes);
  const auto found_at = read_address(*advertise, path + ".advertise", mistakes);
  if (!listen_at || !found_at) return std::nullopt;
  if (is_wildcard(*found_at)) {
    mistakes.push_back({advertise->line, path + ".advertise", found_at->host + kWildcard});
    return std::nullopt;
  }
  return Endpoint{*listen_at, *found_at};
}

ReadNode read_node(const YamlValue& value, const std::string& path, Mistakes& mistakes) {
  constexpr const char* kIdExpected = "1 to 32 of A-Z a-z 0-9 _ -";
  ReadNode node;
  node.path = path;
  Section section(value, path, mistakes);
  if (const YamlValue* id = section.required("id", kIdExpected)) {
    node.id_line = id->line;
    if (id->kind == Kind::scalar && valid_node_id(id->scalar)) {
      node.settings.id = id->scalar;
    } else {
      section.refuse(*id, kIdExpected);
    }
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const YamlValue* endpoint = section.required(kRoles[i], kAddressExpected);
    if (endpoint == nullptr) continue;
    if (const auto read = read_endpoint(*endpoint, section.path_of(kRoles[i]), mistakes)) {
      role(node.settings, i) = *read;
      node.endpoint_lines[i] = endpoint->line;
    }
  }
  section.finish();
  return node;
}

void check_ids(const std::vector<ReadNode>& nodes, Mistakes& mistakes) {
  std::map<std::string_view, const ReadNode*> seen;
  for (const ReadNode& node : nodes) {
    if (node.settings.id.empty()) continue;
    const auto [first, fresh] = seen.emplace(node.settings.id, &node);
    if (fresh) continue;
    mistakes.push_back({node.id_line, node.path + ".id",
                        "\"" + node.settings.id + "\" is taken by " + first->second->path + " in line " +
                            std::to_string(first->second->id_line)});
  }
}

struct Use {
  std::string key;
  unsigned line;
};
using Uses = std::map<std::pair<std::string, std::uint16_t>, Use>;

/// Notes a use of an address. Whose it was already, or null.
const Use* take(Uses& uses, const Address& address, const Use& use) {
  for (std::string& host : hosts_meant(address.host)) {
    const auto [first, fresh] = uses.emplace(std::pair(std::move(host), address.port), use);
    if (!fresh) return &first->second;
  }
  return nullptr;
}

bool overlap(const Address& a, const Address& b) {
  if (is_wildcard(a) || is_wildcard(b)) return true;
  const std::vector<std::string> hosts = hosts_meant(a.host);
  for (const std::string& host : hosts_meant(b.host)) {
    if (std::find(hosts.begin(), hosts.end(), host) != hosts.end()) return true;
  }
  return false;
}

/// No two roles may be found at one address, whichever nodes they are of; and none of one node may listen where another
/// does, a wildcard standing for every address.
void check_addresses(std::vector<ReadNode>& nodes, Mistakes& mistakes) {
  const auto refuse = [&mistakes](const Use& use, const std::string& address, const Use& other) {
    mistakes.push_back(
        {use.line, use.key, address + " is taken by " + other.key + " in line " + std::to_string(other.line)});
  };
  Uses advertised;
  for (ReadNode& node : nodes) {
    std::vector<std::pair<Address, Use>> listening;
    for (std::size_t i = 0; i < 3; ++i) {
      if (node.endpoint_lines[i] == 0) continue;
      const Endpoint& endpoint = role(node.settings, i);
      const Use use{node.path + "." + kRoles[i], node.endpoint_lines[i]};
      if (const Use* taken = take(advertised, endpoint.advertise, use)) {
        refuse(use, format_address(endpoint.advertise), *taken);
        continue;
      }
      for (const auto& [address, other] : listening) {
        if (address.port == endpoint.listen.port && overlap(address, endpoint.listen)) {
          refuse(use, format_address(endpoint.listen), other);
        }
      }
      listening.emplace_back(endpoint.listen, use);
    }
  }
}

}  // namespace

std::vector<ReadNode> read_nodes(Section& file, Mistakes& mistakes) {
  const std::string expected = "a list of 1 to " + std::to_string(kNodesMax) + " nodes";
  std::vector<ReadNode> nodes;
  const YamlValue* list = file.required("nodes", expected);
  if (list == nullptr) return nodes;
  if (list->kind != Kind::list || list->children.empty()) {
    file.refuse(*list, expected);
    return nodes;
  }
  if (list->children.size() > kNodesMax) {
    mistakes.push_back(
        {list->line, "nodes", "expected " + expected + ", found " + std::to_string(list->children.size())});
    return nodes;
  }
  for (std::size_t i = 0; i < list->children.size(); ++i) {
    nodes.push_back(read_node(list->children[i], "nodes[" + std::to_string(i) + "]", mistakes));
  }
  check_ids(nodes, mistakes);
  check_addresses(nodes, mistakes);
  return nodes;
}

}  // namespace inkmesh::config
