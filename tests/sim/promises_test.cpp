// Each promise of PROTOCOL.md, by its sentence.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "scene.h"

namespace inkmesh::sim {
namespace {

const Channel kDrawing = "drawing_abc123";

/// For each origin the seqs that a client was given, in the order in which it was.
std::map<Origin, std::vector<Seq>> seqs_of(const SimClient& client) {
  std::map<Origin, std::vector<Seq>> seqs;
  for (const StrokePtr& stroke : client.subscription(kDrawing).strokes)
    seqs[stroke->origin].push_back(stroke->seq);
  return seqs;
}

std::vector<Seq> counting_to(Seq last) {
  std::vector<Seq> seqs(last);
  for (Seq seq = 1; seq <= last; ++seq)
    seqs[seq - 1] = seq;
  return seqs;
}

TEST(Promise1, ForEachChannelAndOriginASubscriberSeesSeqNPlus1AfterN) {
  Scene scene(calm(3, 2, 2));
  std::vector<SimClient*> authors;
  for (NodeIndex node = 0; node < 3; ++node) {
    authors.push_back(&scene.world.client("author" + std::to_string(node), node));
    authors.back()->set_stay(true);
  }
  SimClient& reader = scene.world.client("reader", 0);
  reader.subscribe(kDrawing);
  for (int round = 0; round < 60; ++round) {
    for (SimClient* author : authors)
      author->publish(kDrawing);
    scene.world.run_for(7_ms);
    // Across reconnects to any node.
    if (round % 3 == 0) reader.reconnect(static_cast<NodeIndex>(round / 3 % 3));
  }
  ASSERT_TRUE(scene.comes_together(3_s));
  const auto seqs = seqs_of(reader);
  ASSERT_EQ(seqs.size(), 3U);
  for (const auto& [origin, seen] : seqs)
    EXPECT_EQ(seen, counting_to(60)) << origin;
}

TEST(Promise1, WhereASubscriptionBeginsIsInSubscribedCursor) {
  Scene scene(calm(3, 2, 2));
  SimClient& author = scene.world.client("author", 0);
  for (int i = 0; i < 10; ++i)
    author.publish(kDrawing);
  ASSERT_TRUE(scene.acknowledged(author, 2_s));
  const TimeUs middle_ts = author.acks()[5].ts;
  const Origin origin = author.acks()[0].origin;

  SimClient& live = scene.world.client("live", 1);
  live.subscribe(kDrawing, StartAt{StartAt::Kind::live, {}, 0});
  SimClient& since = scene.world.client("since", 2);
  since.subscribe(kDrawing, StartAt{StartAt::Kind::since, {}, middle_ts});
  SimClient& delta = scene.world.client("delta", 2);
  delta.subscribe(kDrawing, StartAt{StartAt::Kind::cursor, Cursor({{origin, 8}}), 0});
  SimClient& full = scene.world.client("full", 1);
  full.subscribe(kDrawing);
  for (SimClient* client : {&live, &since, &delta, &full})
    ASSERT_TRUE(scene.live(*client, kDrawing));
  author.publish(kDrawing);
  ASSERT_TRUE(scene.comes_together(2_s));

  EXPECT_EQ(seqs_of(full)[origin], counting_to(11));
  EXPECT_EQ(seqs_of(delta)[origin], (std::vector<Seq>{9, 10, 11}));
  EXPECT_EQ(seqs_of(since)[origin].front(), author.acks()[5].seq);
  EXPECT_EQ(seqs_of(since)[origin].back(), 11U);
  EXPECT_EQ(seqs_of(live)[origin].back(), 11U);
}

TEST(Promise1, AnOriginThatNobodyHasHeardOfIsNoError) {
  Scene scene(calm(3, 2, 2));
  SimClient& reader = scene.world.client("reader", 1);
  reader.subscribe(kDrawing, StartAt{StartAt::Kind::cursor, Cursor({{"ws9~zzzzzzzz", 40}}), 0});
  ASSERT_TRUE(scene.live(reader, kDrawing));
  scene.world.client("author", 0).publish(kDrawing);
  ASSERT_TRUE(scene.comes_together(2_s));
  EXPECT_EQ(reader.subscription(kDrawing).strokes.size(), 1U);
  EXPECT_TRUE(reader.errors().empty());
}

TEST(Promise2, TheCursorIsWhatTheSubscriberHasSeen) {
  Scene scene(calm(3, 2, 2));
  SimClient& author = scene.world.client("author", 0);
  SimClient& reader = scene.world.client("reader", 1);
  reader.subscribe(kDrawing);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 8; ++i)
      author.publish(kDrawing);
    ASSERT_TRUE(scene.comes_together(2_s));
    // It shows the cursor that it kept from the strokes alone; the client checks the answers against it.
    reader.reconnect(static_cast<NodeIndex>(round % 3));
  }
  ASSERT_TRUE(scene.comes_together(2_s));
  EXPECT_EQ(reader.subscription(kDrawing).strokes.size(), 40U);
}

