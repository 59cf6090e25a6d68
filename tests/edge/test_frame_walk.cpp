#include <gtest/gtest.h>

#include <string>

#include "edge/frame_walk.h"
#include "raw_client.h"

namespace inkmesh::edge {
namespace {

using test::client_frame;
using test::kFin;
using test::kPing;
using test::kText;
using Verdict = FrameWalk::Verdict;

FrameLimits limits() {
  FrameLimits out;
  out.messages = Rate{10, 10};
  out.extras = Rate{20, 20};
  out.fragments_max = 5;
  return out;
}

Verdict feed(FrameWalk& walk, const std::string& bytes, MonotonicMs now = 1'000) {
  return walk.feed(bytes.data(), bytes.size(), now, limits());
}

FrameWalk opened() {
  FrameWalk walk;
  const std::string request = test::upgrade_request();
  EXPECT_EQ(feed(walk, request), Verdict::fine);
  return walk;
}

std::string repeated(const std::string& one, int times) {
  std::string out;
  for (int i = 0; i < times; ++i)
    out += one;
  return out;
}

TEST(FrameWalk, CountsMessagesOfEveryLengthForm) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U}) {
    FrameWalk walk = opened();
    const std::string message = client_frame(kFin | kText, std::string(size, 'x'));
    EXPECT_EQ(feed(walk, repeated(message, 10)), Verdict::fine) << size;
    EXPECT_EQ(walk.unfinished_since_ms(), 0U) << size;
    EXPECT_EQ(feed(walk, message), Verdict::slow_down) << size;
  }
}

TEST(FrameWalk, SeesTheSameWhateverWayTheBytesAreCut) {
  const std::string bytes = test::upgrade_request() + repeated(client_frame(kFin | kText, std::string(200, 'x')), 10) +
                            client_frame(kFin | kText, "");
  for (std::size_t step = 1; step < 40; ++step) {
    FrameWalk walk;
    Verdict last = Verdict::fine;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      ASSERT_EQ(last, Verdict::fine) << "too early, in steps of " << step;
      last = feed(walk, bytes.substr(at, step));
    }
    EXPECT_EQ(last, Verdict::slow_down) << "in steps of " << step;
  }
}

TEST(FrameWalk, AMessageMayGoOnWhenItsRateAllows) {
  FrameWalk walk = opened();
  EXPECT_EQ(feed(walk, repeated(client_frame(kFin | kText, "x"), 11)), Verdict::slow_down);
  EXPECT_FALSE(walk.may_go_on(1'050, limits()));
  EXPECT_TRUE(walk.may_go_on(1'100, limits()));
}

TEST(FrameWalk, PingsPastTheRateAreAbuse) {
  FrameWalk walk = opened();
  EXPECT_EQ(feed(walk, repeated(client_frame(kFin | kPing, ""), 20)), Verdict::fine);
  EXPECT_EQ(feed(walk, client_frame(kFin | kPing, "")), Verdict::abuse);
}

TEST(FrameWalk, PingsBetweenFragmentsLeaveTheMessageWhole) {
  FrameWalk walk = opened();
  const std::string bytes = client_frame(kText, "a") + client_frame(kFin | kPing, "p") + client_frame(kFin, "b");
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(feed(walk, bytes), Verdict::fine);
  EXPECT_EQ(walk.unfinished_since_ms(), 0U);
}

TEST(FrameWalk, AMessageInTooManyFragmentsIsAbuse) {
  FrameWalk walk = opened();
  EXPECT_EQ(feed(walk, client_frame(kText, "") + repeated(client_frame(0, ""), 4)), Verdict::fine);
  EXPECT_EQ(feed(walk, client_frame(0, "")), Verdict::abuse);
}

TEST(FrameWalk, KnowsSinceWhenAMessageIsUnfinished) {
  FrameWalk walk = opened();
  feed(walk, client_frame(kText, "a"), 2'000);
  feed(walk, client_frame(0, "b"), 3'000);
  EXPECT_EQ(walk.unfinished_since_ms(), 2'000U);
  feed(walk, client_frame(kFin, "c"), 4'000);
  EXPECT_EQ(walk.unfinished_since_ms(), 0U);
  const std::string half = client_frame(kFin | kText, std::string(100, 'x')).substr(0, 50);
  feed(walk, half, 5'000);
  EXPECT_EQ(walk.unfinished_since_ms(), 5'000U);
}

TEST(FrameWalk, ALengthInTooManyBytesIsBroken) {
  const std::string as16("\x81\xFE\x00\x7D", 4);
  const std::string as64("\x81\xFF\x00\x00\x00\x00\x00\x00\xFF\xFF", 10);
  for (const std::string& header : {as16, as64}) {
    FrameWalk walk = opened();
    EXPECT_EQ(feed(walk, header + "mask"), Verdict::broken);
  }
}

TEST(FrameWalk, BeginsAfterTheBlankLineAndNotBefore) {
  FrameWalk walk;
  // Lone line ends, and what looks like frames, within the request.
  EXPECT_EQ(feed(walk, "GET / HTTP/1.1\r\nX: \r\r\nY: \n\n" + repeated(client_frame(kFin | kPing, ""), 30)),
            Verdict::fine);
  EXPECT_EQ(feed(walk, "\r\n\r\n" + repeated(client_frame(kFin | kPing, ""), 20)), Verdict::fine);
  EXPECT_EQ(feed(walk, client_frame(kFin | kPing, "")), Verdict::abuse);
}

}  // namespace
}  // namespace inkmesh::edge
