#include "node/config/config_yaml.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <utility>

#include "node/config/config_nodes.h"
#include "node/config/config_section.h"
#include "node/config/config_values.h"
#include "node/config/yaml_tree.h"

namespace inkmesh::config {
namespace {

using Kind = YamlValue::Kind;

constexpr std::size_t kMistakesMax = 100;
constexpr std::uint64_t kAckMax = 16;

void read_ack(Section& file, ClusterConfig& config, std::size_t node_count, Mistakes& mistakes) {
  // Without nodes there is a mistake already, and nothing to hold ack against.
  const std::uint64_t nodes = node_count > 0 ? node_count : kAckMax;
  const std::uint64_t allowed = std::min<std::uint64_t>(std::max(config.replicas, 1U), nodes);
  const YamlValue* value = file.optional("ack");
  config.ack = static_cast<std::uint32_t>(std::min<std::uint64_t>(2, allowed));
  if (value == nullptr) return;
  const auto found = parse_whole(value->scalar);
  if (value->kind == Kind::scalar && found && *found >= 1 && *found <= allowed) {
    config.ack = static_cast<std::uint32_t>(*found);
    return;
  }
  mistakes.push_back({value->line, "ack",
                      "expected a whole number from 1 to " + std::to_string(allowed) +
                          " (at most replicas, and the number of nodes), found " + shown(*value)});
}

void read_path(Section& section, StorageSettings& storage, const std::vector<ReadNode>& nodes, Mistakes& mistakes) {
  constexpr const char* kExpected = "a folder, with {node} where the node's id goes";
  const YamlValue* path = section.optional("path");
  if (path != nullptr) {
    std::string rest = path->scalar;
    for (std::size_t at = rest.find("{node}"); at != std::string::npos; at = rest.find("{node}"))
      rest.erase(at, 6);
    if (path->kind != Kind::scalar || path->scalar.empty() || rest.find_first_of("{}") != std::string::npos ||
        path->scalar.find('\0') != std::string::npos) {
      section.refuse(*path, kExpected);
      return;
    }
    storage.path = path->scalar;
  }
  if (storage.path.find("{node}") != std::string::npos) return;
  std::map<std::string_view, const ReadNode*> hosts;
  for (const ReadNode& node : nodes) {
    if (node.endpoint_lines[0] == 0) continue;
    const auto [first, fresh] = hosts.emplace(node.settings.client.advertise.host, &node);
    if (fresh) continue;
    mistakes.push_back({path->line, section.path_of("path"),
                        "expected {node} in it, found " + shown(*path) + ": " + first->second->settings.id + " and " +
                            node.settings.id + " share the host " + std::string(first->first)});
    return;
  }
}

StorageSettings read_storage(const YamlValue& value, const std::vector<ReadNode>& nodes, Mistakes& mistakes) {
  StorageSettings storage;
  Section section(value, "storage", mistakes);
  read_path(section, storage, nodes, mistakes);
  section.size("map_size", storage.map_size_bytes, std::uint64_t{1} << 20, std::uint64_t{16} << 40);
  if (const YamlValue* durability = section.optional("durability")) {
    if (durability->kind == Kind::scalar && durability->scalar == "async") {
      storage.durability = Durability::async;
    } else if (durability->kind != Kind::scalar || durability->scalar != "sync") {
      section.refuse(*durability, "sync or async");
    }
  }
  section.whole("commit_interval_ms", storage.commit_interval_ms, 1, 10'000);
  section.finish();
  return storage;
}

LimitSettings read_limits(const YamlValue& value, Mistakes& mistakes) {
  LimitSettings limits;
  Section section(value, "limits", mistakes);
  section.whole("connections", limits.connections, 1, 1'000'000);
  section.whole("connections_per_address", limits.connections_per_address, 1, 1'000'000);
  section.whole("handshakes", limits.handshakes, 1, 1'000'000);
  section.whole("channels_per_connection", limits.channels_per_connection, 1, 100'000);
  section.whole("publish_per_s", limits.publish_per_s, 1, 1'000'000);
  section.whole("signal_per_s", limits.signal_per_s, 1, 1'000'000);
  section.size("outbox", limits.outbox_bytes, std::uint64_t{512} << 10, std::uint64_t{1} << 30);
  section.whole("idle_ms", limits.idle_ms, 1'000, 3'600'000);
  section.finish();
  return limits;
}

std::vector<std::string> read_proxies(const YamlValue& value, Mistakes& mistakes) {
  constexpr const char* kExpected = "an IPv4 or IPv6 address";
  std::vector<std::string> proxies;
  if (value.kind != Kind::list) {
    mistakes.push_back({value.line, "trusted_proxies", "expected a list of addresses, found " + shown(value)});
    return proxies;
  }
  for (std::size_t i = 0; i < value.children.size(); ++i) {
    const YamlValue& item = value.children[i];
    const auto address = item.kind == Kind::scalar ? parse_ip(item.scalar) : std::nullopt;
    if (address) {
      proxies.push_back(*address);
    } else {
      mistakes.push_back({item.line, "trusted_proxies[" + std::to_string(i) + "]",
                          std::string("expected ") + kExpected + ", found " + shown(item)});
    }
  }
  return proxies;
}

ClusterConfig read_cluster(const YamlValue& root, Mistakes& mistakes) {
  ClusterConfig config;
  Section file(root, "", mistakes);
  const std::vector<ReadNode> nodes = read_nodes(file, mistakes);
  file.whole("replicas", config.replicas, 0, 16);
  read_ack(file, config, nodes.size(), mistakes);
  if (const YamlValue* storage = file.optional("storage")) config.storage = read_storage(*storage, nodes, mistakes);
  if (const YamlValue* limits = file.optional("limits")) config.limits = read_limits(*limits, mistakes);
  if (const YamlValue* list = file.optional("trusted_proxies")) config.trusted_proxies = read_proxies(*list, mistakes);
  file.finish();
  for (const ReadNode& node : nodes)
    config.nodes.push_back(node.settings);
  std::sort(config.nodes.begin(), config.nodes.end(),
            [](const NodeSettings& a, const NodeSettings& b) { return a.id < b.id; });
  return config;
}

std::string joined(const std::string& file, const Mistakes& mistakes) {
  std::string out;
  for (const ConfigMistake& mistake : mistakes) {
    if (!out.empty()) out += '\n';
    out += file;
    if (mistake.line > 0) out += ':' + std::to_string(mistake.line);
    out += ": ";
    if (!mistake.key.empty()) out += mistake.key + ": ";
    out += mistake.text;
  }
  return out;
}

Mistakes in_order(Mistakes mistakes) {
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const ConfigMistake& a, const ConfigMistake& b) { return a.line < b.line; });
  if (mistakes.size() > kMistakesMax) {
    const std::size_t more = mistakes.size() - kMistakesMax;
    mistakes.resize(kMistakesMax);
    mistakes.push_back({mistakes.back().line, "", "and " + std::to_string(more) + " more mistakes"});
  }
  return mistakes;
}

}  // namespace

ConfigError::ConfigError(std::string file, std::vector<ConfigMistake> mistakes)
    : std::runtime_error(joined(file, mistakes)), mistakes_(std::move(mistakes)) {}

ClusterConfig parse_cluster(std::string_view text, const std::string& file) {
  Mistakes mistakes;
  ClusterConfig config;
  try {
    const YamlValue root = parse_yaml(text);
    if (root.kind == Kind::nothing) throw YamlError{1, "empty; expected nodes, and how many replicas"};
    config = read_cluster(root, mistakes);
  } catch (const YamlError& error) {
    mistakes.push_back({error.line, "", error.text});
  }
  if (!mistakes.empty()) throw ConfigError(file, in_order(std::move(mistakes)));
  return config;
}

ClusterConfig load_cluster(const std::string& path) {
  const auto refuse = [&path](const std::string& text) { return ConfigError(path, {{0, "", text}}); };
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw refuse("cannot be opened: " + std::string(std::strerror(errno)));
  std::string text(kYamlBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  // Short reads set eofbit and failbit; badbit alone means that reading went wrong (a folder, a failing disk).
  if (in.bad() || (in.gcount() == 0 && !in.eof())) throw refuse("cannot be read: " + std::string(std::strerror(errno)));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return parse_cluster(text, path);
}

}  // namespace inkmesh::config
