// The list of nodes: what is refused, and what the operator reads then.
#include <gtest/gtest.h>

#include "config_test_support.h"

namespace inkmesh::config {
namespace {

TEST(ConfigNodes, SaysWhereAnAddressIsWrong) {
  EXPECT_EQ(mistakes_in(kTwoNodes + "  - id: ws3\n"
                                    "    client: \"ws3\"\n"
                                    "    gossip: 127.0.0.1:9083\n"
                                    "    mesh: 127.0.0.1:10083\n"),
            "cluster.yaml:11: nodes[2].client: expected host:port, found \"ws3\"");
}

TEST(ConfigNodes, NamesWhatIsMissing) {
  EXPECT_EQ(mistakes_in("replicas: 2\n"), "cluster.yaml:1: nodes: missing; expected a list of 1 to 1000 nodes");
  EXPECT_EQ(mistakes_in("nodes:\n  - id: ws1\n    client: 127.0.0.1:8081\n    mesh: 127.0.0.1:10081\n"),
            "cluster.yaml:2: nodes[0].gossip: missing; expected host:port (127.0.0.1:8081, [::1]:8081, "
            "ws1.example.org:8081)");
  EXPECT_EQ(mistakes_in("nodes:\n  - client: a:1\n    gossip: a:2\n    mesh: a:3\n"),
            "cluster.yaml:2: nodes[0].id: missing; expected 1 to 32 of A-Z a-z 0-9 _ -");
  EXPECT_EQ(mistakes_in("nodes: []\n"),
            "cluster.yaml:1: nodes: expected a list of 1 to 1000 nodes, found an empty list");
  EXPECT_EQ(mistakes_in("nodes:\n"), "cluster.yaml:1: nodes: expected a list of 1 to 1000 nodes, found nothing");
  EXPECT_EQ(mistakes_in("nodes: [ws1]\n"),
            "cluster.yaml:1: nodes[0]: expected a map of keys and values, found \"ws1\"");
}

TEST(ConfigNodes, RefusesAnIdThatIsNone) {
  const auto with_id = [](const std::string& id) {
    return "nodes:\n  - id: " + id + "\n    client: a:1\n    gossip: a:2\n    mesh: a:3\n";
  };
  EXPECT_EQ(mistakes_in(with_id("\"ws 1\"")),
            "cluster.yaml:2: nodes[0].id: expected 1 to 32 of A-Z a-z 0-9 _ -, found \"ws 1\"");
  EXPECT_EQ(mistakes_in(with_id("ws1~a")),
            "cluster.yaml:2: nodes[0].id: expected 1 to 32 of A-Z a-z 0-9 _ -, found \"ws1~a\"");
  EXPECT_EQ(mistakes_in(with_id("")),
            "cluster.yaml:2: nodes[0].id: expected 1 to 32 of A-Z a-z 0-9 _ -, found nothing");
  EXPECT_EQ(mistakes_in(with_id("[a]")),
            "cluster.yaml:2: nodes[0].id: expected 1 to 32 of A-Z a-z 0-9 _ -, found a list");
}

TEST(ConfigNodes, RefusesADuplicateId) {
  EXPECT_EQ(mistakes_in(kOneNode + "  - id: ws1\n    client: a:1\n    gossip: a:2\n    mesh: a:3\n"),
            "cluster.yaml:6: nodes[1].id: \"ws1\" is taken by nodes[0] in line 2");
}

TEST(ConfigNodes, RefusesADuplicateAddressAcrossNodesAndRoles) {
  EXPECT_EQ(mistakes_in(kOneNode + "  - id: ws2\n    client: 127.0.0.1:8081\n    gossip: a:2\n    mesh: a:3\n"),
            "cluster.yaml:7: nodes[1].client: 127.0.0.1:8081 is taken by nodes[0].client in line 3");
  EXPECT_EQ(mistakes_in(kOneNode + "  - id: ws2\n    client: a:1\n    gossip: 127.0.0.1:10081\n    mesh: a:3\n"),
            "cluster.yaml:8: nodes[1].gossip: 127.0.0.1:10081 is taken by nodes[0].mesh in line 5");
  EXPECT_EQ(mistakes_in("nodes:\n  - id: ws1\n    client: a:1\n    gossip: A:1\n    mesh: a:3\n"),
            "cluster.yaml:4: nodes[0].gossip: a:1 is taken by nodes[0].client in line 3");
}

TEST(ConfigNodes, KnowsAnAddressInItsOtherForms) {
  const auto taken = [](const std::string& first, const std::string& other) {
    const std::string said = mistakes_in("nodes:\n  - id: ws1\n    client: \"" + first + "\"\n    gossip: \"" + other +
                                         "\"\n    mesh: a:3\n");
    return said.find("is taken by nodes[0].client in line 3") != std::string::npos;
  };
  EXPECT_TRUE(taken("127.0.0.1:80", "localhost:80"));
  EXPECT_TRUE(taken("localhost:80", "[::1]:80"));
  EXPECT_TRUE(taken("127.0.0.1:80", "[::ffff:127.0.0.1]:80"));
  EXPECT_TRUE(taken("[::1]:80", "[0:0:0:0:0:0:0:1]:80"));
}

TEST(ConfigNodes, RefusesTwoRolesOfOneNodeThatListenAtOnePort) {
  EXPECT_EQ(mistakes_in("nodes:\n"
                        "  - id: ws1\n"
                        "    client: {listen: 0.0.0.0:80, advertise: ws1:80}\n"
                        "    gossip: {listen: 10.0.0.1:80, advertise: ws1:81}\n"
                        "    mesh: ws1:82\n"),
            "cluster.yaml:4: nodes[0].gossip: 10.0.0.1:80 is taken by nodes[0].client in line 3");
}

TEST(ConfigNodes, NodesOnDifferentMachinesMayListenAlike) {
  const ClusterConfig config = parse(
      "nodes:\n"
      "  - id: ws2\n"
      "    client: {listen: \"0.0.0.0:8081\", advertise: ws2.example.org:80}\n"
      "    gossip: {listen: \"[::]:9081\", advertise: \"[2001:db8::2]:9081\"}\n"
      "    mesh: 10.0.0.2:10081\n"
      "  - id: ws1\n"
      "    client: {listen: \"0.0.0.0:8081\", advertise: ws1.example.org:80}\n"
      "    gossip: {listen: \"[::]:9081\", advertise: \"[2001:db8::1]:9081\"}\n"
      "    mesh: 10.0.0.1:10081\n");
  ASSERT_EQ(config.nodes.size(), 2U);
  const NodeSettings& first = config.nodes[0];
  EXPECT_EQ(first.id, "ws1") << "nodes are sorted by id";
  EXPECT_EQ(first.client.listen.host, "0.0.0.0");
  EXPECT_EQ(first.client.listen.port, 8081);
  EXPECT_EQ(first.client.advertise.host, "ws1.example.org");
  EXPECT_EQ(first.client.advertise.port, 80);
  EXPECT_EQ(first.gossip.listen.host, "::");
  EXPECT_EQ(first.gossip.advertise.host, "2001:db8::1");
  EXPECT_EQ(first.mesh.listen.host, "10.0.0.1");
  EXPECT_EQ(first.mesh.advertise.host, "10.0.0.1");
}

TEST(ConfigNodes, AWildcardNeedsAnAddressToBeFoundAt) {
  const auto with_client = [](const std::string& client) {
    return "nodes:\n  - id: ws1\n    client: " + client + "\n    gossip: a:2\n    mesh: a:3\n";
  };
  EXPECT_EQ(
      mistakes_in(with_client("0.0.0.0:8081")),
      "cluster.yaml:3: nodes[0].client: 0.0.0.0 is every address of the machine; expected advertise: host:port, at "
      "which others find it");
  EXPECT_EQ(mistakes_in(with_client("{listen: a:1, advertise: \"[::]:1\"}")),
            "cluster.yaml:3: nodes[0].client.advertise: :: is every address of the machine; expected advertise: "
            "host:port, at which others find it");
  EXPECT_EQ(mistakes_in(with_client("{listen: a:1}")),
            "cluster.yaml:3: nodes[0].client.advertise: missing; expected host:port (127.0.0.1:8081, [::1]:8081, "
            "ws1.example.org:8081)");
  EXPECT_EQ(mistakes_in(with_client("{listen: a:1, advertise: b:1, advertize: c:1}")),
            "cluster.yaml:3: nodes[0].client.advertize: unknown key; did you mean \"advertise\"?");
}

TEST(ConfigNodes, TakesAThousandAndNoMore) {
  const auto nodes = [](int count) {
    std::string text = "nodes:\n";
    for (int i = 0; i < count; ++i) {
      const std::string n = std::to_string(i);
      text += "  - {id: n" + n + ", client: \"h" + n + ":1\", gossip: \"h" + n + ":2\", mesh: \"h" + n + ":3\"}\n";
    }
    return text;
  };
  EXPECT_EQ(parse(nodes(1000)).nodes.size(), 1000U);
  EXPECT_EQ(mistakes_in(nodes(1001)), "cluster.yaml:2: nodes: expected a list of 1 to 1000 nodes, found 1001");
}

}  // namespace
}  // namespace inkmesh::config
