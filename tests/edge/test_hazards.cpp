// Attacks on open connections: each row of what websocketpp leaves open, with what it may cost and whom it may not
// harm.
#include <sys/socket.h>

#include <algorithm>
#include <thread>

#include "edge_fixture.h"

namespace inkmesh::edge::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMegabyte = std::size_t{1} << 20;
constexpr Millis kPrompt(kSanitized ? 500 : 100);

std::string repeated(const std::string& one, std::size_t times) {
  std::string out;
  out.reserve(one.size() * times);
  for (std::size_t i = 0; i < times; ++i)
    out += one;
  return out;
}

class Hazards : public EdgeTest {
 protected:
  /// What closes a connection that sends this.
  unsigned close_code_for(const std::string& bytes) {
    RawClient one = client();
    one.open();
    one.send_raw(bytes);
    return one.read_close();
  }

  /// Sends the same bytes without reading until the edge closes; how many went through.
  std::size_t flood(RawClient& attacker, const std::string& bytes, Millis patience) {
    const auto deadline = Clock::now() + patience;
    std::size_t sent = 0;
    while (Clock::now() < deadline) {
      const long some = attacker.send_some(bytes);
      if (some < 0) return sent;
      if (some == 0) std::this_thread::sleep_for(Millis(1));
      sent += static_cast<std::size_t>(some);
    }
    ADD_FAILURE() << "the edge endured it for " << patience.count() << " ms";
    return sent;
  }
};

