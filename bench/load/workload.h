// What every workload is told, and what it tells.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "load/dialect.h"
#include "load/json.h"
#include "load/links.h"
#include "load/result.h"
#include "load/usage.h"

namespace inkmesh::bench {

/// The options that all workloads share.
struct Setting {
  std::string dialect_name = "inkmesh";
  std::unique_ptr<Dialect> dialect;
  std::vector<std::string> urls;
  Processes processes;
  Links links;   ///< the nodes' ports for each other's strokes
  Links gossip;  ///< and for gossip, where it has its own
  /// Homes of each channel, where it is to be told how often a stroke has to go to another node; below 0: it is not.
  int homes = -1;
  double settle_s = 1;    ///< between the last subscription and the first stroke
  double warm_s = 1;      ///< drawn and delivered, not measured
  double measured_s = 5;  ///< the window
  double straggle_s = 5;  ///< how long the last deliveries may take
  bool need_acks = false;
  std::string prefix = "bench";  ///< of channels and clients: a new one for each run on the same servers
};

/// Prints a line for whoever drives this program, at once.
void announce(const std::string& line);

}  // namespace inkmesh::bench
