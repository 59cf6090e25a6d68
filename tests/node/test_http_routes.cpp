#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <string>

#include "node/http_routes.h"

namespace inkmesh::node {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr ConnId kConn = kConnHttpBit | 9;

HttpAction ask(std::string method, std::string target, std::string body = "", edge::HttpFiles files = {}) {
  edge::HttpRequest request;
  request.conn = kConn;
  request.method = std::move(method);
  request.target = std::move(target);
  request.body = std::move(body);
  return route(request, files);
}

/// The response that was made at once; fails the test where there is none.
edge::HttpResponse response(HttpAction action) {
  if (auto* made = std::get_if<edge::HttpResponse>(&action)) return std::move(*made);
  ADD_FAILURE() << "no response at once";
  return {};
}

/// The page's beginning; fails the test where the request became something else.
StartAt start(HttpAction action) {
  if (auto* asked = std::get_if<HistoryAsk>(&action)) return asked->start;
  ADD_FAILURE() << "no history: " << response(std::move(action)).body;
  return {};
}

void expect_error(HttpAction action, int status, std::string_view code) {
  const edge::HttpResponse made = response(std::move(action));
  EXPECT_EQ(made.status, status);
  rapidjson::Document json;
  json.Parse(made.body.data(), made.body.size());
  ASSERT_FALSE(json.HasParseError()) << made.body;
  ASSERT_TRUE(json.HasMember("code"));
  EXPECT_EQ(json["code"].GetString(), code);
}

TEST(HttpRoutes, ReportsAreAskedForByName) {
  EXPECT_EQ(std::get<Report>(ask("GET", "/readyz")), Report::ready);
  EXPECT_EQ(std::get<Report>(ask("GET", "/metrics")), Report::metrics);
  EXPECT_EQ(std::get<Report>(ask("GET", "/status?pretty")), Report::status);
  EXPECT_EQ(std::get<Report>(ask("HEAD", "/readyz")), Report::ready);
  EXPECT_EQ(response(ask("GET", "/healthz")).status, 200);
}

TEST(HttpRoutes, WhatIsNotThereIs404) {
  for (const char* target : {"/nothing", "/channels", "/channels/a", "/channels//strokes", "/channels/a/strokes/",
                             "/channels/a/b/strokes", "/strokes", "", "/status/"}) {
    EXPECT_EQ(response(ask("GET", target)).status, 404) << target;
  }
}

TEST(HttpRoutes, AWrongMethodNamesTheRightOnes) {
  for (const char* target : {"/readyz", "/metrics", "/status", "/healthz", "/"}) {
    const edge::HttpResponse made = response(ask("POST", target));
    EXPECT_EQ(made.status, 405) << target;
    EXPECT_THAT(made.headers, Contains(Pair("Allow", "GET, HEAD")));
  }
  const edge::HttpResponse made = response(ask("DELETE", "/channels/a/strokes"));
  EXPECT_EQ(made.status, 405);
  EXPECT_THAT(made.headers, Contains(Pair("Allow", "GET, POST")));
}

TEST(HttpRoutes, APostIsAPublish) {
  const HttpAction action =
      ask("POST", "/channels/drawing_a%3Ab/strokes", R"({"client":"backend","op":17,"data":{"x": [1,2]}})");
  const auto* publish = std::get_if<Publish>(&action);
  ASSERT_NE(publish, nullptr);
  EXPECT_EQ(publish->conn, kConn);
  EXPECT_EQ(publish->channel, "drawing_a:b");
  EXPECT_EQ(publish->client, "backend");
  EXPECT_EQ(publish->op, 17U);
  EXPECT_EQ(publish->data, R"({"x": [1,2]})");
}

TEST(HttpRoutes, AWrongPostSaysWhy) {
  expect_error(ask("POST", "/channels/a/strokes", "nonsense"), 400, "bad_message");
  expect_error(ask("POST", "/channels/a/strokes", R"({"client":"backend","data":1})"), 400, "bad_message");
  expect_error(ask("POST", "/channels/a%20b/strokes", R"({"client":"c","op":1,"data":1})"), 400, "bad_channel");
  expect_error(ask("POST", "/channels/a%2/strokes", "{}"), 400, "bad_channel");
}

TEST(HttpRoutes, AHistoryBeginsWhereTheQuerySays) {
  EXPECT_EQ(start(ask("GET", "/channels/a/strokes")).kind, StartAt::Kind::full);
  EXPECT_EQ(start(ask("GET", "/channels/a/strokes?other=1")).kind, StartAt::Kind::full);

  const StartAt since = start(ask("GET", "/channels/a/strokes?since=1763890000000123"));
  EXPECT_EQ(since.kind, StartAt::Kind::since);
  EXPECT_EQ(since.since, 1'763'890'000'000'123U);

  const StartAt cursor = start(ask("GET", "/channels/a/strokes?x=&cursor=%7B%22ws1~5k2m9x1q%22%3A+42%7D&"));
  EXPECT_EQ(cursor.kind, StartAt::Kind::cursor);
  EXPECT_EQ(cursor.cursor.at("ws1~5k2m9x1q"), 42U);
  EXPECT_EQ(start(ask("GET", "/channels/a/strokes?cursor={}")).kind, StartAt::Kind::cursor);
}

TEST(HttpRoutes, AWrongQuerySaysWhy) {
  for (const char* query :
       {"cursor=", "cursor=5", "cursor=%7B", "cursor=%ZZ", "cursor=%7", "cursor", "since=", "since=-1", "since=1.5",
        "since=9007199254740992", "since=x", "since=1&cursor={}", "cursor={}&cursor={}"}) {
    expect_error(ask("GET", std::string("/channels/a/strokes?") + query), 400, "bad_message");
  }
  expect_error(ask("GET", "/channels/a%00b/strokes"), 400, "bad_channel");
  expect_error(ask("GET", "/channels/" + std::string(129, 'a') + "/strokes"), 400, "bad_channel");
}

TEST(HttpRoutes, FilesComeFromTheProgram) {
  edge::HttpResponse index;
  index.content_type = "text/html; charset=utf-8";
  index.body = "the whiteboard";
  const edge::HttpFiles files = [&](const std::string& path) { return path == "/index.html" ? &index : nullptr; };
  EXPECT_EQ(response(ask("GET", "/", "", files)).body, "the whiteboard");
  EXPECT_EQ(response(ask("GET", "/?board=abc123", "", files)).body, "the whiteboard");
  EXPECT_EQ(response(ask("GET", "/index.html", "", files)).body, "the whiteboard");
  EXPECT_EQ(response(ask("GET", "/other.js", "", files)).status, 404);
  EXPECT_EQ(response(ask("GET", "/")).status, 200) << "a page that says that it is missing";
}

TEST(HttpRoutes, AnAckIs201WithItsFields) {
  const SendAck ack{kConn, 0, "drawing_a", "ws1~5k2m9x1q", 43, 1'763'890'000'000'123, 2, false};
  EXPECT_EQ(response_to(ack).status, 201);
  EXPECT_EQ(response_to(ack).body,
            R"({"channel":"drawing_a","origin":"ws1~5k2m9x1q","seq":43,"ts":1763890000000123,"copies":2})");
  SendAck again = ack;
  again.duplicate = true;
  EXPECT_THAT(response_to(again).body, HasSubstr(R"("copies":2,"duplicate":true})"));
}

TEST(HttpRoutes, AnErrorHasItsStatusAndWhenToComeBack) {
  const edge::HttpResponse made = response_to(SendError{kConn, std::nullopt, ErrorCode::unavailable, "busy", 1'200});
  EXPECT_EQ(made.status, 503);
  EXPECT_THAT(made.headers, Contains(Pair("Retry-After", "2")));
  EXPECT_THAT(made.body, HasSubstr(R"("code":"unavailable")"));
}

TEST(HttpRoutes, ReadinessIs200Or503WithReasons) {
  CoreStatus core;
  core.ready = true;
  EXPECT_EQ(readiness(core).status, 200);
  EXPECT_EQ(readiness(core).body, R"({"ready":true,"reasons":[]})");
  core.ready = false;
  core.not_ready_reasons = {"draining", "clock is 61 s \"off\""};
  EXPECT_EQ(readiness(core).status, 503);
  EXPECT_EQ(readiness(core).body, R"({"ready":false,"reasons":["draining","clock is 61 s \"off\""]})");
}

}  // namespace
}  // namespace inkmesh::node
