// The list of nodes in a cluster file: ids, addresses, and that none is there twice.
#pragma once

#include <string>
#include <vector>

#include "inkmesh/config.h"
#include "node/config/config_section.h"

namespace inkmesh::config {

/// A node as it was read, with the lines that later mistakes point at.
struct ReadNode {
  NodeSettings settings;
  std::string path;
  unsigned id_line = 0;
  unsigned endpoint_lines[3] = {0, 0, 0};  ///< 0: could not be read
};

/// Reads the key `nodes` of the file, in the file's order. Nodes with mistakes are among them, half filled.
std::vector<ReadNode> read_nodes(Section& file, Mistakes& mistakes);

}  // namespace inkmesh::config
