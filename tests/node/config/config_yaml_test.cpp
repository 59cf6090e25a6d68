// cluster.yaml as a whole: its defaults, its mistakes, and files that mean harm.
#include "node/config/config_yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>

#include "config_test_support.h"
#include "node/config/config_values.h"

namespace inkmesh::config {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ConfigYaml, TheRepositorysFileIsThreeNodesWithTheDefaults) {
  const ClusterConfig config = load_cluster(INKMESH_CLUSTER_YAML);
  ASSERT_EQ(config.nodes.size(), 3U);
  EXPECT_EQ(config.nodes[2].id, "ws3");
  EXPECT_EQ(format_address(config.nodes[2].client.listen), "127.0.0.1:8083");
  const ClusterConfig defaults;
  EXPECT_EQ(config.replicas, defaults.replicas);
  EXPECT_EQ(config.ack, defaults.ack);
  EXPECT_EQ(config.storage.path, defaults.storage.path);
  EXPECT_EQ(config.storage.map_size_bytes, defaults.storage.map_size_bytes);
  EXPECT_EQ(config.storage.durability, defaults.storage.durability);
  EXPECT_EQ(config.storage.commit_interval_ms, defaults.storage.commit_interval_ms);
  EXPECT_EQ(config.limits.connections, defaults.limits.connections);
  EXPECT_EQ(config.limits.connections_per_address, defaults.limits.connections_per_address);
  EXPECT_EQ(config.limits.handshakes, defaults.limits.handshakes);
  EXPECT_EQ(config.limits.channels_per_connection, defaults.limits.channels_per_connection);
  EXPECT_EQ(config.limits.publish_per_s, defaults.limits.publish_per_s);
  EXPECT_EQ(config.limits.signal_per_s, defaults.limits.signal_per_s);
  EXPECT_EQ(config.limits.outbox_bytes, defaults.limits.outbox_bytes);
  EXPECT_EQ(config.limits.idle_ms, defaults.limits.idle_ms);
}

TEST(ConfigYaml, AckDefaultsToTwoWhereTwoArePossible) {
  EXPECT_EQ(parse(kOneNode).ack, 1U);
  EXPECT_EQ(parse(kTwoNodes).ack, 2U);
  EXPECT_EQ(parse(kTwoNodes + "replicas: 1\n").ack, 1U);
  EXPECT_EQ(parse(kTwoNodes + "replicas: 0\n").ack, 1U);
  EXPECT_EQ(parse(kTwoNodes + "replicas: 16\n").ack, 2U);
}

TEST(ConfigYaml, AckIsAtMostReplicasAndTheClustersSize) {
  EXPECT_EQ(parse(kTwoNodes + "replicas: 16\nack: 2\n").ack, 2U);
  EXPECT_EQ(parse(kTwoNodes + "ack: 1\n").ack, 1U);
  EXPECT_EQ(
      mistakes_in(kTwoNodes + "replicas: 16\nack: 3\n"),
      "cluster.yaml:11: ack: expected a whole number from 1 to 2 (at most replicas, and the number of nodes), found "
      "\"3\"");
  EXPECT_EQ(
      mistakes_in(kTwoNodes + "replicas: 0\nack: 2\n"),
      "cluster.yaml:11: ack: expected a whole number from 1 to 1 (at most replicas, and the number of nodes), found "
      "\"2\"");
  EXPECT_EQ(
      mistakes_in(kTwoNodes + "ack: 0\n"),
      "cluster.yaml:10: ack: expected a whole number from 1 to 2 (at most replicas, and the number of nodes), found "
      "\"0\"");
}

TEST(ConfigYaml, NumbersOutOfRangeSayTheRange) {
  EXPECT_EQ(mistakes_in(kOneNode + "replicas: 17\n"),
            "cluster.yaml:6: replicas: expected a whole number from 0 to 16, found \"17\"");
  EXPECT_EQ(mistakes_in(kOneNode + "replicas: -1\n"),
            "cluster.yaml:6: replicas: expected a whole number from 0 to 16, found \"-1\"");
  EXPECT_EQ(mistakes_in(kOneNode + "limits:\n  publish_per_s: 1e3\n"),
            "cluster.yaml:7: limits.publish_per_s: expected a whole number from 1 to 1000000, found \"1e3\"");
  EXPECT_EQ(mistakes_in(kOneNode + "limits:\n  idle_ms: 99999999999999999999999\n"),
            "cluster.yaml:7: limits.idle_ms: expected a whole number from 1000 to 3600000, found "
            "\"99999999999999999999999\"");
  EXPECT_EQ(mistakes_in(kOneNode + "storage:\n  commit_interval_ms: 100ms\n"),
            "cluster.yaml:7: storage.commit_interval_ms: expected a whole number from 1 to 10000, found \"100ms\"");
}

