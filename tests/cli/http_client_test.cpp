// The HTTP client against servers that answer as they should, and against others.
#include "cli/http_client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>

namespace inkmesh::cli {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

/// Takes one connection, reads a request, says `answer` and closes.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : answer_(std::move(answer)), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&place), size) != 0 || ::listen(fd_, 1) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&place), &size) != 0) {
      ADD_FAILURE() << "no port to listen at";
    }
    address_ = {"127.0.0.1", ntohs(place.sin_port)};
    server_ = std::thread([this] { serve(); });
  }
  ~OneAnswer() {
    ::shutdown(fd_, SHUT_RDWR);
    server_.join();
    ::close(fd_);
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;

  const Address& address() const {
    return address_;
  }
  const std::string& request() {
    return request_;
  }

 private:
  void serve() {
    const int peer = ::accept(fd_, nullptr, nullptr);
    if (peer < 0) return;
    char buffer[4096];
    while (request_.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(peer, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      request_.append(buffer, static_cast<std::size_t>(got));
    }
    for (const char c : answer_) {
      if (::send(peer, &c, 1, MSG_NOSIGNAL) != 1) break;
    }
    ::close(peer);
  }

  std::string answer_;
  int fd_;
  Address address_;
  std::string request_;
  std::thread server_;
};

std::string failure_of(const std::string& text) {
  const OneAnswer server(text);
  try {
    http_get(server.address(), "/status", milliseconds(2'000));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "taken without a word";
}

TEST(HttpClient, ReadsAnAnswerByItsLengthOrToItsEnd) {
  const OneAnswer with_length("HTTP/1.1 503 Service Unavailable\r\ncontent-LENGTH: 2\r\n\r\n{}and more");
  const HttpAnswer answer = http_get(with_length.address(), "/readyz", milliseconds(2'000));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "{}");
  const OneAnswer without("HTTP/1.0 200 OK\r\nA: b\r\n\r\nall of it");
  EXPECT_EQ(http_get(without.address(), "/", milliseconds(2'000)).body, "all of it");
}

TEST(HttpClient, AsksAsHttpWants) {
  std::string request;
  std::string port;
  {
    OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    http_get(server.address(), "/status", milliseconds(2'000));
    port = std::to_string(server.address().port);
    request = server.request();
  }
  EXPECT_EQ(request, "GET /status HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\nConnection: close\r\n\r\n");
}

TEST(HttpClient, SaysWhatIsWrongWithAnAnswer) {
  EXPECT_THAT(failure_of(""), HasSubstr("closed before an answer"));
  EXPECT_THAT(failure_of("SSH-2.0-OpenSSH\r\n\r\n"), HasSubstr("no HTTP server"));
  EXPECT_THAT(failure_of("HTTP/1.1 abc\r\n\r\n"), HasSubstr("no HTTP server"));
  EXPECT_THAT(failure_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"), HasSubstr("closed within the answer"));
  EXPECT_THAT(failure_of("HTTP/1.1 200 OK\r\n" + std::string(200'000, 'x')), HasSubstr("no end"));
}

TEST(HttpClient, NamesTheAddressWhereNobodyListens) {
  Address nobody;
  {
    const OneAnswer server("");
    nobody = server.address();
  }
  try {
    http_get(nobody, "/", milliseconds(2'000));
    FAIL() << "somebody answered";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("127.0.0.1:" + std::to_string(nobody.port) + ": Connection refused"));
  }
}

TEST(HttpClient, DoesNotWaitForEver) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof place;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&place), size), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&place), &size), 0);
  try {
    http_get({"127.0.0.1", ntohs(place.sin_port)}, "/", milliseconds(50));
    FAIL() << "somebody answered";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no answer in time"));
  }
  ::close(fd);
}

}  // namespace
}  // namespace inkmesh::cli
