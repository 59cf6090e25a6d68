// How an edge begins and ends.
#include <stdexcept>
#include <thread>

#include "edge_fixture.h"

namespace inkmesh::edge::test {
namespace {

using Clock = std::chrono::steady_clock;
using Stop = EdgeTest;

TEST_F(Stop, SaysGoawayThenClosesWith1012) {
  start();
  RawClient one = named("one");
  RawClient nameless = client();
  nameless.open();
  const ConnId conn = node.conn_of("one");
  for (int i = 0; i < 50; ++i)
    send({conn}, "frame " + std::to_string(i), 1);
  std::thread stopping([&] { edge->stop(5'000, 1'234); });
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(one.read_text(), "frame " + std::to_string(i));
  for (RawClient* each : {&one, &nameless}) {
    EXPECT_EQ(each->read_text(), R"({"type":"goaway","retry_ms":1234})");
    EXPECT_EQ(each->read_close(), 1012U);
    each->send_raw(client_frame(kFin | kClose, "\x03\xF4"));
    each->close_now();
  }
  const auto begin = Clock::now();
  stopping.join();
  EXPECT_LT(Clock::now() - begin, Millis(2'000)) << "everyone had gone";
  EXPECT_EQ(node.closed, std::vector<ConnId>{conn});
  EXPECT_EQ(edge->stats().connections, 0U);
}

TEST_F(Stop, EndsInTimeWhateverClientsDo) {
  settings.limits.outbox_bytes = 4U << 20U;
  node.on_http = [](HttpRequest&&) { return true; };
  start();
  std::vector<RawClient> half;
  for (int i = 0; i < 50; ++i)
    half.push_back(client());
  for (RawClient& one : half)
    one.send_raw("GET /ws HT");
  RawClient asking = client();
  asking.send_raw("GET /status HTTP/1.1\r\nHost: x\r\n\r\n");
  RawClient deaf = named("deaf", 4'096);
  RawClient silent = named("silent");
  const ConnId conn = node.conn_of("deaf");
  for (int i = 0; i < 3'000; ++i)
    send({conn}, std::string(1'000, 'x'), 1'000);
  RawClient flooding = client();
  flooding.open();
  std::atomic<bool> over{false};
  std::thread flood([&] {
    while (!over && flooding.send_some(client_frame(kFin | kText, R"({"type":"ping"})")) >= 0)
      std::this_thread::yield();
  });
  std::thread sender([&] {
    while (!over) {
      send({conn}, "more", 4);
      std::this_thread::sleep_for(Millis(1));
    }
  });
  ASSERT_TRUE(eventually([&] { return edge->stats().connections == 3; }));
  const auto begin = Clock::now();
  edge->stop(500, 100);
  EXPECT_LT(Clock::now() - begin, Millis(kSanitized ? 4'000 : 2'000));
  over = true;
  flood.join();
  sender.join();
  EXPECT_EQ(node.closed.size(), node.opened.size());
  for (RawClient& one : half)
    EXPECT_TRUE(one.closed_within(Millis(1'000)));
  EXPECT_TRUE(asking.closed_within(Millis(1'000)));
  EXPECT_TRUE(silent.closed_within(Millis(1'000)));
  edge->stop(500, 100);
  send({conn}, "after the end");
  EXPECT_THROW(client(), std::exception) << "nobody listens";
}

TEST_F(Stop, WithoutGraceIsAtOnceAndStillSaysWhy) {
  start();
  RawClient one = named("one");
  const auto begin = Clock::now();
  edge->stop(0, 50);
  EXPECT_LT(Clock::now() - begin, Millis(1'000));
  EXPECT_EQ(one.read_text(), R"({"type":"goaway","retry_ms":50})");
  EXPECT_EQ(one.read_close(), 1012U);
  EXPECT_EQ(node.closed.size(), 1U);
}

TEST_F(Stop, StartsAndStopsManyTimes) {
  for (int i = 0; i < 20; ++i) {
    start();
    RawClient one = client();
    if (i % 2 == 0) one.open();
    edge.reset();
    EXPECT_TRUE(one.closed_within(Millis(2'000)));
  }
}

TEST_F(Stop, APortThatIsTakenIsRefusedByName) {
  start();
  const OwnedEdge* first = edge.get();
  EdgeSettings same = settings;
  same.listen.port = first->port();
  try {
    Edge second(same, node.sink(), files);
    FAIL() << "two edges share port " << first->port();
  } catch (const std::runtime_error& refusal) {
    EXPECT_NE(std::string(refusal.what()).find("127.0.0.1:" + std::to_string(first->port())), std::string::npos)
        << refusal.what();
  }
}

TEST_F(Stop, ANameThatDoesNotResolveIsRefusedByName) {
  settings.listen.host = "no such host";
  EXPECT_THROW(start(), std::runtime_error);
}

TEST_F(Stop, APortIsFreeAgainAtOnce) {
  start();
  RawClient one = named("one");
  settings.listen.port = edge->port();
  edge.reset();
  start();
  EXPECT_TRUE(client().open().round_trip());
}

}  // namespace
}  // namespace inkmesh::edge::test
