#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "node/effects.h"

namespace inkmesh::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// Notes what comes out and in which order.
struct Noted : Outlets {
  void send_to_clients(std::vector<edge::Outgoing>&& batch) override {
    order.emplace_back("clients");
    batches.push_back(std::move(batch));
  }
  void answer_http(ConnId conn, edge::HttpResponse&& response) override {
    order.emplace_back("http");
    answers.emplace_back(conn, std::move(response));
  }
  void close_client(ConnId conn, const std::string& reason) override {
    order.emplace_back("close " + std::to_string(conn) + " " + reason);
  }
  void submit(Append&&) override {
    order.emplace_back("append");
  }
  void submit(Repair&&) override {
    order.emplace_back("repair");
  }
  void submit(Note&&) override {
    order.emplace_back("mark");
  }
  void submit(Read&&) override {
    order.emplace_back("read");
  }
  void submit(FindSince&&) override {
    order.emplace_back("since");
  }
  void submit(FindOp&&) override {
    order.emplace_back("op");
  }
  void send_gossip(const SendGossip&) override {
    order.emplace_back("gossip");
  }
  void send_frame(const SendFrame& frame) override {
    order.emplace_back("frame " + frame.peer);
  }
  void say(const Say& say) override {
    order.emplace_back("say " + say.text);
  }
  void halt(const Halt& halt) override {
    order.emplace_back("halt " + halt.reason);
  }

  std::vector<std::string> order;
  std::vector<std::vector<edge::Outgoing>> batches;
  std::vector<std::pair<ConnId, edge::HttpResponse>> answers;
};

StrokePtr stroke(Seq seq, std::size_t data_bytes = 8) {
  Stroke made;
  made.channel = "drawing_a";
  made.origin = "ws1~5k2m9x1q";
  made.seq = seq;
  made.ts = 1'763'890'000'000'000 + seq;
  made.client = "ann";
  made.op = seq;
  made.data = '"' + std::string(data_bytes, 'x') + '"';
  return std::make_shared<const Stroke>(std::move(made));
}

Recipients conns(std::vector<ConnId> ids) {
  return std::make_shared<const std::vector<ConnId>>(std::move(ids));
}

TEST(Effects, FramesForClientsLeaveTogetherInTheirOrder) {
  Noted noted;
  Effects effects;
  effects.emplace_back(SendSubscribed{1, 7, "drawing_a", Mode::full, {}});
  effects.emplace_back(DeliverStrokes{conns({1, 2}), {stroke(1)}, 300});
  effects.emplace_back(SendLive{1, "drawing_a", {}, true});
  carry_out(effects, noted);
  EXPECT_THAT(effects, IsEmpty());
  ASSERT_THAT(noted.batches, SizeIs(1));
  const auto& batch = noted.batches[0];
  ASSERT_THAT(batch, SizeIs(3));
  EXPECT_THAT(*batch[0].text, HasSubstr(R"("type":"subscribed")"));
  EXPECT_THAT(*batch[1].text, HasSubstr(R"("type":"stroke")"));
  EXPECT_THAT(*batch[2].text, HasSubstr(R"("type":"live")"));
  EXPECT_THAT(*batch[0].to, ElementsAre(1));
  EXPECT_THAT(*batch[1].to, ElementsAre(1, 2));
}

TEST(Effects, RefusalsSayWhetherTheClientIsMistaken) {
  Noted noted;
  Effects effects;
  for (const ErrorCode code :
       {ErrorCode::not_subscribed, ErrorCode::unavailable, ErrorCode::op_reused, ErrorCode::storage_full})
    effects.emplace_back(SendError{1, 7, code, "no", 0});
  carry_out(effects, noted);
  ASSERT_THAT(noted.batches, SizeIs(1));
  std::vector<bool> mistakes;
  for (const edge::Outgoing& frame : noted.batches[0])
    mistakes.push_back(frame.mistake);
  EXPECT_THAT(mistakes, ElementsAre(true, false, true, false));
}

TEST(Effects, AStrokeIsEncodedOnceForAllItsRecipients) {
  Noted noted;
  Effects effects;
  const Recipients everyone = conns({1, 2, 3, 4});
  effects.emplace_back(DeliverStrokes{everyone, {stroke(1)}, 300});
  carry_out(effects, noted);
  ASSERT_THAT(noted.batches, SizeIs(1));
  ASSERT_THAT(noted.batches[0], SizeIs(1));
  EXPECT_EQ(noted.batches[0][0].to, everyone) << "the list is shared, not copied";
  EXPECT_EQ(noted.batches[0][0].cost, 300U);
}

