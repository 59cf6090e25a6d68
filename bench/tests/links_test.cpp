// The bytes between nodes are what the kernel says they are, each once, and of those ports alone.
#include "load/links.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "common/net.h"

namespace inkmesh::bench {
namespace {

// A listener at a port that the system chose, and a connection to it.
class LinksTest : public testing::Test {
 protected:
  LinksTest() : listener_(listen_at(parse_address("127.0.0.1:0"))) {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    there = connect_to(address);
    while (here < 0)
      here = accept_from(listener_);
  }
  ~LinksTest() override {
    close(there);
    close(here);
    close(listener_);
  }

  /// Until the other end has them.
  static void pass(int from, int to, std::size_t count) {
    ASSERT_EQ(send(from, std::string(count, 'x').data(), count, 0), static_cast<ssize_t>(count));
    std::string got(count, '\0');
    for (std::size_t have = 0; have < count;) {
      const auto more = recv(to, got.data(), count - have, 0);
      if (more > 0) have += static_cast<std::size_t>(more);
    }
  }

  std::uint16_t port = 0;
  int there = -1;
  int here = -1;

 private:
  int listener_;
};

TEST_F(LinksTest, CountsWhatWasSentInBothDirections) {
  Links links;
  links.add(port);
  const auto before = links.bytes();
  pass(there, here, 3000);
  pass(here, there, 500);
  // An acknowledgement may wait for a while.
  for (int i = 0; i < 200 && links.bytes() - before < 3500; ++i)
    usleep(5000);
  EXPECT_EQ(links.bytes() - before, 3500U);
}

TEST_F(LinksTest, CountsNothingOfOtherPorts) {
  Links links;
  links.add(1);
  pass(there, here, 3000);
  EXPECT_EQ(links.bytes(), 0U);
}

}  // namespace
}  // namespace inkmesh::bench
