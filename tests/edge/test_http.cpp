// HTTP on the same port.
#include <thread>

#include "edge_fixture.h"

namespace inkmesh::edge::test {
namespace {

std::string get(const std::string& target, const std::string& more = "", const std::string& method = "GET") {
  return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

class Http : public EdgeTest {
 protected:
  std::string answer_to(const std::string& request) {
    RawClient one = client();
    one.send_raw(request);
    return one.read_all(Millis(15'000));
  }
  static std::string body_of(const std::string& answer) {
    const auto at = answer.find("\r\n\r\n");
    return at == std::string::npos ? "no answer" : answer.substr(at + 4);
  }
  static bool has(const std::string& answer, const std::string& part) {
    return answer.find(part) != std::string::npos;
  }
};

TEST_F(Http, HealthIsTheEdgesOwn) {
  start();
  const std::string answer = answer_to(get("/healthz"));
  EXPECT_EQ(answer.rfind("HTTP/1.1 200 OK\r\n", 0), 0U) << answer;
  EXPECT_TRUE(has(answer, "Connection: close\r\n")) << answer;
  EXPECT_TRUE(has(answer, "Content-Length: 11\r\n")) << answer;
  EXPECT_EQ(body_of(answer), R"({"ok":true})");
}

TEST_F(Http, FilesComeWithTheirHeadersAndHeadWithoutTheirBodies) {
  HttpResponse page;
  page.content_type = "text/html; charset=utf-8";
  page.body = std::string(600'000, 'w');
  page.headers = {{"X-Content-Type-Options", "nosniff"}};
  files = [&](const std::string& path) { return path == "/" ? &page : nullptr; };
  start();
  const std::string answer = answer_to(get("/?board=abc"));
  EXPECT_TRUE(has(answer, "X-Content-Type-Options: nosniff\r\n"));
  EXPECT_TRUE(has(answer, "Content-Type: text/html; charset=utf-8\r\n"));
  EXPECT_EQ(body_of(answer), page.body);
  const std::string head = answer_to(get("/", "", "HEAD"));
  EXPECT_TRUE(has(head, "Content-Length: 600000\r\n")) << head;
  EXPECT_EQ(body_of(head), "");
}

TEST_F(Http, ASlowDownloadIsNotCutOff) {
  HttpResponse page;
  page.body = std::string(8'000'000, 'w');
  files = [&](const std::string&) { return &page; };
  start();
  RawClient slow = client("127.0.0.1", 4'096);
  slow.send_raw(get("/"));
  const auto begin = std::chrono::steady_clock::now();
  std::size_t got = 0;
  while (std::chrono::steady_clock::now() - begin < Millis(4'000)) {
    got += slow.drop(4'096);
    std::this_thread::sleep_for(Millis(20));
  }
  got += slow.read_all(Millis(20'000)).size();
  EXPECT_GT(got, page.body.size());
}

TEST_F(Http, TheRestIsTheNodesToAnswer) {
  HttpRequest seen;
  node.on_http = [&](HttpRequest&& request) {
    seen = request;
    std::thread([this, conn = request.conn] {
      HttpResponse response;
      response.status = 201;
      response.body = "{}";
      response.headers = {{"Retry-After", "1"}};
      edge->answer(conn, std::move(response));
    }).detach();
    return true;
  };
  start();
  const std::string body = R"({"client":"b","op":1,"data":1})";
  const std::string answer =
      answer_to(get("/channels/d/strokes?x=1",
                    "Authorization: Bearer t0k\r\nContent-Length: " + std::to_string(body.size()) + "\r\n", "POST")
                    .append(body));
  EXPECT_EQ(answer.rfind("HTTP/1.1 201 Created\r\n", 0), 0U) << answer;
  EXPECT_TRUE(has(answer, "Retry-After: 1\r\n"));
  EXPECT_EQ(body_of(answer), "{}");
  EXPECT_TRUE(is_http(seen.conn));
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/channels/d/strokes?x=1");
  EXPECT_EQ(seen.bearer, "t0k");
  EXPECT_EQ(seen.body, body);
  EXPECT_TRUE(node.look([&] { return node.opened.empty(); })) << "an HTTP request is no connection of the core's";
}

TEST_F(Http, ANodeThatIsTooBusyOrTooSlowIs503) {
  std::atomic<bool> taken{false};
  node.on_http = [&](HttpRequest&&) { return taken.load(); };
  start();
  EXPECT_EQ(answer_to(get("/status")).rfind("HTTP/1.1 503 Service Unavailable\r\n", 0), 0U);
  taken = true;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(answer_to(get("/status")).rfind("HTTP/1.1 503 Service Unavailable\r\n", 0), 0U);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, Millis(9'500));
}

TEST_F(Http, AnAnswerForWhoHasGoneIsDropped) {
  std::atomic<ConnId> asked{0};
  node.on_http = [&](HttpRequest&& request) {
    asked = request.conn;
    return true;
  };
  start();
  {
    RawClient one = client();
    one.send_raw(get("/status"));
    ASSERT_TRUE(eventually([&] { return asked != 0; }));
  }
  edge->answer(asked, HttpResponse{});
  edge->answer(asked, HttpResponse{});
  EXPECT_EQ(body_of(answer_to(get("/healthz"))), R"({"ok":true})");
}

TEST_F(Http, LargeBodiesAreRefusedBeforeTheyAreRead) {
  start();
  const std::size_t memory = resident_bytes();
  std::vector<RawClient> senders;
  for (int i = 0; i < 8; ++i) {
    senders.push_back(client());
    senders.back().send_raw(get("/channels/d/strokes", "Content-Length: 32000000\r\n", "POST"));
    const std::string chunk(64'000, 'x');
    for (int k = 0; k < 500 && senders.back().send_some(chunk) > 0; ++k) {
    }
  }
  for (RawClient& one : senders) {
    EXPECT_EQ(one.read_all().rfind("HTTP/1.1 413 Content Too Large\r\n", 0), 0U);
  }
  EXPECT_LT(resident_bytes() - memory, memory_slack(std::size_t{8} << 20U));
  EXPECT_EQ(answer_to(get("/x", "Content-Length: 18446744073709551615\r\n", "POST")).rfind("HTTP/1.1 413 ", 0), 0U);
  EXPECT_EQ(answer_to(get("/x", "Content-Length: -1\r\n", "POST")).rfind("HTTP/1.1 413 ", 0), 0U);
  EXPECT_EQ(answer_to(get("/x", "Transfer-Encoding: chunked\r\n", "POST")).rfind("HTTP/1.1 411 ", 0), 0U);
}

TEST_F(Http, Http10NeedNotNameAHostAndHttp11Must) {
  start();
  EXPECT_EQ(body_of(answer_to("GET /healthz HTTP/1.0\r\n\r\n")), R"({"ok":true})");
  EXPECT_EQ(body_of(answer_to("GET /healthz HTTP/1.0\r\nHost: [::1]:8081\r\n\r\n")), R"({"ok":true})");
  const std::string refused = answer_to("GET /healthz HTTP/1.1\r\n\r\n");
  EXPECT_EQ(refused.rfind("HTTP/1.1 400 ", 0), 0U) << refused;
  EXPECT_TRUE(has(refused, "with a Host")) << refused;
}

TEST_F(Http, TheWebSocketsAddressAsksForAnUpgrade) {
  start();
  const std::string answer = answer_to(get("/ws"));
  EXPECT_EQ(answer.rfind("HTTP/1.1 426 Upgrade Required\r\n", 0), 0U) << answer;
  EXPECT_TRUE(has(answer, "Sec-WebSocket-Version: 13\r\n")) << answer;
}

}  // namespace
}  // namespace inkmesh::edge::test
