#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "edge/client_protocol.h"

namespace inkmesh::edge {
namespace {

class ClientProtocolTest : public ::testing::Test {
 protected:
  ClientProtocolTest() {
    sink_.control = [this](Event&& event) { control.push_back(std::move(event)); };
    sink_.request = [this](Event&& event) {
      if (busy) return false;
      requests.push_back(std::move(event));
      return true;
    };
    limits.publish_per_s = 5;
    limits.signal_per_s = 3;
    limits.channels_per_connection = 12;
    client.conn = 77;
  }

  std::string say(std::string_view text, MonotonicMs now = 1'000) {
    if (!protocol_) protocol_ = std::make_unique<ClientProtocol>("ws1", limits, sink_, 42);
    const Reply reply = protocol_->on_text(client, text, now);
    abuse = reply.abuse;
    return reply.text;
  }
  ClientProtocol& protocol() {
    say(R"({"type":"ping"})");
    return *protocol_;
  }

  LimitSettings limits;
  ClientState client;
  std::vector<Event> control;
  std::vector<Event> requests;
  bool busy = false;
  const char* abuse = nullptr;

 private:
  EdgeSink sink_;
  std::unique_ptr<ClientProtocol> protocol_;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kPublish = R"({"type":"publish","id":2,"channel":"d","op":1,"data":1})";
constexpr const char* kSubscribe = R"({"type":"subscribe","id":1,"channel":"d"})";

TEST_F(ClientProtocolTest, HelloIsAnsweredWithTheNodesWelcomeAndLimits) {
  const std::string welcome = say(R"({"type":"hello","client":"ann"})");
  for (const char* part : {R"("type":"welcome")", R"("node":"ws1")", R"("client":"ann")", R"("message_bytes":98304)",
                           R"("channels":12)", R"("publish_per_s":5)"}) {
    EXPECT_TRUE(has(welcome, part)) << part << " in " << welcome;
  }
  ASSERT_EQ(control.size(), 1U);
  EXPECT_EQ(std::get<ConnOpened>(control[0]).conn, 77U);
  EXPECT_EQ(std::get<ConnOpened>(control[0]).client, "ann");
}

TEST_F(ClientProtocolTest, ANamelessHelloGetsANameOfItsOwn) {
  say(R"({"type":"hello"})");
  const ClientName name = std::get<ConnOpened>(control.at(0)).client;
  EXPECT_TRUE(valid_client(name)) << name;
  EXPECT_EQ(name.rfind("c-", 0), 0U);
}

TEST_F(ClientProtocolTest, NamesDiffer) {
  std::set<ClientName> names;
  for (int i = 0; i < 1'000; ++i) {
    client = ClientState{};
    say(R"({"type":"hello"})");
    names.insert(client.name);
  }
  EXPECT_EQ(names.size(), 1'000U);
}

TEST_F(ClientProtocolTest, TheFirstRequestOpensAndComesAfterIt) {
  EXPECT_EQ(say(kSubscribe), "");
  ASSERT_EQ(control.size(), 1U);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(std::get<Subscribe>(requests[0]).conn, 77U);
  EXPECT_TRUE(valid_client(std::get<ConnOpened>(control[0]).client));
}

TEST_F(ClientProtocolTest, PingsAndMistakesDoNotUseUpTheHello) {
  EXPECT_EQ(say(R"({"type":"ping"})"), R"({"type":"pong"})");
  EXPECT_TRUE(has(say("{"), R"("code":"bad_message")"));
  EXPECT_TRUE(control.empty());
  EXPECT_TRUE(has(say(R"({"type":"hello","client":"ann"})"), R"("type":"welcome")"));
}

TEST_F(ClientProtocolTest, ASecondHelloIsAMistake) {
  say(R"({"type":"hello","client":"ann"})");
  EXPECT_TRUE(has(say(R"({"type":"hello","client":"bob"})"), R"("code":"bad_message")"));
  EXPECT_EQ(client.name, "ann");
  EXPECT_EQ(control.size(), 1U);
}

TEST_F(ClientProtocolTest, PublishesAndSignalsCarryTheClientsName) {
  say(R"({"type":"hello","client":"ann"})");
  say(kPublish);
  say(R"({"type":"signal","channel":"d","data":{"x":1}})");
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(std::get<Publish>(requests[0]).client, "ann");
  EXPECT_EQ(std::get<Publish>(requests[0]).conn, 77U);
  EXPECT_EQ(std::get<SignalSent>(requests[1]).client, "ann");
  EXPECT_EQ(std::get<SignalSent>(requests[1]).data, R"({"x":1})");
}

TEST_F(ClientProtocolTest, PublishesPastTheRateAreRefusedWithATime) {
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(say(kPublish), "");
  const std::string refusal = say(kPublish);
  EXPECT_TRUE(has(refusal, R"("code":"rate_limited")")) << refusal;
  EXPECT_TRUE(has(refusal, R"("id":2)")) << refusal;
  EXPECT_TRUE(has(refusal, R"("retry_ms":200)")) << refusal;
  EXPECT_EQ(requests.size(), 5U);
  EXPECT_EQ(say(kPublish, 1'200), "");
  EXPECT_EQ(requests.size(), 6U);
}

TEST_F(ClientProtocolTest, SignalsPastTheRateAreDropped) {
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(say(R"({"type":"signal","channel":"d","data":1})"), "");
  EXPECT_EQ(requests.size(), 3U);
}

TEST_F(ClientProtocolTest, ABusyNodeIsUnavailableAndASignalIsDropped) {
  busy = true;
  const std::string refusal = say(kPublish);
  EXPECT_TRUE(has(refusal, R"("code":"unavailable")")) << refusal;
  EXPECT_TRUE(has(refusal, R"("id":2)")) << refusal;
  EXPECT_TRUE(has(refusal, R"("retry_ms":500)")) << refusal;
  EXPECT_EQ(say(R"({"type":"signal","channel":"d","data":1})"), "");
}

TEST_F(ClientProtocolTest, MistakesAreForgivenUntilThereAreTooMany) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(has(say("nonsense"), "bad_message"));
    ASSERT_EQ(abuse, nullptr) << i;
  }
  say("nonsense");
  EXPECT_STREQ(abuse, "too many errors");
}

TEST_F(ClientProtocolTest, PingsAreAnsweredUntilThereAreTooMany) {
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(has(say(R"({"type":"ping"})"), "pong")) << i;
  EXPECT_EQ(say(R"({"type":"ping"})"), "");
  EXPECT_STREQ(abuse, "too many pings");
  EXPECT_TRUE(has(say(R"({"type":"ping"})", 2'000), "pong"));
  EXPECT_EQ(abuse, nullptr);
}

TEST_F(ClientProtocolTest, RateLimitsAndABusyNodeAreNoMistakes) {
  for (int i = 0; i < 1'000; ++i) {
    say(kPublish);
    ASSERT_EQ(abuse, nullptr);
  }
}

TEST_F(ClientProtocolTest, ClosedIsToldOnceAndOnlyWhatWasOpened) {
  ClientProtocol& one = protocol();
  one.on_gone(client);
  EXPECT_TRUE(control.empty());
  say(kSubscribe);
  one.on_gone(client);
  one.on_gone(client);
  ASSERT_EQ(control.size(), 2U);
  EXPECT_EQ(std::get<ConnClosed>(control[1]).conn, 77U);
}

}  // namespace
}  // namespace inkmesh::edge
