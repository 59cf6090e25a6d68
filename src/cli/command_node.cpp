// inkmesh node: one node of a cluster, in the foreground.
#include <algorithm>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "node/config/config_yaml.h"
#include "node/node.h"

namespace inkmesh::cli {
namespace {

struct NodeArguments {
  std::string config;
  std::string node;
  node::RunOptions options;
};

int run_node(const NodeArguments& arguments) {
  const ClusterConfig cluster = config::load_cluster(arguments.config);
  const bool listed = std::any_of(cluster.nodes.begin(), cluster.nodes.end(),
                                  [&](const NodeSettings& node) { return node.id == arguments.node; });
  if (!listed) {
    std::string known;
    for (const NodeSettings& node : cluster.nodes)
      known += (known.empty() ? "" : ", ") + node.id;
    throw UsageError("--node " + arguments.node + ": " + arguments.config + " has " + known);
  }
  return node::run_node(cluster, arguments.node, arguments.options);
}

}  // namespace

void add_node_command(CLI::App& program, Run& run) {
  auto arguments = std::make_shared<NodeArguments>();
  CLI::App* command = program.add_subcommand("node");
  command->description(
      "Run one node of a cluster\n"
      "\n"
      "It stays in the foreground. Every server gets the same cluster file and is told which node it is. The node\n"
      "serves the whiteboard, WebSockets and HTTP calls at its client address, and finds its peers by the file.\n"
      "SIGTERM and SIGINT drain it: clients are sent to other nodes, what is pending is stored, then it ends with 0.\n"
      "\n"
      "  inkmesh node --config cluster.yaml --node ws1\n");
  command->add_option("-c,--config", arguments->config, "The cluster file")->required()->type_name("FILE");
  command->add_option("-n,--node", arguments->node, "Which of its nodes this one is")->required()->type_name("ID");
  command->add_option("--log-level", arguments->options.log_level, "trace, debug, info, warning or error")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error"}))
      ->capture_default_str();
  command->add_flag("--restored", arguments->options.restored,
                    "The store was put back from a backup: what it lacks is fetched before it counts as whole");
  command->add_flag("--log-json", arguments->options.log_json, "Log lines of JSON instead of text");
  command
      ->add_option("--threads", arguments->options.threads,
                   "Threads for clients, 1 to 64; 0: half the cores, or none but the loop's on fewer than four")
      ->type_name("N")
      ->check(CLI::Range(0U, 64U))
      ->capture_default_str();
  command->add_option("--ready-fd", arguments->options.ready_fd, "Descriptor to write to once the node takes clients")
      ->type_name("FD");
  command->callback([arguments, &run] { run = [arguments] { return run_node(*arguments); }; });
}

}  // namespace inkmesh::cli
