#include <gtest/gtest.h>
#include <poll.h>

#include <string>

#include "node/inbox.h"

namespace inkmesh::node {
namespace {

Event publish_of(std::size_t data_bytes) {
  Publish publish;
  publish.conn = 1;
  publish.channel = "drawing_a";
  publish.data.assign(data_bytes, 'x');
  return publish;
}

TEST(Inbox, RefusesRequestsPastItsBytesAndTakesWhatTellsOfConnections) {
  Inbox inbox;
  const edge::EdgeSink sink = inbox.sink(Woken::yes);
  std::size_t taken = 0;
  while (sink.request(publish_of(64 * 1024)) && taken < 100'000)
    ++taken;
  EXPECT_GT(taken, 900U);
  EXPECT_LT(taken, 1'100U) << "64 MiB of publishes, and no more";
  EXPECT_EQ(inbox.refused(), 1U);
  edge::HttpRequest request;
  request.body.assign(64 * 1024, 'x');
  EXPECT_FALSE(sink.http(std::move(request)));
  EXPECT_EQ(inbox.refused(), 2U);
  sink.control(ConnClosed{1});
  inbox.answer(Committed{1});
  EXPECT_EQ(inbox.waiting(), taken + 2);
}

TEST(Inbox, RefusesRequestsPastTheirNumber) {
  Inbox inbox;
  const edge::EdgeSink sink = inbox.sink(Woken::yes);
  std::size_t taken = 0;
  while (sink.request(Unsubscribe{1, 1, "a"}) && taken < 1'000'000)
    ++taken;
  EXPECT_EQ(taken, 65'536U);
}

TEST(Inbox, WakesWhoeverSleepsOnItUnlessItIsHisOwn) {
  Inbox inbox;
  const auto readable = [&] {
    pollfd fd{inbox.wake_fd(), POLLIN, 0};
    return poll(&fd, 1, 0) == 1;
  };
  std::vector<Event> answers;
  std::vector<Mail> mail;
  const edge::EdgeSink own = inbox.sink(Woken::no);
  own.control(ConnOpened{1, "ann"});
  EXPECT_FALSE(readable());
  EXPECT_EQ(inbox.waiting(), 1U);
  inbox.put(StopLoop{});
  EXPECT_TRUE(readable()) << "though something waited already";
  inbox.take(answers, mail);
  EXPECT_FALSE(readable());
  EXPECT_EQ(mail.size(), 2U);
}

TEST(Inbox, GivesOnlyWhereTheLoopHasNothingLeft) {
  Inbox inbox;
  inbox.put(Event{ConnOpened{1, "ann"}});
  inbox.answer(Committed{7});
  std::vector<Event> answers;
  std::vector<Mail> mail;
  inbox.take(answers, mail);
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_EQ(mail.size(), 1U);
  EXPECT_EQ(std::get<Committed>(answers[0]).ticket, 7U);
  EXPECT_EQ(std::get<ConnOpened>(std::get<Event>(mail[0])).client, "ann");

  inbox.put(StopLoop{});
  inbox.answer(Committed{8});
  answers.clear();
  inbox.take(answers, mail);
  EXPECT_EQ(std::get<Committed>(answers.at(0)).ticket, 8U);
  EXPECT_TRUE(std::holds_alternative<Event>(mail.at(0))) << "what was left is still there";
  EXPECT_EQ(inbox.waiting(), 1U);
}

}  // namespace
}  // namespace inkmesh::node
