// A cluster file: refused with every mistake on its line, or settings within their ranges that come back from the file
// that is written of them.
#include <string>

#include "door.h"
#include "node/config/config_yaml.h"

namespace {

using namespace inkmesh;
using fuzz::expect;

/// yaml-cpp makes a token of every bracket and comma, and a string of every scalar.
constexpr fuzz::Growth kGrowth{2'000, 64 * 1024};

void check(const config::ConfigError& error, std::string_view text) {
  std::size_t lines = 1;
  for (const char c : text)
    lines += c == '\n' || c == '\r' ? 1 : 0;
  expect(!error.mistakes().empty() && error.mistakes().size() <= 101);
  for (const config::ConfigMistake& mistake : error.mistakes())
    expect(mistake.line >= 1 && mistake.line <= lines + 1 && !mistake.text.empty());
}

void check(const ClusterConfig& config) {
  expect(!config.nodes.empty() && config.nodes.size() <= 1'000 && config.replicas <= 16);
  expect(config.ack >= 1 && config.ack <= std::max<std::size_t>(config.replicas, 1) &&
         config.ack <= config.nodes.size());
  for (const NodeSettings& node : config.nodes)
    expect(valid_node_id(node.id) && node.client.listen.port != 0 && node.mesh.advertise.port != 0);
  expect(config.limits.outbox_bytes >= 512U << 10 && config.limits.idle_ms >= 1'000);
  const std::string text = config::to_yaml(config);
  expect(config::to_yaml(config::parse_cluster(text, "again.yaml")) == text);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  try {
    check(fuzz::within(kGrowth, size, [&] { return config::parse_cluster(text, "cluster.yaml"); }));
  } catch (const config::ConfigError& error) {
    check(error, text);
  }
  return 0;
}
