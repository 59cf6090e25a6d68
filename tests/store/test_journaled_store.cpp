// What a node's store keeps through ends of every kind, and what its readers see while strokes move from the journal to
// the replica.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "disk.h"
#include "faults.h"
#include "store/journaled_store.h"
#include "store/memory_store.h"

namespace inkmesh::store {
namespace {

using testing::IsEmpty;
using testing::Not;

const Origin kA = "ws1~00000000";
const Origin kB = "ws2~00000000";
constexpr std::chrono::hours kNever{1};
constexpr std::chrono::milliseconds kAtOnce{0};

std::vector<Seq> seqs_of(Store& store, const Channel& channel, const Origin& origin) {
  Read read = read_of(channel);
  read.only = origin;
  std::vector<Seq> seqs;
  for (const StrokePtr& stroke : store.read(read).strokes)
    seqs.push_back(stroke->seq);
  return seqs;
}

std::vector<Seq> up_to(Seq last) {
  std::vector<Seq> seqs;
  for (Seq seq = 1; seq <= last; ++seq)
    seqs.push_back(seq);
  return seqs;
}

/// The folder as a crash at this moment leaves it.
void copy_as_of_now(const TemporaryFolder& from, const TemporaryFolder& to) {
  for (const char* name : {"data.mdb", "journal.0", "journal.1"})
    std::filesystem::copy_file(from.path() + "/" + name, to.path() + "/" + name);
}

/// A replica in memory whose writes can be held back, refused or broken.
class Replica : public MemoryStore {
 public:
  WriteOutcome append(const std::vector<const Append*>& groups) override {
    if (full_ || strokes_in(groups) > room_) return {WriteResult::full, "no room"};
    if (broken_) return {WriteResult::fatal, "the disk is gone"};
    return MemoryStore::append(groups);
  }

  std::atomic<bool> full_{false};
  std::atomic<bool> broken_{false};
  std::atomic<std::size_t> room_{SIZE_MAX};  ///< strokes that one transaction can take

 private:
  static std::size_t strokes_in(const std::vector<const Append*>& groups) {
    std::size_t strokes = 0;
    for (const Append* group : groups)
      strokes += group->items.size();
    return strokes;
  }
};

struct WithReplica {
  explicit WithReplica(std::chrono::milliseconds apply_after, std::size_t blocks = 64)
      : store(std::make_unique<JournaledStore>(
            std::unique_ptr<Store>(replica),
            JournalSettings{folder.path(), blocks * kJournalBlockBytes, apply_after})) {}

