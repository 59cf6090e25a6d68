// What `inkmesh dev` plans, checks and reports. That its nodes die with it is shown from outside, in tests/e2e.
#include "cli/dev_cluster.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "cli/commands.h"
#include "node/config/config_values.h"
#include "node/config/config_yaml.h"

namespace inkmesh::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

DevPlan plan_of(unsigned nodes, std::uint16_t port) {
  DevPlan plan;
  plan.nodes = nodes;
  plan.port = port;
  plan.folder = "/tmp/a folder";
  plan.settings.ack = 1;
  return plan;
}

std::string refusal_of(const DevPlan& plan) {
  try {
    plan_cluster(plan);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "taken without a word";
}

TEST(DevCluster, MirrorsTheRepositorysFile) {
  const ClusterConfig cluster = plan_cluster(plan_of(3, 8081));
  const ClusterConfig file = config::load_cluster(INKMESH_CLUSTER_YAML);
  ASSERT_EQ(cluster.nodes.size(), file.nodes.size());
  for (std::size_t i = 0; i < file.nodes.size(); ++i) {
    EXPECT_EQ(cluster.nodes[i].id, file.nodes[i].id);
    EXPECT_EQ(config::format_address(cluster.nodes[i].client.listen),
              config::format_address(file.nodes[i].client.listen));
    EXPECT_EQ(config::format_address(cluster.nodes[i].gossip.listen),
              config::format_address(file.nodes[i].gossip.listen));
    EXPECT_EQ(config::format_address(cluster.nodes[i].mesh.listen), config::format_address(file.nodes[i].mesh.listen));
  }
  EXPECT_EQ(cluster.storage.path, "/tmp/a folder/{node}");
}

TEST(DevCluster, PortsStayInTheirRangeAndDoNotMeet) {
  EXPECT_EQ(plan_cluster(plan_of(3, 40'000)).nodes[2].mesh.listen.port, 42'002);
  EXPECT_EQ(refusal_of(plan_of(3, 65'000)), "--gossip-port: ports 66000 to 66002 are not all within 1 to 65535");
  EXPECT_EQ(refusal_of(plan_of(2, 65'535)), "--port: ports 65535 to 65536 are not all within 1 to 65535");
  DevPlan meets = plan_of(3, 8081);
  meets.gossip_port = 8083;
  EXPECT_THAT(refusal_of(meets), HasSubstr("127.0.0.1:8083 is taken by nodes[0].gossip"));
}

TEST(DevCluster, SaysWhichPortsAreInUse) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof place;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&place), size), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&place), &size), 0);
  const std::uint16_t port = ntohs(place.sin_port);

  ClusterConfig cluster;
  const auto at = [](std::uint16_t number) { return Endpoint{{"127.0.0.1", number}, {"127.0.0.1", number}}; };
  cluster.nodes.push_back({"ws1", at(port), at(port), at(port)});
  const std::string address = "127.0.0.1:" + std::to_string(port);
  EXPECT_THAT(ports_in_use(cluster),
              ElementsAre(address + " (ws1 client)", address + " (ws1 gossip)", address + " (ws1 mesh)"));
  ::close(fd);
  EXPECT_THAT(ports_in_use(cluster), ElementsAre());
}

TEST(DevCluster, TheCommandThatStartsANodeAgainMayBePasted) {
  const std::string line =
      shell_command(node_arguments("/tmp/a folder/it's/cluster.yaml", "ws2", {"--log-level", "info"}));
  EXPECT_THAT(line, HasSubstr(" node --config '/tmp/a folder/it'\\''s/cluster.yaml' --node ws2 --log-level info"));
  EXPECT_EQ(line.front(), '/');
}

TEST(DevCluster, ShowsTheLastLinesOfALog) {
  char path[] = "/tmp/inkmesh_log_XXXXXX";
  ::close(::mkstemp(path));
  std::ofstream out(path);
  for (int i = 0; i < 5'000; ++i)
    out << "line " << i << "\n";
  out.close();
  EXPECT_EQ(last_lines(path, 2), "    line 4998\n    line 4999\n");
  EXPECT_EQ(last_lines(path, 2, std::filesystem::file_size(path) - 10), "    line 4999\n");
  std::ofstream(path) << "one";
  EXPECT_EQ(last_lines(path, 2), "    one\n");
  ::unlink(path);
  EXPECT_EQ(last_lines(path, 2), "");
}

TEST(DevCluster, AnEndIsToldInWords) {
  EXPECT_EQ(ending_in_words(SIGKILL), "was killed by signal 9 (Killed)");
  EXPECT_EQ(ending_in_words(3 << 8), "ended with exit code 3");
}

}  // namespace
}  // namespace inkmesh::cli
