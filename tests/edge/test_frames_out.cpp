// Frames to clients: order, sharing, what is reported as written, and closes.
#include <algorithm>
#include <numeric>
#include <set>
#include <thread>

#include "edge_fixture.h"

namespace inkmesh::edge::test {
namespace {

class FramesOut : public EdgeTest {
 protected:
  void fan_out(const std::shared_ptr<const std::vector<ConnId>>& to, int first, int count, std::size_t cost) {
    std::vector<Outgoing> batch;
    for (int i = first; i < first + count; ++i) {
      batch.push_back(Outgoing{to, std::make_shared<const std::string>("frame " + std::to_string(i)), cost});
    }
    edge->send(std::move(batch));
  }
};

TEST_F(FramesOut, FiveHundredConnectionsGetSharedFramesInOrderAndEveryCostIsReported) {
  const int connections = kSanitized ? 150 : 500;
  const int frames = 60;
  wish_shards(3);
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < connections; ++i)
    clients.push_back(named("n" + std::to_string(i)));
  ASSERT_TRUE(node.wait([&] { return node.opened.size() == static_cast<std::size_t>(connections); }));
  const auto everyone = node.everyone();
  ASSERT_EQ(everyone->size(), static_cast<std::size_t>(connections));
  std::set<unsigned> shards;
  for (const ConnId conn : *everyone)
    shards.insert(shard_of(conn));
  EXPECT_EQ(shards.size(), std::max(1U, settings.shards));