  TemporaryFolder folder;
  Replica* const replica = new Replica;
  const std::unique_ptr<JournaledStore> store;
};

template <typename Condition>
bool soon(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

TEST(JournaledStore, ACrashLosesNothingThatWasAnswered) {
  const TemporaryFolder folder;
  const TemporaryFolder crashed;
  {
    const auto store = open_journaled(folder, kNever);
    ASSERT_EQ(write(*store, make_append("drawing", kA, 1, 5)).result, WriteResult::ok);
    ASSERT_EQ(write(*store, make_append("drawing", kB, 1, 2)).result, WriteResult::ok);
    ASSERT_EQ(write(*store, make_append("other", kA, 1, 1)).result, WriteResult::ok);
    copy_as_of_now(folder, crashed);
  }
  const auto store = open_journaled(crashed, kNever);
  EXPECT_EQ(seqs_of(*store, "drawing", kA), up_to(5));
  EXPECT_EQ(seqs_of(*store, "drawing", kB), up_to(2));
  EXPECT_EQ(store->heads().size(), 3U);
  EXPECT_EQ(store->heads()[0].chain, make_append("drawing", kA, 1, 5).items.back().chain);
  EXPECT_EQ(store->usage().strokes, 8U);
  EXPECT_EQ(store->usage().channels, 2U);
  EXPECT_TRUE(store->find_op("drawing", "client-of-ws1", 5));
  EXPECT_FALSE(store->journal_damaged());
  ASSERT_EQ(write(*store, make_append("drawing", kA, 6, 6)).result, WriteResult::ok);
  EXPECT_EQ(seqs_of(*store, "drawing", kA), up_to(6));
}

TEST(JournaledStore, ACrashAtAnyRecordLeavesAPrefix) {
  const TemporaryFolder folder;
  const auto store = open_journaled(folder, kNever, 4 * kJournalBlockBytes);
  for (Seq seq = 1; seq <= 11; ++seq) {
    ASSERT_EQ(write(*store, make_append("drawing", kA, seq, seq)).result, WriteResult::ok);
    const TemporaryFolder crashed;
    copy_as_of_now(folder, crashed);
    EXPECT_EQ(seqs_of(*open_journaled(crashed), "drawing", kA), up_to(seq)) << "some of it in the replica by now";
  }
}

TEST(JournaledStore, AfterAnOrderlyEndTheReplicaHasAll) {
  const TemporaryFolder folder;
  {
    const auto store = open_journaled(folder, kNever);
    ASSERT_EQ(write(*store, make_append("drawing", kA, 1, 5)).result, WriteResult::ok);
  }
  EXPECT_EQ(seqs_of(*open_store(folder), "drawing", kA), up_to(5));
  const auto store = open_journaled(folder);
  EXPECT_EQ(seqs_of(*store, "drawing", kA), up_to(5));
  EXPECT_EQ(store->usage().strokes, 5U) << "and not once more from the journal";
  EXPECT_THAT(store->notes(), IsEmpty()) << "the journal's own note is nobody else's";
}

TEST(JournaledStore, StrokesGoToTheReplicaInTime) {
  WithReplica with(std::chrono::milliseconds(50));
  ASSERT_EQ(write(*with.store, make_append("drawing", kA, 1, 5)).result, WriteResult::ok);
  EXPECT_TRUE(soon([&] { return with.replica->head("drawing", kA) == 5; }));
  ASSERT_EQ(write(*with.store, make_append("drawing", kA, 6, 6)).result, WriteResult::ok);
  EXPECT_TRUE(soon([&] { return with.replica->head("drawing", kA) == 6; }));
}

TEST(JournaledStore, AGroupThatFillsMuchOfASegmentGoesToTheReplicaAfterAllBeforeIt) {
  WithReplica with(kNever, 4);
  ASSERT_EQ(write(*with.store, make_append("drawing", kA, 1, 5)).result, WriteResult::ok);
  ASSERT_EQ(with.replica->head("drawing", kA), 0U);
  ASSERT_EQ(write(*with.store, make_append("drawing", kA, 6, 9, std::string(3'000, '1'))).result, WriteResult::ok);
  EXPECT_EQ(with.replica->head("drawing", kA), 9U);
  ASSERT_EQ(write(*with.store, make_append("drawing", kA, 10, 10)).result, WriteResult::ok);
  EXPECT_EQ(seqs_of(*with.store, "drawing", kA), up_to(10));
  EXPECT_EQ(with.store->usage().strokes, 10U);
  EXPECT_EQ(with.store->usage().channels, 1U);
}

TEST(JournaledStore, AFullReplicaLosesNothingAndAppendsGoOnWhenItHasRoom) {
  WithReplica with(kAtOnce, 8);
  with.replica->full_ = true;
  Seq accepted = 0;
  WriteResult result = WriteResult::ok;
  while (accepted < 1'000 && result == WriteResult::ok) {
    result = write(*with.store, make_append("drawing", kA, accepted + 1, accepted + 1)).result;
    if (result == WriteResult::ok) ++accepted;
  }
  EXPECT_EQ(result, WriteResult::full);
  EXPECT_LE(accepted, 16U) << "what two segments hold";
  EXPECT_EQ(seqs_of(*with.store, "drawing", kA), up_to(accepted));
  EXPECT_EQ(write(*with.store, make_append("drawing", kA, accepted + 1, accepted + 1)).result, WriteResult::full);
  with.replica->full_ = false;
  EXPECT_TRUE(soon([&] {
    return write(*with.store, make_append("drawing", kA, accepted + 1, accepted + 1)).result == WriteResult::ok;
  }));
  EXPECT_EQ(seqs_of(*with.store, "drawing", kA), up_to(accepted + 1));
  EXPECT_TRUE(soon([&] { return with.replica->head("drawing", kA) == accepted + 1; }));
}

TEST(JournaledStore, WhatIsTooMuchForOneTransactionGoesInSmallerOnes) {
  WithReplica with(kNever);
  with.replica->room_ = 3;
  for (Seq seq = 1; seq <= 40; ++seq)
    ASSERT_EQ(write(*with.store, make_append("drawing", kA, seq, seq)).result, WriteResult::ok);
  ASSERT_EQ(with.store->repair({}).result, WriteResult::ok) << "waits until all is there";
  EXPECT_EQ(with.replica->head("drawing", kA), 40U);
}

TEST(JournaledStore, AReplicaThatBreaksEndsTheStore) {
  WithReplica with(kAtOnce);
  with.replica->broken_ = true;
  ASSERT_EQ(write(*with.store, make_append("drawing", kA, 1, 1)).result, WriteResult::ok);
  EXPECT_TRUE(soon([&] {
    try {
      with.store->read(read_of("drawing"));
      return false;
    } catch (const StoreError& error) {
      return std::string(error.what()) == "the disk is gone";
    }
  }));
  EXPECT_EQ(write(*with.store, make_append("drawing", kA, 2, 2)).result, WriteResult::fatal);
  EXPECT_THROW(with.store->find_op("drawing", "ann", 1), StoreError);
}

TEST(JournaledStore, AFailedFlushEndsTheStoreThoughTheNextWouldSucceed) {
  const FaultsEnd end;
  const TemporaryFolder folder;
  const auto store = open_journaled(folder, kNever);
  faults.fdatasync_errno = EIO;
  const WriteOutcome failed = write(*store, make_append("drawing", kA, 1, 1));
  EXPECT_EQ(failed.result, WriteResult::fatal);
  EXPECT_THAT(failed.detail, testing::HasSubstr("journal.0"));
  faults.fdatasync_errno = 0;
  EXPECT_EQ(write(*store, make_append("drawing", kA, 1, 1)).result, WriteResult::fatal);
}

TEST(JournaledStore, ADiskWithoutRoomRefusesAndIsNotBroken) {
  const FaultsEnd end;
  const TemporaryFolder folder;
  const auto store = open_journaled(folder, kNever);
  faults.write_errno = ENOSPC;
  EXPECT_EQ(write(*store, make_append("drawing", kA, 1, 1)).result, WriteResult::full);
  faults.write_errno = 0;
  EXPECT_EQ(write(*store, make_append("drawing", kA, 1, 1)).result, WriteResult::ok);
  EXPECT_EQ(seqs_of(*store, "drawing", kA), up_to(1));
}

TEST(JournaledStore, LostRecordsLeaveAStoreThatIsNotWhole) {
  const TemporaryFolder folder;
  const TemporaryFolder crashed;
  {
    const auto store = open_journaled(folder, kNever);
    ASSERT_EQ(store->note({kWholeNote, "7"}).result, WriteResult::ok);
    for (Seq seq = 1; seq <= 3; ++seq)
      ASSERT_EQ(write(*store, make_append("drawing", kA, seq, seq, "\"ink-" + std::to_string(seq) + "\"")).result,
                WriteResult::ok);
    copy_as_of_now(folder, crashed);
  }
  ASSERT_EQ(flip(crashed.path() + "/journal.0", "ink-2"), 1);
  const auto store = open_journaled(crashed, kNever);
  EXPECT_TRUE(store->journal_damaged());
  EXPECT_EQ(seqs_of(*store, "drawing", kA), up_to(1));
  EXPECT_EQ(store->notes()[kWholeNote], "lost_records");
  ASSERT_EQ(write(*store, make_append("drawing", kA, 2, 2)).result, WriteResult::ok) << "as a peer sends it again";
}

TEST(JournaledStore, AReplicaThatWasSetBackBehindItsJournalIsNotWhole) {
  const TemporaryFolder folder;
  const TemporaryFolder restored;
  {
    const auto store = open_journaled(folder, kNever);
    std::filesystem::copy_file(folder.file(), restored.file());
    ASSERT_EQ(write(*store, make_append("drawing", kA, 1, 3)).result, WriteResult::ok);
    ASSERT_EQ(store->repair({}).result, WriteResult::ok);
    ASSERT_EQ(write(*store, make_append("drawing", kA, 4, 4)).result, WriteResult::ok);
    for (const char* name : {"journal.0", "journal.1"})
      std::filesystem::copy_file(folder.path() + "/" + name, restored.path() + "/" + name);
    std::filesystem::remove(restored.path() + "/journal.0");
  }
  const auto store = open_journaled(restored, kNever);
  EXPECT_TRUE(store->journal_damaged());
  EXPECT_THAT(seqs_of(*store, "drawing", kA), IsEmpty()) << "4 does not follow nothing";
}

TEST(JournaledStore, AReplicaThatLacksAWholeGenerationIsNotWhole) {
  const TemporaryFolder folder;
  const TemporaryFolder restored;
  {
    const auto store = open_journaled(folder, kNever);
    ASSERT_EQ(store->note({kWholeNote, "7"}).result, WriteResult::ok);
    std::filesystem::copy_file(folder.file(), restored.file());
    for (const char* channel : {"first", "second", "third"}) {
      ASSERT_EQ(write(*store, make_append(channel, kA, 1, 2)).result, WriteResult::ok);
      ASSERT_EQ(store->repair({}).result, WriteResult::ok) << "waits until the replica has all";
    }
    for (const char* name : {"journal.0", "journal.1"})
      std::filesystem::copy_file(folder.path() + "/" + name, restored.path() + "/" + name);
  }
  const auto store = open_journaled(restored, kNever);
  EXPECT_TRUE(store->journal_damaged()) << "the first generation is nowhere";
  EXPECT_THAT(seqs_of(*store, "first", kA), IsEmpty());
  EXPECT_EQ(seqs_of(*store, "third", kA), up_to(2));
}

TEST(JournaledStore, TheFirstOfAnOpStaysTheFirstOnItsWayToTheReplica) {
  const TemporaryFolder folder;
  const auto store = open_journaled(folder, kNever);
  const StrokePtr late = with_op(make_stroke("drawing", kA, 1, "1"), "ann", 5);
  const StrokePtr first = with_op(make_stroke("drawing", kB, 1, "1"), "ann", 5);
  ASSERT_EQ(write(*store, append_of({first})).result, WriteResult::ok);
  ASSERT_EQ(write(*store, append_of({late})).result, WriteResult::ok);
  for (const bool applied : {false, true}) {
    const ReadDone done = store->read(read_of("drawing"));
    ASSERT_EQ(done.strokes.size(), 2U) << applied;
    EXPECT_TRUE(done.strokes[0]->duplicate) << applied;
    EXPECT_FALSE(done.strokes[1]->duplicate) << applied;
    EXPECT_EQ(store->find_op("drawing", "ann", 5)->origin, kB) << applied;
    ASSERT_EQ(store->repair({}).result, WriteResult::ok) << "waits until the replica has all";
  }
}

TEST(JournaledStore, ReadersMissNothingWhileStrokesMove) {
  const TemporaryFolder folder;
  const auto store = open_journaled(folder, kAtOnce, 8 * kJournalBlockBytes);
  std::atomic<Seq> written{0};
  std::atomic<bool> ended{false};
  std::thread writer([&] {
    for (Seq seq = 1; seq <= 400; ++seq) {
      if (write(*store, make_append("drawing", kA, seq, seq)).result != WriteResult::ok) break;
      written = seq;
    }
    ended = true;
  });
  Seq checked = 0;
  while (!ended || checked < written) {
    const Seq before = written;
    EXPECT_GE(seqs_of(*store, "drawing", kA).size(), before);
    EXPECT_TRUE(before == 0 || store->find_op("drawing", "client-of-ws1", before)) << before;
    EXPECT_GE(store->head("drawing", kA), before);
    Cursor after;
    after.set(kA, before / 2);
    const ReadDone page = store->read(read_of("drawing", after, 10));
    for (std::size_t i = 0; i < page.strokes.size(); ++i)
      ASSERT_EQ(page.strokes[i]->seq, before / 2 + 1 + i);
    EXPECT_TRUE(page.more || before / 2 + 10 >= before);
    const SinceFound since = store->find_since({1, "drawing", 1'000'000 + before * 10});
    EXPECT_TRUE(before == 0 || since.before.at(kA) == before - 1);
    checked = before;
  }
  writer.join();
  EXPECT_EQ(written, 400U);
  EXPECT_EQ(store->usage().strokes, 400U);
}

TEST(JournaledStore, StrokesMoveOnFromARestartWithBothSegmentsInUse) {
  const TemporaryFolder folder;
  const TemporaryFolder crashed;
  {
    WithReplica with(kNever, 8);
    with.replica->full_ = true;
    Seq seq = 0;
    while (write(*with.store, make_append("drawing", kA, seq + 1, seq + 1)).result == WriteResult::ok)
      ++seq;
    ASSERT_GT(seq, 8U) << "one segment is full, the other begun";
    for (const char* name : {"journal.0", "journal.1"})
      std::filesystem::copy_file(with.folder.path() + "/" + name, crashed.path() + "/" + name);
    const auto store = open_journaled(crashed, kNever, 8 * kJournalBlockBytes);
    EXPECT_EQ(seqs_of(*store, "drawing", kA), up_to(seq));
    for (int more = 0; more < 40; ++more, ++seq)
      ASSERT_EQ(write(*store, make_append("drawing", kA, seq + 1, seq + 1)).result, WriteResult::ok);
    EXPECT_EQ(seqs_of(*store, "drawing", kA), up_to(seq));
    EXPECT_FALSE(store->journal_damaged());
  }
}

TEST(JournaledStoreDeathTest, ASeqThatDoesNotFollowEndsTheProcess) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const TemporaryFolder folder;
  const auto store = open_journaled(folder, kNever);
  ASSERT_EQ(write(*store, make_append("drawing", kA, 1, 2)).result, WriteResult::ok);
  EXPECT_DEATH(write(*store, make_append("drawing", kA, 4, 4)), "the head is 2");
  ASSERT_EQ(store->repair({}).result, WriteResult::ok);
  EXPECT_DEATH(write(*store, make_append("drawing", kA, 2, 2)), "the head is 2");
}

}  // namespace
}  // namespace inkmesh::store