TEST(Promise3, AnAcknowledgedStrokeReachesEverySubscriberThoughAnyOneMachineIsLost) {
  for (NodeIndex lost = 0; lost < 3; ++lost) {
    for (NodeIndex at = 0; at < 3; ++at) {
      SCOPED_TRACE("author at " + std::to_string(at) + ", lost " + std::to_string(lost));
      Options options = calm(3, 2, 2);
      options.lose_one_for_good = true;
      Scene scene(options);
      SimClient& author = scene.world.client("author", at);
      SimClient& reader = scene.world.client("reader", (lost + 1) % 3);
      reader.subscribe(kDrawing);
      for (int i = 0; i < 25; ++i)
        author.publish(kDrawing);
      // In the very moment of the last ack that machine is gone, disk and all.
      ASSERT_TRUE(scene.world.run_until_true([&] { return scene.world.checker().acks() == 25; }, 3_s));
      scene.world.node(lost).crash(true);
      scene.world.lose_disk(lost);
      SimClient& newcomer = scene.world.client("newcomer", (lost + 2) % 3);
      newcomer.subscribe(kDrawing);
      ASSERT_TRUE(scene.comes_together(10_s));
      EXPECT_EQ(reader.subscription(kDrawing).strokes.size(), 25U);
      EXPECT_EQ(newcomer.subscription(kDrawing).strokes.size(), 25U);
    }
  }
}

TEST(Promise3, WhoWasAwayGetsItWhenItComesBack) {
  Scene scene(calm(3, 2, 2));
  SimClient& author = scene.world.client("author", 0);
  SimClient& reader = scene.world.client("reader", 2);
  reader.subscribe(kDrawing);
  ASSERT_TRUE(scene.live(reader, kDrawing));
  reader.stop();
  for (int i = 0; i < 30; ++i)
    author.publish(kDrawing);
  ASSERT_TRUE(scene.acknowledged(author, 3_s));
  reader.start();
  ASSERT_TRUE(scene.comes_together(2_s));
  EXPECT_EQ(reader.subscription(kDrawing).strokes.size(), 30U);
}

