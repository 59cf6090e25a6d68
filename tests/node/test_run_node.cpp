// A whole node in a process of its own, from its start to its end.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "node/node.h"

namespace inkmesh::node {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int kPatienceMs = 60'000;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A socket that holds a free port of 127.0.0.1 for as long as it is open, without listening.
class HeldPort {
 public:
  HeldPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0) {
      getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    }
    port_ = ntohs(address.sin_port);
  }
  ~HeldPort() {
    close(fd_);
  }
  HeldPort(const HeldPort&) = delete;
  HeldPort& operator=(const HeldPort&) = delete;

  std::uint16_t port() const {
    return port_;
  }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

std::uint16_t free_port() {
  return HeldPort().port();
}

class RunNode : public ::testing::Test {
 protected:
  RunNode() {
    std::string pattern = std::filesystem::temp_directory_path() / "inkmesh-node-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    for (const char* id : {"ws1", "ws2"}) {
      NodeSettings node;
      node.id = id;
      for (Endpoint* endpoint : {&node.client, &node.gossip, &node.mesh}) {
        endpoint->listen = endpoint->advertise = {"127.0.0.1", free_port()};
      }
      config_.nodes.push_back(node);
    }
    config_.storage.path = folder_ + "/{node}";
    config_.storage.map_size_bytes = std::uint64_t{64} << 20;
    config_.limits.connections = 100;
    config_.limits.handshakes = 100;
  }
  ~RunNode() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
  }

  void alone() {
    config_.nodes.resize(1);
    config_.ack = 1;
  }

  /// Forks a node; true once it says that it takes clients.
  bool start() {
    int ready[2];
    if (pipe(ready) != 0) return false;
    pid_ = fork();
    if (pid_ == 0) {
      close(ready[0]);
      RunOptions options;
      options.ready_fd = ready[1];
      _exit(run_node(config_, "ws1", options));
    }
    close(ready[1]);
    pollfd readable{ready[0], POLLIN, 0};
    char text[16] = {};
    const bool told = poll(&readable, 1, kPatienceMs) == 1 && read(ready[0], text, sizeof text) > 0;
    close(ready[0]);
    return told && std::string(text) == "ready\n";
  }

  /// The exit code; -signal where one ended it.
  int end() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// A connection to the node's client address.
  int connect_client() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(config_.nodes[0].client.listen.port);
    const timeval patience{kPatienceMs / 1000, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }

  /// A whole answer, until the node closes.
  std::string ask(const std::string& method, const std::string& target, const std::string& body = "") const {
    const int fd = connect_client();
    const std::string request = method + " " + target + " HTTP/1.1\r\nHost: ws1\r\nConnection: close\r\n" +
                                (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
                                "\r\n" + body;
    EXPECT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    std::string answer = read_all(fd);
    close(fd);
    return answer;
  }

  /// What comes until the node closes.
  static std::string read_all(int fd) {
    std::string all;
    char buffer[4096];
    for (ssize_t got = 0; (got = recv(fd, buffer, sizeof buffer, 0)) > 0;) {
      all.append(buffer, static_cast<std::size_t>(got));
    }
    return all;
  }

  /// Asks until the node is ready.
  bool ready() const {
    for (int attempt = 0; attempt < 600; ++attempt) {
      if (ask("GET", "/readyz").starts_with("HTTP/1.1 200")) return true;
      poll(nullptr, 0, 50);
    }
    return false;
  }

  std::string folder_;
  ClusterConfig config_;
  pid_t pid_ = -1;
};

TEST_F(RunNode, StartsAnswersAndStops) {
  alone();
  ASSERT_TRUE(start());
  ASSERT_TRUE(ready());
  EXPECT_THAT(ask("GET", "/status"), HasSubstr(R"("node":"ws1")"));
  EXPECT_THAT(ask("GET", "/metrics"), HasSubstr("inkmesh_ready 1\n"));
  EXPECT_THAT(ask("POST", "/channels/drawing_a/strokes", R"({"client":"c","op":1,"data":{"x":1}})"),
              AllOf(StartsWith("HTTP/1.1 201"), HasSubstr(R"("seq":1,)"), HasSubstr(R"("copies":1})")));
  EXPECT_THAT(ask("GET", "/channels/drawing_a/strokes"), HasSubstr(R"("data":{"x":1})"));
  kill(pid_, SIGTERM);
  EXPECT_EQ(end(), kExitStopped);
}

