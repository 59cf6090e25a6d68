#include "cli/publisher.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace inkmesh::cli {
namespace {

using Clock = Publisher::Clock;
using std::chrono::milliseconds;

const Clock::time_point kStart = Clock::time_point{} + std::chrono::hours(1);

std::string ack(Op op, const std::string& more = "") {
  return R"({"type":"ack","id":)" + std::to_string(op) +
         R"(,"channel":"c","origin":"ws1~5k2m9x1q","seq":1,"ts":1,"copies":2)" + more + "}";
}

std::string error(const std::string& id, const std::string& code, unsigned retry_ms) {
  return R"({"type":"error",)" + id + R"("code":")" + code + R"(","message":"why","retry_ms":)" +
         std::to_string(retry_ms) + "}";
}

TEST(Publisher, NumbersStrokesAndCountsTheirAcks) {
  Publisher publisher("c", 5, 10);
  publisher.set_rate(1000);
  ASSERT_TRUE(publisher.has_room(kStart));
  EXPECT_EQ(publisher.publish("[1.50]"), R"({"type":"publish","id":5,"channel":"c","op":5,"data":[1.50]})");
  EXPECT_EQ(publisher.outstanding(), 1U);
  publisher.take(ack(5, R"(,"duplicate":true)"), kStart);
  publisher.take(ack(5), kStart);
  publisher.take(ack(77), kStart);
  EXPECT_EQ(publisher.outstanding(), 0U);
  EXPECT_EQ(publisher.counts().acked, 1U);
  EXPECT_EQ(publisher.counts().duplicates, 1U);
  EXPECT_EQ(publisher.counts().copies_min, 2U);
}

TEST(Publisher, TheWindowBoundsWhatIsOnTheWay) {
  Publisher publisher("c", 1, 2);
  publisher.set_rate(1e6);
  auto now = kStart;
  int sent = 0;
  for (int i = 0; i < 10; ++i, now += milliseconds(10)) {
    if (!publisher.has_room(now)) continue;
    publisher.publish("1");
    ++sent;
  }
  EXPECT_EQ(sent, 2);
  publisher.take(ack(1), now);
  EXPECT_TRUE(publisher.has_room(now));
}

TEST(Publisher, KeepsToItsRate) {
  Publisher publisher("c", 1, 100'000);
  publisher.set_rate(200);
  int sent = 0;
  for (int ms = 0; ms < 10'000; ++ms) {
    while (publisher.has_room(kStart + milliseconds(ms))) {
      publisher.publish("1");
      ++sent;
    }
  }
  EXPECT_GE(sent, 1990);
  EXPECT_LE(sent, 2011);
}

TEST(Publisher, AfterALossEverythingIsSentAgainOnceAndInOrder) {
  Publisher publisher("c", 1, 10);
  publisher.set_rate(1e6);
  auto now = kStart;
  for (int i = 0; i < 3; ++i) {
    now += milliseconds(1);
    ASSERT_TRUE(publisher.has_room(now));
    publisher.publish(std::to_string(i));
  }
  publisher.take(ack(2), now);
  publisher.connection_lost(now);
  EXPECT_EQ(publisher.repeat(now += milliseconds(1)),
            R"({"type":"publish","id":1,"channel":"c","op":1,"retry":true,"data":0})");
  EXPECT_EQ(publisher.repeat(now += milliseconds(1)),
            R"({"type":"publish","id":3,"channel":"c","op":3,"retry":true,"data":2})");
  EXPECT_EQ(publisher.repeat(now += milliseconds(1)), std::nullopt);
  EXPECT_EQ(publisher.counts().resent, 2U);
}

TEST(Publisher, WaitsAsLongAsTheNodeAsks) {
  Publisher publisher("c", 1, 10);
  publisher.set_rate(1e6);
  ASSERT_TRUE(publisher.has_room(kStart));
  publisher.publish("0");
  publisher.take(error(R"("id":1,)", "rate_limited", 500), kStart);
  EXPECT_FALSE(publisher.has_room(kStart + milliseconds(499)));
  EXPECT_EQ(publisher.repeat(kStart + milliseconds(499)), std::nullopt);
  EXPECT_NE(publisher.repeat(kStart + milliseconds(500)), std::nullopt);
  EXPECT_EQ(publisher.repeat(kStart + milliseconds(501)), std::nullopt) << "it is on the way";
  EXPECT_EQ(publisher.outstanding(), 1U);
}

TEST(Publisher, ARefusalForGoodSaysWhichStroke) {
  Publisher publisher("c", 1, 10);
  publisher.set_rate(1e6);
  ASSERT_TRUE(publisher.has_room(kStart));
  publisher.publish("0");
  try {
    publisher.take(error(R"("id":1,)", "op_reused", 0), kStart);
    FAIL() << "taken without a word";
  } catch (const std::runtime_error& refused) {
    EXPECT_STREQ(refused.what(),
                 "stroke 1: op_reused: why (this --client has drawn something else here: take another)");
  }
  EXPECT_THROW(publisher.take(error("", "unauthorized", 0), kStart), std::runtime_error);
  EXPECT_THROW(publisher.take(error(R"("id":1,)", "storage_full", 1000), kStart), std::runtime_error);
}

}  // namespace
}  // namespace inkmesh::cli