TEST_F(Hazards, CompressedFramesAreBrokenFrames) {
  start();
  EXPECT_EQ(close_code_for(client_frame(kFin | kRsv1 | kText, std::string(1'000, '\0'))), 1002U);
}

TEST_F(Hazards, BrokenFramesCloseWith1002) {
  start();
  EXPECT_EQ(close_code_for(client_frame(kFin | kText, "{}", false)), 1002U) << "not masked";
  EXPECT_EQ(close_code_for(client_frame(kFin | 3, "")), 1002U) << "a reserved opcode";
  EXPECT_EQ(close_code_for(client_frame(kFin, "")), 1002U) << "a continuation of nothing";
  EXPECT_EQ(close_code_for(client_frame(kText, "a") + client_frame(kFin | kText, "b")), 1002U)
      << "a message in a message";
  EXPECT_EQ(close_code_for(client_frame(kPing, "")), 1002U) << "a ping in pieces";
  EXPECT_EQ(close_code_for(client_frame(kFin | kPing, std::string(126, 'x'))), 1002U) << "a large ping";
  EXPECT_EQ(close_code_for(std::string("\x81\xFE\x00\x05", 4) + "mask" + "hello"), 1002U)
      << "a length in too many bytes";
}

TEST_F(Hazards, TextThatIsNotUtf8ClosesWith1007AndBinaryWith1003) {
  start();
  EXPECT_EQ(close_code_for(client_frame(kFin | kText, "{\"type\":\"\xC3\x28\"}")), 1007U);
  EXPECT_EQ(close_code_for(client_frame(kFin | kText, "\xED\xA0\x80")), 1007U);
  EXPECT_EQ(close_code_for(client_frame(kFin | kBinary, "{\"type\":\"ping\"}")), 1003U);
}

TEST_F(Hazards, AMessageOverTheLimitClosesWith1009AndOneAtTheLimitIsRead) {
  start();
  const std::string begin = R"({"type":"ping","pad":")";
  const std::string fits = begin + std::string(kFrameBytesMax - begin.size() - 2, 'x') + "\"}";
  ASSERT_EQ(fits.size(), kFrameBytesMax);
  RawClient one = client();
  one.open().send_text(fits);
  EXPECT_EQ(one.read_text(), R"({"type":"pong"})");

  EXPECT_EQ(close_code_for(client_frame(kFin | kText, fits + " ")), 1009U);
  const std::string half = std::string(kFrameBytesMax / 2 + 1, ' ');
  EXPECT_EQ(close_code_for(client_frame(kText, half) + client_frame(kFin, half)), 1009U) << "in fragments";
  // Claims of up to 2^63 bytes cost nothing.
  EXPECT_EQ(close_code_for(std::string("\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10) + "mask"), 1009U);
}

TEST_F(Hazards, ClaimedLengthsCostNoMemoryUntilBytesCome) {
  start();
  std::vector<RawClient> claimers;
  const std::size_t memory = resident_bytes();
  for (int i = 0; i < 300; ++i) {
    claimers.push_back(std::move(client().open()));
    claimers.back().send_raw(client_frame(kFin | kText, std::string(90'000, ' ')).substr(0, 100));
  }
  RawClient other = client();
  EXPECT_TRUE(other.open().round_trip());
  EXPECT_LT(resident_bytes() - memory, memory_slack(8 * kMegabyte));
}

TEST_F(Hazards, APingFloodThatNeverReadsIsClosedAndCostsNothing) {
  start();
  RawClient other = named("other");
  RawClient attacker = client("127.0.0.1", 4'096);
  attacker.open();
  const std::size_t memory = resident_bytes();
  flood(attacker, repeated(client_frame(kFin | kPing, std::string(125, 'p')), 500), Millis(20'000));
  EXPECT_LT(resident_bytes() - memory, memory_slack(20 * kMegabyte));
  EXPECT_EQ(edge->stats().closed_for_abuse, 1U);
  EXPECT_LT(median_round_trip(other), kPrompt);
}

TEST_F(Hazards, APingFloodClosesWith4429AndAFewPingsAreAnswered) {
  start();
  RawClient one = client();
  one.open();
  for (int i = 0; i < 20; ++i) {
    const std::string payload = "p" + std::to_string(i);
    one.send_raw(client_frame(kFin | kPing, payload));
    const auto pong = one.read_frame();
    ASSERT_TRUE(pong);
    EXPECT_EQ(pong->opcode(), kPong);
    EXPECT_EQ(pong->payload, payload);
  }
  one.send_raw(repeated(client_frame(kFin | kPing, ""), 200));
  EXPECT_EQ(one.read_close(), 4429U);
}

TEST_F(Hazards, OfPingsThatComeWhileNothingIsReadOnlyTheLastIsAnswered) {
  settings.limits.outbox_bytes = 8U << 20U;
  start();
  RawClient slow = named("slow", 4'096);
  const ConnId conn = node.conn_of("slow");
  for (int i = 0; i < 6'000; ++i)
    send({conn}, std::string(1'000, 'x'), 1'000);
  ASSERT_TRUE(eventually([&] { return edge->stats().frames_out == 6'001; }));
  ASSERT_GT(edge->stats().outbox_bytes, 0U) << "the kernel took it all";
  for (int i = 0; i < 50; ++i)
    slow.send_raw(client_frame(kFin | kPing, "p" + std::to_string(i)));
  slow.send_text(R"({"type":"ping"})");
  ASSERT_TRUE(eventually([&] { return edge->stats().messages_in == 2; }));
  std::vector<std::string> pongs;
  for (std::string text; text != R"({"type":"pong"})";) {
    const auto frame = slow.read_frame();
    ASSERT_TRUE(frame);
    if (frame->opcode() == kPong) pongs.push_back(frame->payload);
    if (frame->opcode() == kText) text = frame->payload;
  }
  EXPECT_EQ(pongs, std::vector<std::string>{"p49"});
}

TEST_F(Hazards, EmptyFragmentsWithoutEndAreClosedAndHarmNobody) {
  start();
  RawClient other = named("other");
  RawClient attacker = client();
  attacker.open().send_raw(client_frame(kText, "{"));
  const Millis cpu = cpu_used();
  const std::size_t memory = resident_bytes();
  std::thread attack([&] { flood(attacker, repeated(client_frame(0, ""), 10'000), Millis(20'000)); });
  EXPECT_LT(median_round_trip(other), kPrompt);
  attack.join();
  EXPECT_LT(resident_bytes() - memory, memory_slack(10 * kMegabyte));
  EXPECT_LT(cpu_used() - cpu, Millis(kSanitized ? 8'000 : 2'000));
  EXPECT_EQ(edge->stats().closed_for_abuse, 1U);
  RawClient reading = client();
  reading.open().send_raw(client_frame(kText, "{") + repeated(client_frame(0, ""), 3'000));
  EXPECT_EQ(reading.read_close(), 4429U);
}

TEST_F(Hazards, AMessageInManyHonestFragmentsIsRead) {
  start();
  RawClient one = client();
  one.open();
  const std::string text = R"({"type":"ping"   })";
  std::string bytes = client_frame(kText, text.substr(0, 1));
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    bytes += client_frame(0, text.substr(i, 1)) + client_frame(kFin | kPing, "between");
  }
  one.send_raw(bytes + client_frame(kFin, text.substr(text.size() - 1)));
  EXPECT_EQ(one.read_text(), R"({"type":"pong"})");
}

TEST_F(Hazards, PongsThatNobodyAskedForAreHeldToARate) {
  start();
  EXPECT_EQ(close_code_for(repeated(client_frame(kFin | kPong, ""), 10'000)), 4429U);
}

TEST_F(Hazards, AFloodOfMessagesIsReadSlowlyAndHarmsNobody) {
  settings.limits.publish_per_s = 100;
  settings.limits.signal_per_s = 100;
  start();
  RawClient other = named("other");
  RawClient attacker = client();
  attacker.open();
  const std::string signals =
      repeated(client_frame(kFin | kText, R"({"type":"signal","channel":"d","data":1})"), 1'000);
  const auto begin = Clock::now();
  std::size_t sent = 0;
  while (Clock::now() - begin < Millis(1'500)) {
    const long some = attacker.send_some(signals.substr(sent % signals.size()));
    ASSERT_GE(some, 0) << "many messages are not abuse";
    if (some == 0) std::this_thread::sleep_for(Millis(1));
    sent += static_cast<std::size_t>(some);
  }
  EXPECT_LT(median_round_trip(other), kPrompt);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  EXPECT_LT(static_cast<double>(edge->stats().messages_in), 5'000 * (seconds + 1) + 2'000);
  EXPECT_GT(edge->stats().messages_in, 5'000U);
  EXPECT_EQ(edge->stats().closed_for_abuse, 0U);
  const std::lock_guard lock(node.mutex);
  EXPECT_LE(static_cast<double>(node.requests.size()), 100 * (seconds + 1) + 10);
}

TEST_F(Hazards, MistakesAreAnsweredUntilThereAreTooMany) {
  start();
  RawClient one = client();
  one.open();
  for (int i = 0; i < 50; ++i) {
    one.send_text("nonsense");
    EXPECT_NE(one.read_text().find(R"("code":"bad_message")"), std::string::npos);
  }
  EXPECT_TRUE(one.round_trip());
  for (int i = 0; i < 200; ++i)
    one.send_text("nonsense");
  EXPECT_EQ(one.read_close(), 4429U);
  EXPECT_EQ(edge->stats().closed_for_abuse, 1U);
}

TEST_F(Hazards, AReaderThatStandsStillIsHeldToItsWindow) {
  settings.limits.outbox_bytes = 512U << 10U;
  start();
  RawClient reader = named("reader", 4'096);
  const ConnId conn = node.conn_of("reader");
  const std::size_t memory = resident_bytes();
  // The node's part: no more than a window of what is not reported as written.
  const std::size_t cost = 4'096;
  std::size_t given = 0;
  const auto window_open = [&] { return given - node.written[conn] + cost <= settings.limits.outbox_bytes; };
  const auto frame = [](std::size_t number) { return std::to_string(number) + std::string(4'000, 'x'); };
  std::size_t sent = 0;
  const auto push_all = [&] {
    while (sent < 1'000 && node.look(window_open)) {
      send({conn}, frame(sent++), cost);
      given += cost;
    }
  };
  const auto begin = Clock::now();
  while (Clock::now() - begin < Millis(1'000)) {
    push_all();
    std::this_thread::sleep_for(Millis(5));
  }
  ASSERT_LT(sent, 1'000U) << "the window never closed";
  EXPECT_LE(edge->stats().outbox_bytes_max, settings.limits.outbox_bytes + 4'096);
  EXPECT_LT(resident_bytes() - memory, memory_slack(20 * kMegabyte));

  for (std::size_t got = 0; got < 1'000;) {
    push_all();
    // The reader may have the last frame before the edge has said that it is written.
    if (got == sent) {
      ASSERT_TRUE(node.wait(window_open)) << "the window stays closed after " << got;
      continue;
    }
    const std::string text = reader.read_text(Millis(10'000));
    ASSERT_EQ(text, frame(got)) << got;
    ++got;
  }
  EXPECT_TRUE(node.wait([&] { return node.written[conn] == given; }))
      << node.look([&] { return node.written[conn]; }) << " of " << given;
  EXPECT_EQ(edge->stats().outbox_bytes, 0U);
}

TEST_F(Hazards, RequestsFromWhoNeverReadsArePausedAndNoneIsLost) {
  settings.limits.outbox_bytes = 512U << 10U;
  settings.limits.publish_per_s = 200'000;
  node.busy = true;
  start();
  RawClient attacker = named("attacker", 4'096);
  RawClient other = named("other");
  const std::size_t memory = resident_bytes();
  const std::string publish = client_frame(kFin | kText, R"({"type":"publish","id":1,"channel":"d","op":1,"data":1})");
  const std::string bytes = repeated(publish, 1'000);
  std::size_t sent = 0;
  auto moved = Clock::now();
  while (Clock::now() - moved < Millis(1'000)) {
    const long some = attacker.send_some(std::string_view(bytes).substr(sent % bytes.size()));
    ASSERT_GE(some, 0) << "slowness alone closes nobody";
    sent += static_cast<std::size_t>(some);
    if (some > 0) moved = Clock::now();
    if (some == 0) std::this_thread::sleep_for(Millis(5));
    ASSERT_LT(sent, 500 * kMegabyte) << "it is still being read";
  }
  EXPECT_LT(edge->stats().outbox_bytes_max, settings.limits.outbox_bytes / 2 + 64 * 1'024);
  EXPECT_LT(resident_bytes() - memory, memory_slack(20 * kMegabyte));
  EXPECT_LT(median_round_trip(other), kPrompt);

  std::thread finish([&] { attacker.send_raw(std::string_view(bytes).substr(sent % bytes.size())); });
  const std::size_t requests = (sent / bytes.size() + 1) * 1'000;
  std::size_t answers = 0;
  while (answers < requests && !attacker.read_text(Millis(10'000)).empty())
    ++answers;
  finish.join();
  EXPECT_EQ(answers, requests);
}

TEST_F(Hazards, FramesWithoutCostToWhoNeverReadsEndAtTheHardBound) {
  settings.limits.outbox_bytes = 512U << 10U;
  start();
  RawClient reader = named("reader", 4'096);
  const ConnId conn = node.conn_of("reader");
  for (int i = 0; i < 20'000 && edge->stats().connections > 0; ++i)
    send({conn}, std::string(1'000, 'x'));
  EXPECT_TRUE(node.wait([&] { return node.closed.size() == 1; }));
  EXPECT_LE(edge->stats().outbox_bytes_max, 2 * settings.limits.outbox_bytes + kMegabyte);
}

TEST_F(Hazards, SilenceIsPingedThenCutOffAndAPongIsEnough) {
  settings.limits.idle_ms = 400;
  start();
  RawClient silent = named("silent");
  RawClient answering = named("answering");
  const auto begin = Clock::now();
  std::thread pongs([&] {
    while (Clock::now() - begin < Millis(2'500)) {
      const auto frame = answering.read_frame(Millis(500));
      if (frame && frame->opcode() == kPing) answering.send_raw(client_frame(kFin | kPong, frame->payload));
    }
  });
  const auto ping = silent.read_frame(Millis(3'000));
  ASSERT_TRUE(ping);
  EXPECT_EQ(ping->opcode(), kPing);
  EXPECT_GE(Clock::now() - begin, Millis(350));
  EXPECT_TRUE(silent.closed_within(Millis(3'000)));
  EXPECT_GE(Clock::now() - begin, Millis(750));
  EXPECT_LE(Clock::now() - begin, Millis(2'000));
  const ConnId conn = node.conn_of("silent");
  EXPECT_TRUE(node.wait([&] { return node.closed == std::vector<ConnId>{conn}; }));
  pongs.join();
  EXPECT_TRUE(answering.round_trip());
}

TEST_F(Hazards, AReaderThatIsOnlySlowIsNotCutOffThoughItsPongIsLate) {
  settings.limits.idle_ms = 400;
  settings.limits.outbox_bytes = 4U << 20U;
  start();
  RawClient slow = named("slow", 16'384);
  const ConnId conn = node.conn_of("slow");
  for (int i = 0; i < 3'000; ++i)
    send({conn}, std::string(1'000, 'x'), 1'000);
  const auto begin = Clock::now();
  std::size_t read = 0;
  while (Clock::now() - begin < Millis(3'000)) {
    read += slow.drop(30'000);
    std::this_thread::sleep_for(Millis(40));
  }
  EXPECT_GT(edge->stats().outbox_bytes, 0U) << "it read " << read << " bytes: not slow";
  EXPECT_EQ(edge->stats().connections, 1U);
  EXPECT_TRUE(node.look([&] { return node.closed.empty(); }));
}

TEST_F(Hazards, WhoNeitherReadsNorSpeaksIsCutOffWithWhatWaitsForIt) {
  settings.limits.idle_ms = 300;
  settings.limits.outbox_bytes = 4U << 20U;
  start();
  RawClient dead = named("dead", 4'096);
  const ConnId conn = node.conn_of("dead");
  for (int i = 0; i < 3'000; ++i)
    send({conn}, std::string(1'000, 'x'), 1'000);
  EXPECT_TRUE(node.wait([&] { return node.closed == std::vector<ConnId>{conn}; }, Millis(5'000)));
  EXPECT_TRUE(eventually([&] { return edge->stats().outbox_bytes == 0; }));
}

TEST_F(Hazards, AConnectionThatIsResetIsToldClosedOnce) {
  start();
  RawClient one = named("one");
  const ConnId conn = node.conn_of("one");
  const linger hard{1, 0};
  setsockopt(one.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  one.close_now();
  EXPECT_TRUE(node.wait([&] { return node.closed == std::vector<ConnId>{conn}; }));
}

}  // namespace
}  // namespace inkmesh::edge::test
