#include "cli/dev_cluster.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "cli/commands.h"
#include "cli/http_client.h"
#include "node/config/config_values.h"
#include "node/config/config_yaml.h"

namespace inkmesh::cli {
namespace {

constexpr const char* kLoopback = "127.0.0.1";
constexpr unsigned kGossipStep = 1000;
constexpr unsigned kMeshStep = 2000;

std::uint16_t first_port(unsigned port, unsigned nodes, const char* option) {
  if (port < 1 || port + nodes - 1 > std::numeric_limits<std::uint16_t>::max()) {
    throw UsageError(std::string(option) + ": ports " + std::to_string(port) + " to " +
                     std::to_string(port + nodes - 1) + " are not all within 1 to 65535");
  }
  return static_cast<std::uint16_t>(port);
}

Endpoint loopback(unsigned port) {
  const Address address{kLoopback, static_cast<std::uint16_t>(port)};
  return {address, address};
}

bool is_free(const Address& address) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw std::runtime_error("no socket to try the ports with");
  // As servers do, so that connections of an earlier life that wait out their time are no hindrance.
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(address.port);
  ::inet_pton(AF_INET, address.host.c_str(), &place.sin_addr);
  const bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0 && ::listen(fd, 1) == 0;
  ::close(fd);
  return free;
}

}  // namespace

ClusterConfig plan_cluster(const DevPlan& plan) {
  const unsigned port = first_port(plan.port, plan.nodes, "--port");
  const unsigned gossip =
      first_port(plan.gossip_port != 0 ? plan.gossip_port : port + kGossipStep, plan.nodes, "--gossip-port");
  const unsigned mesh = first_port(plan.mesh_port != 0 ? plan.mesh_port : port + kMeshStep, plan.nodes, "--mesh-port");
  ClusterConfig cluster = plan.settings;
  cluster.storage.path = plan.folder + "/{node}";
  // As in the repository's file: a balancer on this machine is not taken for one client.
  cluster.trusted_proxies = {kLoopback, "::1"};
  for (unsigned i = 0; i < plan.nodes; ++i) {
    cluster.nodes.push_back(
        {"ws" + std::to_string(i + 1), loopback(port + i), loopback(gossip + i), loopback(mesh + i)});
  }
  // Read as a file, so that what is refused there is refused here in the same words, and defaults are the same.
  return config::parse_cluster(config::to_yaml(cluster), plan.folder + "/cluster.yaml");
}

std::vector<std::string> ports_in_use(const ClusterConfig& cluster) {
  std::vector<std::string> used;
  for (const NodeSettings& node : cluster.nodes) {
    const auto look = [&](const Endpoint& endpoint, const char* role) {
      if (!is_free(endpoint.listen)) {
        used.push_back(config::format_address(endpoint.listen) + " (" + node.id + " " + role + ")");
      }
    };
    look(node.client, "client");
    look(node.gossip, "gossip");
    look(node.mesh, "mesh");
  }
  return used;
}

bool DevNode::ask_ready(std::string& why) const {
  constexpr auto kTimeout = std::chrono::milliseconds(500);
  try {
    const HttpAnswer answer = http_get(settings.client.advertise, "/readyz", kTimeout);
    if (answer.status == 200) return true;
    why = answer.body;
  } catch (const std::runtime_error& error) {
    why = error.what();
  }
  return false;
}

std::vector<std::string> node_arguments(const std::string& config_path, const NodeId& node,
                                        const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"node", "--config", config_path, "--node", node};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::string shell_command(const std::vector<std::string>& arguments) {
  std::error_code error;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  std::string line;
  const auto add = [&line](const std::string& word) {
    if (!line.empty()) line += ' ';
    const bool plain =
        word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=+,@") ==
        std::string::npos;
    if (plain && !word.empty()) {
      line += word;
      return;
    }
    line += '\'';
    for (const char c : word)
      line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  };
  add(error ? "inkmesh" : program);
  for (const std::string& argument : arguments)
    add(argument);
  return line;
}

std::string last_lines(const std::string& path, std::size_t count, std::uintmax_t from) {
  constexpr std::streamoff kTailBytes = 16'384;
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  in.seekg(std::max<std::streamoff>(static_cast<std::streamoff>(from), in.tellg() - kTailBytes));
  std::deque<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
    if (lines.size() > count) lines.pop_front();
  }
  std::string text;
  for (const std::string& line : lines)
    text += "    " + line + "\n";
  return text;
}

}  // namespace inkmesh::cli
