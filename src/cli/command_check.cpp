// inkmesh check: is a cluster file right, and what does it say?
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/table.h"
#include "node/config/config_values.h"
#include "node/config/config_yaml.h"

namespace inkmesh::cli {
namespace {

std::string place(const Endpoint& endpoint) {
  const std::string listen = config::format_address(endpoint.listen);
  const std::string advertise = config::format_address(endpoint.advertise);
  return listen == advertise ? listen : advertise + " (listens at " + listen + ")";
}

int run_check(const std::string& path) {
  const ClusterConfig cluster = config::load_cluster(path);
  Table table({{"NODE"}, {"CLIENT"}, {"GOSSIP"}, {"MESH"}});
  for (const NodeSettings& node : cluster.nodes) {
    table.add({node.id, place(node.client), place(node.gossip), place(node.mesh)});
  }
  const auto homes = std::min<std::size_t>(cluster.replicas, cluster.nodes.size());
  const bool sync = cluster.storage.durability == Durability::sync;
  std::cout << path << ": right\n\n"
            << table.text() << "\nEach channel is stored by " << homes << (homes == 1 ? " home" : " homes")
            << ", by the node that a stroke came to and by every node that has it open.\n"
            << "A stroke is acknowledged once " << cluster.ack << (cluster.ack == 1 ? " node has" : " nodes have")
            << " it on disk"
            << (sync ? ", and seen by nobody before the first has.\n"
                     : ", and may be seen before that: each commits every " +
                           std::to_string(cluster.storage.commit_interval_ms) + " ms.\n")
            << "Stores are at " << cluster.storage.path << " and grow to "
            << config::format_size(cluster.storage.map_size_bytes) << " at most.\n";
  return kOk;
}

}  // namespace

void add_check_command(CLI::App& program, Run& run) {
  auto path = std::make_shared<std::string>("cluster.yaml");
  CLI::App* command = program.add_subcommand("check");
  command->description(
      "Check a cluster file and say what it means\n"
      "\n"
      "Every mistake is listed with its line, its key and what was expected there:\n"
      "\n"
      "  cluster.yaml:12: nodes[2].client: expected host:port, found \"ws3\"\n"
      "\n"
      "Ends with 0 when the file is right and with 2 when it is not.\n");
  command->add_option("FILE", *path, "The cluster file")->capture_default_str()->type_name("");
  command->callback([path, &run] { run = [path] { return run_check(*path); }; });
}

}  // namespace inkmesh::cli