  for (int i = 0; i < frames; i += 3)
    fan_out(everyone, i, 3, 100);
  for (RawClient& one : clients) {
    for (int i = 0; i < frames; ++i)
      ASSERT_EQ(one.read_text(), "frame " + std::to_string(i));
  }
  EXPECT_TRUE(node.wait([&] {
    return node.written.size() == everyone->size() &&
           std::all_of(node.written.begin(), node.written.end(),
                       [&](const auto& w) { return w.second == frames * 100; });
  }));
  EXPECT_EQ(edge->stats().frames_out, static_cast<std::uint64_t>(connections * (frames + 1)));
  EXPECT_EQ(edge->stats().outbox_bytes, 0U);
}

TEST_F(FramesOut, BatchesFromOneCallerKeepTheirOrderWhateverTheirSize) {
  start();
  RawClient one = named("one");
  const ConnId conn = node.conn_of("one");
  std::thread writer([&] {
    int sent = 0;
    for (int batch = 0; batch < 200; ++batch) {
      std::vector<Outgoing> frames;
      const auto to = std::make_shared<const std::vector<ConnId>>(std::vector<ConnId>{conn});
      for (int i = 0; i < 1 + batch % 7; ++i, ++sent) {
        const std::size_t size = sent % 50 == 0 ? 120'000 : 20;  // in sum below what cuts a connection off
        frames.push_back(
            Outgoing{to, std::make_shared<const std::string>(std::to_string(sent) + ":" + std::string(size, 'x')), 1});
      }
      edge->send(std::move(frames));
    }
  });
  int expected = 0;
  for (int batch = 0; batch < 200; ++batch)
    expected += 1 + batch % 7;
  for (int i = 0; i < expected; ++i) {
    const std::string text = one.read_text();
    ASSERT_EQ(text.substr(0, text.find(':')), std::to_string(i));
  }
  writer.join();
  EXPECT_TRUE(node.wait([&] { return node.written[conn] == static_cast<std::size_t>(expected); }));
}

TEST_F(FramesOut, RefusalsOfTheNodeThatAreTheClientsMistakeCloseWith4429InTheEnd) {
  start();
  RawClient one = named("one");
  const ConnId conn = node.conn_of("one");
  const auto refuse = [&](int count, bool mistake) {
    std::vector<Outgoing> frames;
    const auto to = std::make_shared<const std::vector<ConnId>>(std::vector<ConnId>{conn});
    for (int i = 0; i < count; ++i)
      frames.push_back(Outgoing{to, std::make_shared<const std::string>("no"), 0, mistake});
    edge->send(std::move(frames));
  };
  refuse(1'000, false);
  refuse(100, true);
  for (int i = 0; i < 1'100; ++i)
    ASSERT_EQ(one.read_text(), "no");
  refuse(200, true);
  EXPECT_EQ(one.read_close(), 4429U);
}

TEST_F(FramesOut, SmallTrafficIsReportedInLumps) {
  start();
  RawClient one = named("one");
  const ConnId conn = node.conn_of("one");
  for (int i = 0; i < 300; ++i)
    send({conn}, "x", 10);
  for (int i = 0; i < 300; ++i)
    ASSERT_EQ(one.read_text(), "x");
  ASSERT_TRUE(node.wait([&] { return node.written[conn] == 3'000; }));
  EXPECT_LT(node.look([&] { return node.reports; }), 150U);
}

TEST_F(FramesOut, AnswersWithoutCostAreNotReported) {
  start();
  RawClient one = named("one");
  const ConnId conn = node.conn_of("one");
  send({conn}, "free");
  send({conn}, "dear", 5);
  EXPECT_EQ(one.read_text(), "free");
  EXPECT_EQ(one.read_text(), "dear");
  ASSERT_TRUE(node.wait([&] { return node.written[conn] > 0; }));
  EXPECT_EQ(node.look([&] { return node.written[conn]; }), 5U);
}

TEST_F(FramesOut, WhatIsForAConnectionThatIsGoneIsDropped) {
  start();
  RawClient one = named("one");
  RawClient two = named("two");
  const ConnId gone = node.conn_of("one");
  const ConnId here = node.conn_of("two");
  one.send_raw(client_frame(kFin | kClose, std::string("\x03\xE8", 2)));
  EXPECT_EQ(one.read_close(), 1000U);
  ASSERT_TRUE(node.wait([&] { return node.closed == std::vector<ConnId>{gone}; }));
  std::vector<ConnId> both{gone, here, here + 1'000'000};
  std::sort(both.begin(), both.end());
  send(both, "x", 3);
  edge->close(gone, 4401, "late");
  edge->answer(gone | kConnHttpBit, HttpResponse{});
  EXPECT_EQ(two.read_text(), "x");
  ASSERT_TRUE(node.wait([&] { return node.written[here] == 3; }));
  EXPECT_EQ(node.look([&] { return node.written.count(gone); }), 0U);
  EXPECT_EQ(node.look([&] { return node.closed.size(); }), 1U);
}

TEST_F(FramesOut, ACloseComesAfterTheFramesBeforeIt) {
  start();
  RawClient one = named("one");
  const ConnId conn = node.conn_of("one");
  for (int i = 0; i < 100; ++i)
    send({conn}, std::string(10'000, 'x'), 10);
  send({conn}, "last words");
  edge->close(conn, 4401, "the token has expired");
  send({conn}, "too late");
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(one.read_text().size(), 10'000U);
  EXPECT_EQ(one.read_text(), "last words");
  const auto close = one.read_frame();
  ASSERT_TRUE(close);
  EXPECT_EQ(close->opcode(), kClose);
  EXPECT_EQ(close->payload, "\x11\x31the token has expired");
  one.send_raw(client_frame(kFin | kClose, close->payload));
  EXPECT_TRUE(one.closed_within(Millis(3'000)));
  EXPECT_TRUE(node.wait([&] { return node.closed.size() == 1; }));
}

TEST_F(FramesOut, AClientThatIgnoresACloseIsCutOff) {
  start();
  RawClient one = named("one");
  const ConnId conn = node.conn_of("one");
  edge->close(conn, 4401, "x");
  EXPECT_EQ(one.read_close(), 4401U);
  EXPECT_TRUE(one.closed_within(Millis(6'000)));
  EXPECT_TRUE(node.wait([&] { return node.closed.size() == 1; }));
}

TEST_F(FramesOut, EveryOpenedIsClosedOnceHoweverItEnds) {
  settings.limits.outbox_bytes = 512U << 10U;
  start();
  const int rounds = kSanitized ? 40 : 120;
  for (int i = 0; i < rounds; ++i) {
    const std::string name = "n" + std::to_string(i);
    RawClient one = named(name);
    const ConnId conn = node.conn_of(name);
    send({conn}, std::string(5'000, 'x'), 5'000);
    switch (i % 5) {
      case 0:
        one.send_raw(client_frame(kFin | kClose, ""));
        break;
      case 1:
        edge->close(conn, 1000, "");
        break;
      case 2:
        one.send_raw(client_frame(kFin | 5, ""));
        break;
      case 3:
        one.send_raw(client_frame(kFin | kText, "{}").substr(0, 4));
        break;
      default:
        break;
    }
  }
  ASSERT_TRUE(node.wait([&] { return node.closed.size() >= static_cast<std::size_t>(rounds); }));
  edge.reset();
  const std::lock_guard lock(node.mutex);
  EXPECT_EQ(node.opened.size(), static_cast<std::size_t>(rounds));
  EXPECT_EQ(node.closed.size(), static_cast<std::size_t>(rounds));
  EXPECT_EQ(std::set<ConnId>(node.closed.begin(), node.closed.end()).size(), static_cast<std::size_t>(rounds));
}

}  // namespace
}  // namespace inkmesh::edge::test