TEST(Promise4, TheNodeThatKnowsAPublishAnswersDuplicate) {
  // On every node but the one that numbered it: the homes know it, the third asks them.
  for (NodeIndex other = 0; other < 4; ++other) {
    SCOPED_TRACE(other);
    Scene scene(calm(4, 2, 2));
    SimClient& author = scene.world.client("author", 0);
    const Op op = author.publish(kDrawing);
    ASSERT_TRUE(scene.acknowledged(author, 2_s));
    const SendAck first = author.acks().back();
    EXPECT_FALSE(first.duplicate);
    author.reconnect(other);
    ASSERT_TRUE(scene.world.run_until_true([&] { return author.connected(); }, 1_s));
    author.publish_again(kDrawing, op);
    ASSERT_TRUE(scene.world.run_until_true([&] { return author.acks().size() == 2; }, 2_s)) << author.describe();
    const SendAck second = author.acks().back();
    EXPECT_TRUE(second.duplicate);
    EXPECT_EQ(second.origin, first.origin);
    EXPECT_EQ(second.seq, first.seq);
    EXPECT_EQ(second.ts, first.ts);
    EXPECT_GE(second.copies, 2U);
    ASSERT_TRUE(scene.comes_together(2_s));
    EXPECT_EQ(scene.world.checker().stored(kDrawing).size(), 1U);
  }
}

TEST(Promise4, WhoOnlyHasTheDrawingOpenIsAskedToo) {
  Scene scene(calm(5, 2, 2));
  const std::vector<NodeIndex> homes = scene.world.homes(kDrawing);
  std::vector<NodeIndex> strangers;
  for (NodeIndex node = 0; node < 5; ++node) {
    if (node != homes[0] && node != homes[1]) strangers.push_back(node);
  }
  const NodeIndex origin = strangers[0];
  const NodeIndex reader_at = strangers[1];
  SimClient& reader = scene.world.client("reader", reader_at);
  reader.set_stay(true);
  reader.subscribe(kDrawing);
  ASSERT_TRUE(scene.live(reader, kDrawing));
  // The homes never hear of the stroke, nor its origin of the one copy that there is, and then it is gone.
  for (const NodeIndex home : homes)
    scene.world.network().cut(origin, home);
  scene.world.network().cut(reader_at, origin);
  SimClient& author = scene.world.client("author", origin);
  author.publish(kDrawing);
  ASSERT_TRUE(scene.world.run_until_true([&] { return reader.subscription(kDrawing).strokes.size() == 1; }, 1_s));
  scene.world.node(origin).crash(false);
  author.reconnect(strangers[2]);
  ASSERT_TRUE(scene.acknowledged(author, 1_s));
  EXPECT_TRUE(author.acks().back().duplicate);
  scene.world.node(origin).start();
  scene.world.network().heal_all();
  ASSERT_TRUE(scene.comes_together(10_s));
  EXPECT_EQ(reader.subscription(kDrawing).strokes.size(), 1U) << "drawn twice";
}

TEST(Promise4, ASecondCopyStaysInTheLogAndIsDrawnOnceAtTheLowestPlace) {
  Scene scene(calm(3, 2, 2));
  std::vector<SimClient*> readers;
  for (NodeIndex node = 0; node < 3; ++node) {
    readers.push_back(&scene.world.client("reader" + std::to_string(node), node));
    readers.back()->set_stay(true);
    readers.back()->subscribe(kDrawing);
  }
  scene.world.run_for(1_s);
  for (const NodeIndex other : {1U, 2U}) {
    scene.world.network().cut(0, other);
    scene.world.network().cut(other, 0);
  }
  scene.world.run_for(3_s);
  SimClient& author = scene.world.client("author", 0);
  const Op op = author.publish(kDrawing);
  scene.world.run_for(500_ms);
  EXPECT_EQ(author.outbox(), 1U) << "acknowledged without a second copy";
  author.reconnect(1);
  ASSERT_TRUE(scene.acknowledged(author, 4_s));
  scene.world.network().heal_all();
  ASSERT_TRUE(scene.comes_together(10_s));
  EXPECT_EQ(scene.world.checker().stored(kDrawing).size(), 2U) << "both copies stay";
  for (const SimClient* reader : readers) {
    const auto& strokes = reader->subscription(kDrawing).strokes;
    ASSERT_EQ(strokes.size(), 2U);
    EXPECT_EQ(strokes[0]->op, op);
    EXPECT_EQ(strokes[1]->op, op);
  }
  // Whoever reads it from the log sees which one that node learned later.
  scene.world.run_for(5_s);
  for (NodeIndex node = 0; node < 3; ++node) {
    SimClient& newcomer = scene.world.client("newcomer" + std::to_string(node), node);
    newcomer.subscribe(kDrawing);
    ASSERT_TRUE(scene.live(newcomer, kDrawing));
    const auto& strokes = newcomer.subscription(kDrawing).strokes;
    ASSERT_EQ(strokes.size(), 2U);
    EXPECT_NE(strokes[0]->duplicate, strokes[1]->duplicate) << node;
  }
}

