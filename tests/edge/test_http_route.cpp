#include <gtest/gtest.h>

#include "edge/http_route.h"

namespace inkmesh::edge {
namespace {

TEST(HttpRoute, PathsEndAtTheQuery) {
  EXPECT_EQ(path_of("/a/b?c=/d?e"), "/a/b");
  EXPECT_EQ(path_of("/"), "/");
  EXPECT_EQ(path_of(""), "");
}

TEST(HttpRoute, BearerTokensAreFoundWhateverTheSchemesCase) {
  EXPECT_EQ(bearer_of("Bearer abc.def"), "abc.def");
  EXPECT_EQ(bearer_of("bearer   abc"), "abc");
  for (const char* none : {"", "Bearer", "Bearer ", "Bearer   ", "Basic abc", "Bearerabc"}) {
    EXPECT_EQ(bearer_of(none), "") << none;
  }
}

TEST(HttpRoute, KeysAreSixteenBytesInBase64) {
  EXPECT_TRUE(valid_websocket_key("dGhlIHNhbXBsZSBub25jZQ=="));
  for (const char* bad : {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25j Q==",
                          "dGhlIHNhbXBsZSBub25jZQA="}) {
    EXPECT_FALSE(valid_websocket_key(bad)) << bad;
  }
}

TEST(HttpRoute, AnswersHealthFilesAndMisplacedUpgradesAndLeavesTheRest) {
  HttpResponse page;
  page.body = "<html>";
  page.content_type = "text/html";
  const HttpFiles files = [&](const std::string& path) { return path == "/" ? &page : nullptr; };

  EXPECT_EQ(route_http("GET", "/healthz", "", files)->body, R"({"ok":true})");
  EXPECT_EQ(route_http("HEAD", "/healthz?x=1", "", files)->status, 200);
  EXPECT_EQ(route_http("POST", "/healthz", "", files)->status, 405);
  EXPECT_EQ(route_http("GET", "/ws", "", files)->status, 426);
  EXPECT_EQ(route_http("GET", "/?board=abc", "", files)->body, "<html>");
  EXPECT_EQ(route_http("POST", "/x", "chunked", files)->status, 411);
  EXPECT_FALSE(route_http("POST", "/", "", files));
  EXPECT_FALSE(route_http("GET", "/status", "", files));
  EXPECT_FALSE(route_http("GET", "/status", "", HttpFiles()));
}

}  // namespace
}  // namespace inkmesh::edge