TEST(Effects, CostsOfSeveralFramesAddUpToTheEffects) {
  Noted noted;
  Effects effects;
  Strokes many;
  for (Seq seq = 1; seq <= 12; ++seq)
    many.push_back(stroke(seq, 60'000));
  effects.emplace_back(DeliverStrokes{conns({1}), many, 12'345});
  carry_out(effects, noted);
  ASSERT_THAT(noted.batches, SizeIs(1));
  EXPECT_GT(noted.batches[0].size(), 1U);
  std::size_t sum = 0;
  for (const auto& frame : noted.batches[0]) {
    EXPECT_LE(frame.text->size(), kBatchBytesMax);
    EXPECT_THAT(*frame.text, StartsWith(R"({"type":"strokes")"));
    sum += frame.cost;
  }
  EXPECT_EQ(sum, 12'345U);
  EXPECT_EQ(noted.batches[0].back().cost, 12'345U) << "paid back when the last has left";
}

TEST(Effects, SignalsCarryTheirCostAndAnswersNone) {
  Noted noted;
  Effects effects;
  effects.emplace_back(DeliverSignal{conns({1, 2}), "drawing_a", "ann", "{\"x\":1}", 99});
  effects.emplace_back(SendAck{1, 2, "drawing_a", "ws1~5k2m9x1q", 43, 1'763'890'000'000'123, 2, false});
  effects.emplace_back(SendError{1, 3, ErrorCode::op_reused, "no", 0});
  effects.emplace_back(SendUnsubscribed{1, 4, "drawing_a"});
  effects.emplace_back(
      SendPresence{1, 5, "drawing_a", std::make_shared<const std::vector<Present>>(1, Present{"ann", "ws1"})});
  effects.emplace_back(SendPresenceChange{conns({1}), "drawing_a", {{"bob", "ws2"}}, {}});
  carry_out(effects, noted);
  ASSERT_THAT(noted.batches, SizeIs(1));
  std::vector<std::size_t> costs;
  for (const auto& frame : noted.batches[0])
    costs.push_back(frame.cost);
  EXPECT_THAT(costs, ElementsAre(99, 0, 0, 0, 0, 0));
}

TEST(Effects, AnswersToHttpRequestsAreResponses) {
  Noted noted;
  Effects effects;
  const ConnId http = kConnHttpBit | 5;
  effects.emplace_back(SendAck{http, 0, "drawing_a", "ws1~5k2m9x1q", 43, 1'763'890'000'000'123, 2, false});
  effects.emplace_back(SendError{http, std::nullopt, ErrorCode::storage_full, "full", 500});
  effects.emplace_back(HistoryPage{http, "drawing_a", {stroke(1)}, {}, false, true});
  carry_out(effects, noted);
  EXPECT_THAT(noted.batches, IsEmpty());
  ASSERT_THAT(noted.answers, SizeIs(3));
  EXPECT_EQ(noted.answers[0].first, http);
  EXPECT_EQ(noted.answers[0].second.status, 201);
  EXPECT_GE(noted.answers[1].second.status, 500);
  EXPECT_EQ(noted.answers[2].second.status, 200);
  EXPECT_THAT(noted.answers[2].second.body, HasSubstr(R"("strokes":[)"));
}

TEST(Effects, TheRestGoesItsWayInOrder) {
  Noted noted;
  Effects effects;
  effects.emplace_back(Append{});
  effects.emplace_back(SendFrame{"ws2", {}});
  effects.emplace_back(Read{});
  effects.emplace_back(SendFrame{"ws3", {}});
  effects.emplace_back(SendGossip{});
  effects.emplace_back(Repair{});
  effects.emplace_back(FindSince{});
  effects.emplace_back(FindOp{});
  effects.emplace_back(Say{Severity::info, "hello"});
  effects.emplace_back(Halt{"enough"});
  carry_out(effects, noted);
  EXPECT_THAT(noted.order, ElementsAre("append", "frame ws2", "read", "frame ws3", "gossip", "repair", "since", "op",
                                       "say hello", "halt enough"));
}

TEST(CarryOut, ClosesAClientOnlyAfterItsGoaway) {
  Noted noted;
  Effects effects;
  effects.emplace_back(SendAway{7, "another process runs as this node"});
  effects.emplace_back(SendLive{7, "drawing_a", {}, false});
  carry_out(effects, noted);
  EXPECT_THAT(noted.order, ElementsAre("clients", "close 7 another process runs as this node"));
  ASSERT_THAT(noted.batches, SizeIs(1));
  ASSERT_THAT(noted.batches[0], SizeIs(2));
  EXPECT_THAT(*noted.batches[0][0].text, HasSubstr(R"("type":"goaway")"));
}

}  // namespace
}  // namespace inkmesh::node
