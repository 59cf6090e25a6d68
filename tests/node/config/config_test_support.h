// What the tests of cluster.yaml share: files as text, and the mistakes that they give.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "node/config/config_yaml.h"

namespace inkmesh::config {

/// One correct node, which starts at line 1 and ends at line 5.
inline const std::string kOneNode =
    "nodes:\n"
    "  - id: ws1\n"
    "    client: 127.0.0.1:8081\n"
    "    gossip: 127.0.0.1:9081\n"
    "    mesh: 127.0.0.1:10081\n";

/// Two correct nodes: lines 1 to 9.
inline const std::string kTwoNodes = kOneNode +
                                     "  - id: ws2\n"
                                     "    client: 127.0.0.1:8082\n"
                                     "    gossip: 127.0.0.1:9082\n"
                                     "    mesh: 127.0.0.1:10082\n";

inline ClusterConfig parse(const std::string& text) {
  return parse_cluster(text, "cluster.yaml");
}

/// Everything that is wrong with a file, as an operator sees it.
inline std::string mistakes_in(const std::string& text) {
  try {
    parse(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  ADD_FAILURE() << "taken without a word:\n" << text.substr(0, 1000);
  return {};
}

}  // namespace inkmesh::config
