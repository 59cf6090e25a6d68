// A node, from its settings to the end of its process.
#pragma once

#include <string>

#include "inkmesh/config.h"
#include "inkmesh/types.h"

namespace inkmesh::node {

struct RunOptions {
  /// trace, debug, info, warning, error or off. See valid_log_level().
  std::string log_level = "info";
  /// Log lines as JSON instead of text. Either goes to standard error.
  bool log_json = false;
  /// Edge threads, 1 to 64; 0: what suits the machine: half its cores, and none of their own on fewer than four.
  unsigned threads = 0;
  /// The store was put back from a backup: it may lack what this node acknowledged since.
  bool restored = false;
  /// Gets the line `ready\n` and is closed once clients can connect; -1: nobody waits for it.
  int ready_fd = -1;
};

constexpr int kExitStopped = 0;
/// It could not start: an address in use, a store that does not open. The log says what and why.
constexpr int kExitCannotStart = 1;
/// It had to end at once: going on could have broken a promise. The log says why.
constexpr int kExitHalted = 70;

bool valid_log_level(const std::string& level);

/// Runs the node `self` of the cluster until SIGTERM or SIGINT, and gives the process's exit code. From the first
/// signal on it says goodbye to its clients and commits what waits, within about three seconds; the same signal again
/// ends the process at once. Call it once, from the main thread, before there are others: it blocks the two signals for
/// all threads. A node that has to halt ends the process by itself.
int run_node(const ClusterConfig& config, const NodeId& self, const RunOptions& options);

}  // namespace inkmesh::node
