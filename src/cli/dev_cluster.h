// The cluster that `inkmesh dev` runs: its file, its ports, its processes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/child_process.h"
#include "inkmesh/config.h"

namespace inkmesh::cli {

struct DevPlan {
  unsigned nodes = 3;
  std::uint16_t port = 8081;      ///< ws1's client port; ws2's is the next
  std::uint16_t gossip_port = 0;  ///< ws1's; 0: port + 1000
  std::uint16_t mesh_port = 0;    ///< ws1's; 0: port + 2000
  std::string folder;             ///< absolute
  ClusterConfig settings;         ///< everything but the nodes and the storage's path
};

/// The cluster's settings: ws1, ws2, … on loopback. Throws UsageError where the ports leave their range or meet.
ClusterConfig plan_cluster(const DevPlan& plan);

/// Addresses of the cluster that somebody else listens at now, in words ("127.0.0.1:8081 (ws1 client)").
std::vector<std::string> ports_in_use(const ClusterConfig& cluster);

/// One node's process and what is known of it.
struct DevNode {
  NodeSettings settings;
  std::string log_path;
  std::uintmax_t log_begin = 0;  ///< where this run's lines begin
  ChildProcess process;
  bool ready = false;
  bool reported_dead = false;

  /// True when /readyz says so now; otherwise `why` says why not.
  bool ask_ready(std::string& why) const;
};

/// The arguments that start a node, as for a shell too.
std::vector<std::string> node_arguments(const std::string& config_path, const NodeId& node,
                                        const std::vector<std::string>& more);
std::string shell_command(const std::vector<std::string>& arguments);

/// The last lines of a file past `from`, for a report.
std::string last_lines(const std::string& path, std::size_t count, std::uintmax_t from = 0);

}  // namespace inkmesh::cli
