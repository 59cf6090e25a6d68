// The committer's threads: groups, generations, answers, and the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "answers.h"
#include "store/memory_store.h"

namespace inkmesh::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Clock = std::chrono::steady_clock;

const Origin kA = "ws1~00000000";

/// A memory store whose writes wait for a gate, and that counts what it was given.
class GatedStore : public MemoryStore {
 public:
  WriteOutcome append(const std::vector<const Append*>& groups) override {
    std::size_t strokes = 0;
    for (const Append* group : groups)
      strokes += group->items.size();
    pass(strokes);
    return MemoryStore::append(groups);
  }
  WriteOutcome repair(const Repair& repair) override {
    pass(0);
    return MemoryStore::repair(repair);
  }
  ReadDone read(const Read& read) override {
    if (broken) throw StoreError("a broken page");
    return MemoryStore::read(read);
  }
  StoreUsage usage() override {
    StoreUsage usage = MemoryStore::usage();
    const std::lock_guard lock(mutex_);
    usage.map_bytes = 1'000'000;
    usage.capacity_bytes = 1'000;
    usage.used_bytes = used_;
    return usage;
  }

  void close_gate() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  void open_gate() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  /// Until a write stands at the closed gate.
  void await_write() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return at_gate_; })) throw std::runtime_error("no write");
  }
  void set_used(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    used_ = bytes;
  }
  std::vector<std::size_t> groups() {
    const std::lock_guard lock(mutex_);
    return groups_;
  }
  std::atomic<bool> broken{false};

 private:
  void pass(std::size_t strokes) {
    std::unique_lock lock(mutex_);
    groups_.push_back(strokes);
    at_gate_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    at_gate_ = false;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  bool at_gate_ = false;
  std::uint64_t used_ = 0;
  std::vector<std::size_t> groups_;
};