TEST_F(RunNode, KeepsWhatItAcknowledgedThroughSigkillUnderANewEpoch) {
  alone();
  ASSERT_TRUE(start());
  ASSERT_TRUE(ready());
  const std::string first = ask("POST", "/channels/drawing_a/strokes", R"({"client":"c","op":1,"data":{"x":1}})");
  ASSERT_THAT(first, StartsWith("HTTP/1.1 201"));
  kill(pid_, SIGKILL);
  EXPECT_EQ(end(), -SIGKILL);

  ASSERT_TRUE(start());
  ASSERT_TRUE(ready());
  EXPECT_THAT(ask("GET", "/channels/drawing_a/strokes"), HasSubstr(R"("data":{"x":1})"));
  const std::string again = ask("POST", "/channels/drawing_a/strokes", R"({"client":"c","op":1,"data":{"x":1}})");
  EXPECT_THAT(again, HasSubstr(R"("duplicate":true)"));
  const std::string second = ask("POST", "/channels/drawing_a/strokes", R"({"client":"c","op":2,"data":{"x":2}})");
  EXPECT_THAT(second, HasSubstr(R"("seq":1,)")) << "a new epoch counts from 1";
  const auto origin_of = [](const std::string& answer) { return answer.substr(answer.find("\"origin\""), 24); };
  EXPECT_NE(origin_of(first), origin_of(second));
  EXPECT_EQ(origin_of(first), origin_of(again));
  kill(pid_, SIGINT);
  EXPECT_EQ(end(), kExitStopped);
}

TEST_F(RunNode, TellsAnHttpAuthorWhoseStrokeDoesNotBecomeDurable) {
  ASSERT_TRUE(start());  // ws2 never comes, and two nodes must have it
  const std::string answer = ask("POST", "/channels/drawing_a/strokes", R"({"client":"c","op":1,"data":1})");
  EXPECT_THAT(answer,
              AllOf(StartsWith("HTTP/1.1 503"), HasSubstr(R"("code":"unavailable")"), HasSubstr("Retry-After")));
  kill(pid_, SIGTERM);
  EXPECT_EQ(end(), kExitStopped);
}

TEST_F(RunNode, DoesNotStartWhereItsAddressIsTaken) {
  alone();
  const HeldPort taken;
  config_.nodes[0].client.listen.port = taken.port();
  EXPECT_FALSE(start());
  EXPECT_EQ(end(), kExitCannotStart);
}

TEST_F(RunNode, DoesNotStartWhereItsMeshAddressIsTaken) {
  const HeldPort taken;
  config_.nodes[0].mesh.listen.port = taken.port();
  EXPECT_FALSE(start());
  EXPECT_EQ(end(), kExitCannotStart);
}

TEST_F(RunNode, DoesNotStartWhereItsStoreIsAFile) {
  alone();
  config_.storage.path = "/dev/null/{node}";
  EXPECT_FALSE(start());
  EXPECT_EQ(end(), kExitCannotStart);
}

TEST_F(RunNode, DoesNotStartWithoutDescriptors) {
  alone();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  pid_ = fork();
  if (pid_ == 0) {
    const rlimit few{64, 64};
    setrlimit(RLIMIT_NOFILE, &few);
    _exit(run_node(config_, "ws1", {}));
  }
  EXPECT_EQ(end(), kExitCannotStart);
}

TEST_F(RunNode, SaysGoodbyeToItsClients) {
  alone();
  ASSERT_TRUE(start());
  const int client = connect_client();
  const std::string upgrade =
      "GET /ws HTTP/1.1\r\nHost: ws1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  ASSERT_EQ(send(client, upgrade.data(), upgrade.size(), MSG_NOSIGNAL), static_cast<ssize_t>(upgrade.size()));
  char first = 0;
  ASSERT_EQ(recv(client, &first, 1, 0), 1);
  kill(pid_, SIGTERM);
  const std::string rest = read_all(client);
  close(client);
  EXPECT_THAT(rest, HasSubstr(R"({"type":"goaway","retry_ms":)"));
  EXPECT_THAT(rest, HasSubstr("\x03\xf4")) << "1012: comes back soon";
  EXPECT_EQ(end(), kExitStopped);
}

}  // namespace
}  // namespace inkmesh::node