TEST(Promise4, TheSameOpWithOtherDataIsRefused) {
  Scene scene(calm(3, 2, 2));
  SimClient& author = scene.world.client("author", 0);
  const Op op = author.publish(kDrawing);
  ASSERT_TRUE(scene.acknowledged(author, 2_s));
  for (NodeIndex node = 0; node < 3; ++node) {
    author.reconnect(node);
    ASSERT_TRUE(scene.world.run_until_true([&] { return author.connected(); }, 1_s));
    const std::size_t errors = author.errors().size();
    author.publish_again(kDrawing, op, "{\"other\":1}");
    ASSERT_TRUE(scene.world.run_until_true([&] { return author.errors().size() > errors; }, 2_s));
    EXPECT_EQ(author.errors().back().code, ErrorCode::op_reused);
  }
}

TEST(Promise5, AnAuthorThatIsSubscribedReceivesItsOwnStroke) {
  Scene scene(calm(3, 2, 2));
  SimClient& author = scene.world.client("author", 1);
  author.subscribe(kDrawing);
  ASSERT_TRUE(scene.live(author, kDrawing));
  for (int i = 0; i < 5; ++i)
    author.publish(kDrawing);
  ASSERT_TRUE(scene.comes_together(2_s));
  EXPECT_EQ(author.subscription(kDrawing).strokes.size(), 5U);
}

TEST(Promise6, AllReplicasConvergeOnceTheNodesCanReachEachOther) {
  Scene scene(calm(3, 3, 2));
  for (NodeIndex from = 0; from < 3; ++from) {
    for (NodeIndex to = 0; to < 3; ++to) {
      if (from != to) scene.world.network().cut(from, to);
    }
  }
  for (NodeIndex node = 0; node < 3; ++node) {
    SimClient& author = scene.world.client("author" + std::to_string(node), node);
    author.set_stay(true);
    author.subscribe(kDrawing);
    for (int i = 0; i < 20; ++i)
      author.publish(kDrawing);
  }
  scene.world.run_for(5_s);
  ASSERT_TRUE(scene.holds());
  scene.world.network().heal_all();
  ASSERT_TRUE(scene.comes_together(10_s));
  for (NodeIndex node = 0; node < 3; ++node)
    EXPECT_GE(scene.world.node(node).store().usage().strokes, 60U);
}

TEST(Promise7, SignalsAreNeverStored) {
  Scene scene(calm(3, 2, 2));
  SimClient& author = scene.world.client("author", 0);
  SimClient& near = scene.world.client("near", 0);
  SimClient& far = scene.world.client("far", 2);
  SimClient& elsewhere = scene.world.client("elsewhere", 2);
  for (SimClient* client : {&author, &near, &far})
    client->subscribe(kDrawing);
  elsewhere.subscribe("drawing_other");
  scene.world.run_for(2_s);
  for (int i = 0; i < 10; ++i) {
    author.signal(kDrawing);
    scene.world.run_for(20_ms);
  }
  EXPECT_EQ(near.signals(), 10U);
  EXPECT_EQ(far.signals(), 10U);
  EXPECT_EQ(author.signals(), 0U);
  EXPECT_EQ(elsewhere.signals(), 0U);
  for (NodeIndex node = 0; node < 3; ++node)
    EXPECT_EQ(scene.world.node(node).store().usage().strokes, 0U);
  SimClient& newcomer = scene.world.client("newcomer", 1);
  newcomer.subscribe(kDrawing);
  ASSERT_TRUE(scene.comes_together(2_s));
  EXPECT_EQ(newcomer.signals(), 0U);
}