TEST(ConfigYaml, SizesNeedTheirUnit) {
  EXPECT_EQ(parse(kOneNode + "storage: {map_size: 16MiB}\n").storage.map_size_bytes, std::uint64_t{16} << 20);
  EXPECT_EQ(parse(kOneNode + "limits: {outbox: 512KiB}\n").limits.outbox_bytes, std::uint32_t{512} << 10);
  const std::string expected = "expected a size from 1MiB to 16TiB with its unit, in steps of 4KiB";
  for (const char* size : {"64", "64GB", "0MiB", "17TiB", "1048577B", "64 GiB"}) {
    EXPECT_EQ(mistakes_in(kOneNode + "storage:\n  map_size: " + size + "\n"),
              "cluster.yaml:7: storage.map_size: " + expected + ", found \"" + size + "\"");
  }
}

TEST(ConfigYaml, DurabilityIsSyncOrAsync) {
  EXPECT_EQ(parse(kOneNode + "storage: {durability: async}\n").storage.durability, Durability::async);
  EXPECT_EQ(mistakes_in(kOneNode + "storage:\n  durability: fast\n"),
            "cluster.yaml:7: storage.durability: expected sync or async, found \"fast\"");
}

TEST(ConfigYaml, NodesOnOneHostNeedFoldersOfTheirOwn) {
  EXPECT_EQ(parse(kOneNode + "storage: {path: /var/lib/inkmesh}\n").storage.path, "/var/lib/inkmesh");
  EXPECT_EQ(
      mistakes_in(kTwoNodes + "storage:\n  path: /var/lib/inkmesh\n"),
      "cluster.yaml:11: storage.path: expected {node} in it, found \"/var/lib/inkmesh\": ws1 and ws2 share the host "
      "127.0.0.1");
  EXPECT_EQ(
      mistakes_in(kOneNode + "storage:\n  path: data/{id}\n"),
      "cluster.yaml:7: storage.path: expected a folder, with {node} where the node's id goes, found \"data/{id}\"");
}

TEST(ConfigYaml, UnknownKeysAreRefusedWithTheNearestOne) {
  EXPECT_EQ(mistakes_in(kOneNode + "replica: 2\n"), "cluster.yaml:6: replica: unknown key; did you mean \"replicas\"?");
  EXPECT_EQ(mistakes_in(kOneNode + "colour: red\n"),
            "cluster.yaml:6: colour: unknown key; expected one of nodes, replicas, ack, storage, limits, "
            "trusted_proxies");
  EXPECT_EQ(mistakes_in(kOneNode + "replicas: 2\nack: 1\nreplicas: 3\n"),
            "cluster.yaml:8: replicas: given twice, first in line 6");
}

TEST(ConfigYaml, TrustedProxiesAreAddresses) {
  const ClusterConfig config = parse(kOneNode + "trusted_proxies: [127.0.0.1, \"0:0::1\"]\n");
  EXPECT_THAT(config.trusted_proxies, ::testing::ElementsAre("127.0.0.1", "::1"));
  EXPECT_EQ(mistakes_in(kOneNode + "trusted_proxies:\n  - 127.0.0.1\n  - 10.0.0.0/8\n"),
            "cluster.yaml:8: trusted_proxies[1]: expected an IPv4 or IPv6 address, found \"10.0.0.0/8\"");
  EXPECT_EQ(mistakes_in(kOneNode + "trusted_proxies: 127.0.0.1\n"),
            "cluster.yaml:6: trusted_proxies: expected a list of addresses, found \"127.0.0.1\"");
}

TEST(ConfigYaml, EveryMistakeIsListedInTheOrderOfLines) {
  try {
    parse("ack: 9\nreplicas: 99\nnodes:\n  - id: ws1\n    client: x\n    gossip: a:2\n    mash: a:3\n");
    FAIL() << "taken without a word";
  } catch (const ConfigError& error) {
    ASSERT_EQ(error.mistakes().size(), 5U) << error.what();
    EXPECT_EQ(error.mistakes()[0].key, "ack");
    EXPECT_EQ(error.mistakes()[1].key, "replicas");
    EXPECT_EQ(error.mistakes()[2].key, "nodes[0].mesh");
    EXPECT_EQ(error.mistakes()[3].key, "nodes[0].client");
    EXPECT_EQ(error.mistakes()[4].key, "nodes[0].mash");
    EXPECT_EQ(error.mistakes()[4].line, 7U);
  }
}

TEST(ConfigYaml, WhatIsNoYamlSaysTheLine) {
  EXPECT_EQ(mistakes_in("nodes:\n  - id: ws1\n client: [\n"), "cluster.yaml:3: not YAML: end of map not found");
  EXPECT_EQ(mistakes_in(""), "cluster.yaml:1: empty; expected nodes, and how many replicas");
  EXPECT_EQ(mistakes_in("# only words\n"), "cluster.yaml:1: empty; expected nodes, and how many replicas");
  EXPECT_EQ(mistakes_in("ws1"), "cluster.yaml:1: expected a map of keys and values, found \"ws1\"");
  EXPECT_EQ(mistakes_in(kOneNode + "---\n" + kOneNode), "cluster.yaml:7: expected one document, found another");
  EXPECT_EQ(mistakes_in("? [a]\n: 1\n"), "cluster.yaml:1: expected a plain word as a key");
}

