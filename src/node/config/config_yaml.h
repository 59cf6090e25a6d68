// cluster.yaml in, validated settings out; or everything that is wrong with the file, each with its line.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "inkmesh/config.h"

namespace inkmesh::config {

/// One thing that is wrong in a file.
struct ConfigMistake {
  unsigned line = 0;  ///< from 1; 0 where the file could not be read at all
  std::string key;    ///< "nodes[2].client"; empty for what is wrong with the file as a whole
  std::string text;   ///< what was expected and what was found
};

/// All that is wrong with a cluster file, in the order of its lines. what() has a line for each:
/// `cluster.yaml:12: nodes[2].client: expected host:port, found "ws3"`.
class ConfigError : public std::runtime_error {
 public:
  ConfigError(std::string file, std::vector<ConfigMistake> mistakes);

  const std::vector<ConfigMistake>& mistakes() const {
    return mistakes_;
  }

 private:
  std::vector<ConfigMistake> mistakes_;
};

/// Reads a cluster file of at most 1 MiB. Throws ConfigError, also when the file cannot be read.
ClusterConfig load_cluster(const std::string& path);

/// The same from memory; `file` is what mistakes are reported under.
ClusterConfig parse_cluster(std::string_view text, const std::string& file);

/// A file that parse_cluster() reads as the same settings.
std::string to_yaml(const ClusterConfig& config);

}  // namespace inkmesh::config