TEST(Committer, NotesInARowTakeOneCommitBetweenTheAppendsAroundThem) {
  GatedStore store;
  Answers answers;
  store.close_gate();
  {
    Committer committer(store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
    committer.submit(numbered(1, 1));
    store.await_write();
    for (int peer = 0; peer < 200; ++peer)
      committer.submit(Note{"met ws" + std::to_string(peer), "5k2m9x1q"});
    committer.submit(numbered(2, 2));
    store.open_gate();
    EXPECT_EQ(answers.next<Committed>().ticket, 1U);
    EXPECT_EQ(answers.next<Committed>().ticket, 2U);
    EXPECT_EQ(committer.stats().commits, 3U);
  }
  EXPECT_EQ(store.notes().size(), 200U);
}

TEST(Committer, AThousandAppendsThatWaitTakeFewCommits) {
  GatedStore store;
  Answers answers;
  store.close_gate();
  {
    Committer committer(store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
    committer.submit(numbered(1, 1));
    store.await_write();
    for (Seq seq = 2; seq <= 1'001; ++seq)
      committer.submit(numbered(seq, seq));
    EXPECT_EQ(committer.stats().queue_now, 1'000U);
    store.open_gate();
    for (Ticket ticket = 1; ticket <= 1'001; ++ticket)
      ASSERT_EQ(answers.next<Committed>().ticket, ticket);
    const CommitterStats stats = committer.stats();
    EXPECT_EQ(stats.commits, 2U);
    EXPECT_EQ(stats.strokes, 1'001U);
    EXPECT_EQ(stats.queue_now, 0U);
    EXPECT_GE(stats.commit_us_total, stats.commit_us_max);
  }
  EXPECT_THAT(store.groups(), ElementsAre(1, 1'000));
}

TEST(Committer, AGroupIsBoundedInStrokesAndInBytes) {
  GatedStore store;
  Answers answers;
  store.close_gate();
  Committer committer(store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
  committer.submit(numbered(1, 1));
  store.await_write();
  Append large = make_append("drawing", kA, 2, 16'001);
  large.ticket = 2;
  committer.submit(std::move(large));
  Append next = make_append("drawing", kA, 16'002, 16'801);
  next.ticket = 3;
  committer.submit(std::move(next));
  const std::string data(60'000, 'x');
  for (Ticket ticket = 4; ticket < 204; ++ticket)
    committer.submit(numbered(ticket, 16'798 + ticket, 0, data));
  store.open_gate();
  for (Ticket ticket = 1; ticket < 204; ++ticket)
    ASSERT_EQ(answers.next<Committed>().ticket, ticket);
  const auto groups = store.groups();
  ASSERT_GE(groups.size(), 4U);
  EXPECT_EQ(groups[0], 1U);
  EXPECT_EQ(groups[1], 16'000U) << "one Append is never cut, and the next did not fit";
  for (std::size_t i = 2; i < groups.size(); ++i)
    EXPECT_LE(groups[i], 800U + (std::size_t{8} << 20) / 60'000);
}

TEST(Committer, AFailureFailsWhatFollowsUntilTheGenerationRises) {
  GatedStore store;
  Answers answers;
  store.close_gate();
  Committer committer(store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
  committer.submit(numbered(1, 1, 5));
  store.await_write();
  committer.submit(numbered(2, 2, 5));
  store.refuse_next(WriteResult::full);
  store.open_gate();
  EXPECT_EQ(answers.next<AppendFailed>().ticket, 1U);
  const auto second = answers.next<AppendFailed>();
  EXPECT_EQ(second.ticket, 2U);
  EXPECT_EQ(second.error, AppendError::full) << "the reason is that of the first failure";

  committer.submit(numbered(3, 1, 5));
  committer.submit(numbered(4, 1, 4));
  EXPECT_EQ(answers.next<AppendFailed>().ticket, 3U);
  EXPECT_EQ(answers.next<AppendFailed>().ticket, 4U);
  committer.submit(numbered(5, 1, 6));
  EXPECT_EQ(answers.next<Committed>().ticket, 5U);
  committer.submit(numbered(6, 2, 6));
  EXPECT_EQ(answers.next<Committed>().ticket, 6U);
  EXPECT_EQ(store.read(read_of("drawing")).strokes.size(), 2U);
  EXPECT_EQ(committer.stats().strokes, 2U);
  EXPECT_EQ(answers.fatals(), 0U);
}

TEST(Committer, OldAndNewGenerationsInOneGroupAreToldApart) {
  GatedStore store;
  Answers answers;
  Committer committer(store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
  store.refuse_next(WriteResult::full);
  committer.submit(numbered(1, 1, 1));
  EXPECT_EQ(answers.next<AppendFailed>().ticket, 1U);

  store.close_gate();
  Repair repair;
  repair.ticket = 2;
  committer.submit(std::move(repair));
  store.await_write();
  committer.submit(numbered(3, 2, 1));
  committer.submit(numbered(4, 1, 2));
  committer.submit(numbered(5, 3, 1));
  committer.submit(numbered(6, 2, 2));
  store.open_gate();
  EXPECT_EQ(answers.next<Committed>().ticket, 2U) << "a repair has no generation";
  EXPECT_EQ(answers.next<AppendFailed>().ticket, 3U);
  EXPECT_EQ(answers.next<Committed>().ticket, 4U);
  EXPECT_EQ(answers.next<AppendFailed>().ticket, 5U);
  EXPECT_EQ(answers.next<Committed>().ticket, 6U);
  EXPECT_EQ(store.read(read_of("drawing")).strokes.size(), 2U);
}

TEST(Committer, ARepairKeepsItsPlaceAmongAppends) {
  GatedStore store;
  Answers answers;
  store.close_gate();
  Committer committer(store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
  committer.submit(numbered(1, 1));
  store.await_write();
  committer.submit(numbered(2, 2));
  Repair repair;
  repair.ticket = 3;
  repair.strokes = {make_stroke("drawing", kA, 2, "repaired")};
  committer.submit(std::move(repair));
  committer.submit(numbered(4, 3));
  store.open_gate();
  for (Ticket ticket = 1; ticket <= 4; ++ticket)
    EXPECT_EQ(answers.next<Committed>().ticket, ticket);
  EXPECT_THAT(store.groups(), ElementsAre(1, 1, 0, 1));
  EXPECT_EQ(store.read(read_of("drawing")).strokes[1]->data, "repaired");
}

TEST(Committer, TheEndCommitsAndAnswersWhatWaits) {
  GatedStore store;
  Answers answers;
  store.close_gate();
  std::thread opener;
  {
    Committer committer(store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
    for (Seq seq = 1; seq <= 50; ++seq)
      committer.submit(numbered(seq, seq));
    committer.submit(read_numbered(99));
    store.await_write();
    opener = std::thread([&] { store.open_gate(); });
  }
  opener.join();
  EXPECT_EQ(store.heads()[0].seq, 50U);
  EXPECT_EQ(answers.waiting(), 51U);
}

TEST(Committer, AsyncCommitsAtMostOneGroupAnInterval) {
  GatedStore store;
  Answers answers;
  constexpr std::uint32_t interval_ms = 200;
  const auto begin = Clock::now();
  Committer committer(store, Durability::async, interval_ms, answers.on_answer(), answers.on_fatal());
  committer.submit(numbered(1, 1));
  answers.next<Committed>();
  for (Seq seq = 2; seq <= 101; ++seq)
    committer.submit(numbered(seq, seq));
  for (Seq seq = 2; seq <= 101; ++seq)
    ASSERT_EQ(answers.next<Committed>().ticket, seq);
  const auto groups = store.groups();
  EXPECT_GE(groups.size(), 2U);
  EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds((groups.size() - 1) * interval_ms));
}

TEST(Committer, AsyncWaitsForNoIntervalAtTheEndOrWithAFullGroup) {
  GatedStore store;
  Answers answers;
  {
    // Far longer than next() waits.
    constexpr std::uint32_t interval_ms = 3'600'000;
    Committer committer(store, Durability::async, interval_ms, answers.on_answer(), answers.on_fatal());
    committer.submit(numbered(1, 1));
    answers.next<Committed>();
    Append large = make_append("drawing", kA, 2, 16'385);
    large.ticket = 2;
    committer.submit(std::move(large));
    EXPECT_EQ(answers.next<Committed>().ticket, 2U);
    committer.submit(numbered(3, 16'386));
  }
  EXPECT_EQ(answers.next<Committed>().ticket, 3U);
}

TEST(Committer, ReadsAreAnsweredInOrderWhileACommitIsUnderWay) {
  GatedStore store;
  Answers answers;
  Committer committer(store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
  committer.submit(numbered(1, 1));
  answers.next<Committed>();
  store.close_gate();
  committer.submit(numbered(2, 2));
  store.await_write();
  committer.submit(read_numbered(10));
  committer.submit(FindSince{11, "drawing", 0});
  committer.submit(FindOp{12, "drawing", "client-of-ws1", 1});
  committer.submit(FindOp{13, "drawing", "client-of-ws1", 2});
  const auto read = answers.next<ReadDone>();
  EXPECT_EQ(read.ticket, 10U);
  EXPECT_EQ(read.strokes.size(), 1U);
  EXPECT_EQ(answers.next<SinceFound>().ticket, 11U);
  const auto known = answers.next<OpFound>();
  EXPECT_EQ(known.ticket, 12U);
  EXPECT_TRUE(known.known);
  EXPECT_FALSE(answers.next<OpFound>().known);
  EXPECT_EQ(committer.stats().reads, 4U);
  store.open_gate();
  EXPECT_EQ(answers.next<Committed>().ticket, 2U);
}

TEST(Committer, TheFillIsToldAt90PercentAndTakenBackUnder88) {
  GatedStore store;
  Answers answers;
  store.set_used(901);
  Committer committer(store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
  EXPECT_TRUE(answers.next<StoreFill>().refuse_publishes) << "told at the start, before any commit";
  store.set_used(881);
  committer.submit(numbered(1, 1));
  EXPECT_EQ(answers.next<Committed>().ticket, 1U);
  committer.submit(numbered(2, 2));
  EXPECT_EQ(answers.next<Committed>().ticket, 2U) << "between the marks nothing changes";
  store.set_used(879);
  EXPECT_FALSE(answers.next<StoreFill>().refuse_publishes) << "seen without a commit: no publish would bring one";
  store.set_used(900);
  committer.submit(numbered(3, 3));
  EXPECT_EQ(answers.next<Committed>().ticket, 3U);
  committer.submit(numbered(4, 4));
  EXPECT_EQ(answers.next<Committed>().ticket, 4U) << "90 % itself is not over it";
  store.set_used(901);
  committer.submit(numbered(5, 5));
  // The look at the fill that follows the commit before may already see the new one.
  Event first = answers.next();
  Event second = answers.next();
  if (std::holds_alternative<StoreFill>(first)) std::swap(first, second);
  EXPECT_EQ(std::get<Committed>(first).ticket, 5U);
  EXPECT_TRUE(std::get<StoreFill>(second).refuse_publishes);
}

TEST(Committer, AStoreThatCannotBeTrustedEndsItOnceAndAnswersNothing) {
  GatedStore store;
  Answers answers;
  store.refuse_next(WriteResult::fatal);
  {
    Committer committer(store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
    committer.submit(numbered(1, 1));
    EXPECT_THAT(answers.next_fatal(), HasSubstr("the write failed"));
    committer.submit(numbered(2, 1, 9));
  }
  EXPECT_EQ(answers.fatals(), 1U);
  EXPECT_EQ(answers.waiting(), 0U);
  EXPECT_THAT(store.heads(), IsEmpty());
}

TEST(Committer, AReadOfABrokenFileEndsItToo) {
  GatedStore store;
  Answers answers;
  store.broken = true;
  Committer committer(store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
  committer.submit(read_numbered(1));
  EXPECT_THAT(answers.next_fatal(), HasSubstr("a broken page"));
  EXPECT_EQ(answers.waiting(), 0U);
}

}  // namespace
}  // namespace inkmesh::store