TEST(ConfigYaml, AliasesAnchorsAndTagsAreNotTaken) {
  EXPECT_EQ(mistakes_in("a: &x [1, 2]\n"), "cluster.yaml:1: anchors (&name) are not taken: write the value out");
  EXPECT_EQ(mistakes_in("a: 1\nb: !!str x\n"), "cluster.yaml:2: tags (!name) are not taken");
  std::string bomb = "a: &a [x]\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    const std::string before = std::string("*") + static_cast<char>(c - 1);
    bomb += std::string(1, c) + ": &" + c + " [" + before + "," + before + "]\n";
  }
  EXPECT_THAT(mistakes_in(bomb), StartsWith("cluster.yaml:1: anchors"));
}

TEST(ConfigYaml, DeepAndLongFilesAreRefusedAtOnce) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(mistakes_in(std::string(500'000, '[') + std::string(500'000, ']')),
              HasSubstr("nested more than 8 levels deep"));
  EXPECT_THAT(mistakes_in(std::string(500'000, '[')), StartsWith("cluster.yaml:1: "));
  EXPECT_THAT(mistakes_in(std::string(500'000, '{')), HasSubstr("cluster.yaml:1: "));
  std::string dashes;
  for (int i = 0; i < 250'000; ++i)
    dashes += "- ";
  EXPECT_THAT(mistakes_in(dashes), HasSubstr("nested more than 8 levels deep"));
  std::string values = "a: [";
  for (int i = 0; i < 100'000; ++i)
    values += "x,";
  EXPECT_THAT(mistakes_in(values + "]"), HasSubstr("more than 50000 values"));
  EXPECT_EQ(mistakes_in(std::string(2'000'000, ' ')), "cluster.yaml:1: longer than 1 MiB: this is no cluster file");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(ConfigYaml, AHundredMistakesAreEnough) {
  std::string keys = kOneNode;
  for (int i = 0; i < 500; ++i)
    keys += "zzzzzzzzzz" + std::to_string(i) + ": 1\n";
  try {
    parse(keys);
    FAIL() << "taken without a word";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.mistakes().size(), 101U);
    EXPECT_THAT(error.what(), HasSubstr("and 400 more mistakes"));
  }
}

TEST(ConfigYaml, AFileThatCannotBeReadIsAMistakeToo) {
  const auto mistakes = [](const std::string& path) -> std::string {
    try {
      load_cluster(path);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "taken without a word";
  };
  EXPECT_EQ(mistakes("/nowhere/cluster.yaml"), "/nowhere/cluster.yaml: cannot be opened: No such file or directory");
  EXPECT_EQ(mistakes("/tmp"), "/tmp: cannot be read: Is a directory");
  EXPECT_EQ(mistakes("/dev/zero"), "/dev/zero:1: longer than 1 MiB: this is no cluster file");
  EXPECT_EQ(mistakes("/dev/null"), "/dev/null:1: empty; expected nodes, and how many replicas");
}

TEST(ConfigYaml, WhatIsWrittenReadsAsTheSame) {
  const ClusterConfig config = parse(
      "nodes:\n"
      "  - id: ws1\n"
      "    client: {listen: \"0.0.0.0:8081\", advertise: \"[2001:db8::1]:80\"}\n"
      "    gossip: h:2\n"
      "    mesh: h:3\n"
      "replicas: 3\n"
      "storage: {path: \"/a \\\"b\\\\ \\x01 ü # : {node}\", map_size: 20MiB, durability: async, commit_interval_ms: "
      "7}\n"
      "limits: {connections: 11, connections_per_address: 12, handshakes: 13, channels_per_connection: 14,\n"
      "         publish_per_s: 15, signal_per_s: 16, outbox: 516KiB, idle_ms: 1017}\n"
      "trusted_proxies: [\"::1\", 10.0.0.1]\n");
  const std::string written = to_yaml(config);
  const ClusterConfig again = parse(written);
  EXPECT_EQ(to_yaml(again), written);
  EXPECT_EQ(again.storage.path, "/a \"b\\ \x01 ü # : {node}");
  EXPECT_EQ(again.nodes[0].client.advertise.host, "2001:db8::1");
  EXPECT_EQ(again.nodes[0].client.listen.host, "0.0.0.0");
  EXPECT_EQ(again.limits.signal_per_s, 16U);
  EXPECT_EQ(again.limits.outbox_bytes, std::uint32_t{516} << 10);
  EXPECT_EQ(again.storage.commit_interval_ms, 7U);
  EXPECT_EQ(again.storage.durability, Durability::async);
  EXPECT_EQ(again.trusted_proxies, config.trusted_proxies);
}

}  // namespace
}  // namespace inkmesh::config
