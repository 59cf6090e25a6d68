// The journal's files: what was flushed is found, what was torn is not, and what is missing is told apart from that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "faults.h"
#include "fixture.h"
#include "store/journal.h"

namespace inkmesh::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Origin kA = "ws1~00000000";
constexpr std::size_t kSegmentBytes = 8 * kJournalBlockBytes;

int put(Journal& journal, Seq first, Seq last, const std::string& data = "{}") {
  JournalRecordWriter record;
  record.begin();
  for (const Append::Item& item : make_append("drawing", kA, first, last, data).items)
    record.add(item);
  bool flush_failed = false;
  return journal.append(record, flush_failed);
}

std::vector<Seq> seqs(const JournalFound::Segment& segment) {
  std::vector<Seq> seqs;
  for (const Append::Item& item : segment.items)
    seqs.push_back(item.stroke->seq);
  return seqs;
}

class JournalFiles : public testing::Test {
 protected:
  JournalFound found(std::uint64_t applied = 0) const {
    return Journal(folder_.path(), kSegmentBytes, applied).take_found();
  }
  std::string file(int which) const {
    return folder_.path() + "/journal." + std::to_string(which);
  }
  void overwrite(int which, std::size_t at, const std::string& bytes) const {
    std::fstream out(file(which), std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(at));
    out << bytes;
    ASSERT_TRUE(out.good());
  }

  TemporaryFolder folder_;
};

TEST_F(JournalFiles, ANewOneIsTwoFilesOfZerosAndHoldsNothing) {
  const JournalFound nothing = found();
  EXPECT_THAT(nothing.segments, IsEmpty());
  EXPECT_FALSE(nothing.damaged);
  EXPECT_EQ(std::filesystem::file_size(file(0)), kSegmentBytes);
  EXPECT_EQ(std::filesystem::file_size(file(1)), kSegmentBytes);
}