TEST(Complete, IsNoPageThatWasReadBeforeTheRestWasStored) {
  // What the page lacks is stored between the store's look and its answer, at one of these delays.
  unsigned late = 0;
  for (unsigned delay = 0; delay < 20; ++delay) {
    Options options = calm(3, 1, 1);
    options.seed = 100 + delay;
    options.commit_us_min = options.commit_us_max = 1090_ms;
    options.read_us_max = 200_ms;
    options.ack_us = 5_s;
    Scene scene(options);
    const Channel drawing = "drawing";
    // The notes of the first lives go to the same slow disk.
    scene.world.run_for(10_s);
    scene.world.client("author", scene.world.homes(drawing)[0]).publish(drawing);
    scene.world.run_for(3_s);
    const NodeIndex reader = scene.stranger(drawing);
    bool answered = false;
    scene.world.node(reader).edge().ask_history(drawing, StartAt{}, [&](const HistoryPage& page) {
      answered = true;
      EXPECT_EQ(page.complete, !page.strokes.empty());
      late += page.strokes.empty() ? 1 : 0;
    });
    EXPECT_TRUE(scene.world.run_until_true([&] { return answered; }, 5_s));
    EXPECT_TRUE(scene.holds());
  }
  EXPECT_NE(late, 0U);
}

TEST(Presence, IsWholeAgainAfterAPartition) {
  Scene scene(calm(2, 2, 1));
  SimClient& here = scene.world.client("here", 0);
  SimClient& there = scene.world.client("there", 1);
  for (SimClient* client : {&here, &there}) {
    client->set_stay(true);
    client->subscribe("drawing");
  }
  scene.world.run_for(1_s);
  here.ask_presence("drawing");
  scene.world.run_for(100_ms);
  using Who = SimClient::Subscription::Who;
  const Who both{{"here", "ws1"}, {"there", "ws2"}};
  EXPECT_EQ(here.subscription("drawing").present.value().who(), both);
  for (const auto& [from, to] : {std::pair(0U, 1U), std::pair(1U, 0U)})
    scene.world.network().cut(from, to);
  scene.world.run_for(4_s);
  EXPECT_EQ(here.subscription("drawing").present.value().who(), (Who{{"here", "ws1"}}));
  scene.world.network().heal_all();
  scene.world.run_for(3_s);
  EXPECT_EQ(here.subscription("drawing").present.value().who(), both);
}

TEST(Acks, CountAgainWhatAPeerConfirmedBeforeItWasAway) {
  Scene scene(calm(3, 3, 3));
  Network& network = scene.world.network();
  const auto cut = [&](NodeIndex peer, bool is_cut) {
    for (const auto& [from, to] : {std::pair(NodeIndex{0}, peer), std::pair(peer, NodeIndex{0})})
      is_cut ? network.cut(from, to) : network.heal(from, to);
  };
  SimClient& author = scene.world.client("author", 0);
  author.set_stay(true);
  ASSERT_TRUE(scene.world.run_until_true([&] { return author.connected(); }, 1_s));
  cut(1, true);
  author.publish("drawing");
  scene.world.run_for(200_ms);
  author.stop();
  cut(2, true);
  ASSERT_TRUE(scene.world.run_until_true([&] { return scene.peer(0, 2).state == "down"; }, 5_s));
  cut(1, false);
  scene.world.run_for(5_s);
  EXPECT_EQ(scene.world.node(0).core().status().acks_waiting, 1U);
  cut(2, false);
  scene.world.run_for(3_s);
  EXPECT_EQ(scene.world.node(0).core().status().acks_waiting, 0U);
}

}  // namespace
}  // namespace inkmesh::sim