TEST_F(JournalFiles, WhatWasAppendedIsFoundInItsOrder) {
  {
    Journal journal(folder_.path(), kSegmentBytes, 0);
    ASSERT_EQ(put(journal, 1, 3), 0);
    ASSERT_EQ(put(journal, 4, 4), 0);
  }
  const JournalFound first = found();
  ASSERT_EQ(first.segments.size(), 1U);
  EXPECT_THAT(seqs(first.segments[0]), ElementsAre(1, 2, 3, 4));
  {
    Journal journal(folder_.path(), kSegmentBytes, 0);
    ASSERT_EQ(put(journal, 5, 5), 0);
    journal.next_segment();
    ASSERT_EQ(put(journal, 6, 6), 0);
  }
  const JournalFound both = found();
  ASSERT_EQ(both.segments.size(), 2U);
  EXPECT_THAT(seqs(both.segments[0]), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(seqs(both.segments[1]), ElementsAre(6));
  EXPECT_LT(both.segments[0].generation, both.segments[1].generation);
  EXPECT_FALSE(both.damaged);
}

TEST_F(JournalFiles, WhatTheReplicaHasIsNotFoundAgain) {
  std::uint64_t applied = 0;
  {
    Journal journal(folder_.path(), kSegmentBytes, 0);
    ASSERT_EQ(put(journal, 1, 3), 0);
    applied = journal.generation();
    journal.next_segment();
    ASSERT_EQ(put(journal, 4, 4), 0);
  }
  const JournalFound rest = found(applied);
  ASSERT_EQ(rest.segments.size(), 1U);
  EXPECT_THAT(seqs(rest.segments[0]), ElementsAre(4));
  EXPECT_FALSE(rest.damaged);
  EXPECT_THAT(found(applied + 1).segments, IsEmpty());
}

TEST_F(JournalFiles, ASegmentThatIsWrittenAgainHidesWhatItHeldBefore) {
  {
    Journal journal(folder_.path(), kSegmentBytes, 0);
    for (Seq seq = 1; seq <= 8; ++seq)
      ASSERT_EQ(put(journal, seq, seq), 0);
    journal.next_segment();
    journal.next_segment();
    ASSERT_EQ(put(journal, 9, 9), 0);
  }
  const JournalFound rest = found(2);
  ASSERT_EQ(rest.segments.size(), 1U);
  EXPECT_THAT(seqs(rest.segments[0]), ElementsAre(9));
  EXPECT_FALSE(rest.damaged) << "records of an applied generation behind the last one are no records that are missing";
}

TEST_F(JournalFiles, ATornLastRecordIsLeftOutAndWrittenOver) {
  {
    Journal journal(folder_.path(), kSegmentBytes, 0);
    ASSERT_EQ(put(journal, 1, 1), 0);
    ASSERT_EQ(put(journal, 2, 2, std::string(6'000, '1')), 0);
  }
  overwrite(0, 2 * kJournalBlockBytes, std::string(kJournalBlockBytes, '\0'));
  {
    Journal journal(folder_.path(), kSegmentBytes, 0);
    const JournalFound torn = journal.take_found();
    ASSERT_EQ(torn.segments.size(), 1U);
    EXPECT_THAT(seqs(torn.segments[0]), ElementsAre(1));
    EXPECT_FALSE(torn.damaged) << "it was never answered";
    ASSERT_EQ(put(journal, 2, 2), 0);
  }
  EXPECT_THAT(seqs(found().segments.at(0)), ElementsAre(1, 2));
}

TEST_F(JournalFiles, ARecordThatIsMissingBetweenOthersIsDamage) {
  {
    Journal journal(folder_.path(), kSegmentBytes, 0);
    for (Seq seq = 1; seq <= 3; ++seq)
      ASSERT_EQ(put(journal, seq, seq), 0);
  }
  overwrite(0, kJournalBlockBytes + 40, "x");
  const JournalFound rest = found();
  EXPECT_TRUE(rest.damaged);
  ASSERT_EQ(rest.segments.size(), 1U);
  EXPECT_THAT(seqs(rest.segments[0]), ElementsAre(1));
  overwrite(0, 40, "x");
  EXPECT_TRUE(found().damaged) << "the first ones are missing";
  EXPECT_THAT(found().segments, IsEmpty());
}

TEST_F(JournalFiles, AFailedFlushIsToldApartFromAFullDisk) {
  const FaultsEnd end;
  Journal journal(folder_.path(), kSegmentBytes, 0);
  JournalRecordWriter record;
  record.begin();
  record.add(make_append("drawing", kA, 1, 1).items[0]);
  bool flush_failed = false;
  faults.write_errno = ENOSPC;
  EXPECT_EQ(journal.append(record, flush_failed), ENOSPC);
  EXPECT_FALSE(flush_failed);
  faults.write_errno = 0;
  faults.fdatasync_errno = EIO;
  EXPECT_EQ(put(journal, 1, 1), EIO);
  record.begin();
  record.add(make_append("drawing", kA, 1, 1).items[0]);
  EXPECT_EQ(journal.append(record, flush_failed), EIO);
  EXPECT_TRUE(flush_failed);
}

TEST_F(JournalFiles, EachAppendIsOneFlush) {
  Journal journal(folder_.path(), kSegmentBytes, 0);
  const unsigned before = faults.fdatasync_calls;
  ASSERT_EQ(put(journal, 1, 1), 0);
  EXPECT_EQ(faults.fdatasync_calls - before, 1U);
  ASSERT_EQ(put(journal, 2, 40), 0);
  EXPECT_EQ(faults.fdatasync_calls - before, 2U);
}

TEST_F(JournalFiles, ASegmentOfAnotherSizeIsReadWhole) {
  {
    Journal journal(folder_.path(), kSegmentBytes, 0);
    for (Seq seq = 1; seq <= 8; ++seq)
      ASSERT_EQ(put(journal, seq, seq), 0);
  }
  Journal journal(folder_.path(), 4 * kJournalBlockBytes, 0);
  EXPECT_EQ(journal.take_found().segments.at(0).items.size(), 8U);
  JournalRecordWriter record;
  record.begin();
  record.add(make_append("drawing", kA, 9, 9).items[0]);
  EXPECT_FALSE(journal.fits(record));
}

}  // namespace
}  // namespace inkmesh::store
