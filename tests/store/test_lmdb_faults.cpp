// Disks that fail: a failed flush ends the store, a full disk refuses a write and harms nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "faults.h"
#include "fixture.h"

namespace inkmesh::store {
namespace {

using testing::HasSubstr;

const Origin kA = "ws1~00000000";

class LmdbFaults : public testing::Test {
 protected:
  void SetUp() override {
    store_ = open_store(folder_);
    ASSERT_EQ(write(*store_, make_append("drawing", kA, 1, 10)).result, WriteResult::ok);
  }

  /// What was stored before the fault, and nothing of what failed.
  void expect_untouched() {
    EXPECT_EQ(store_->heads()[0].seq, 10U);
    EXPECT_EQ(store_->read(read_of("drawing")).strokes.size(), 10U);
    EXPECT_FALSE(store_->find_op("drawing", "client-of-ws1", 11));
  }

  void expect_full_then_room() {
    const WriteOutcome outcome = write(*store_, more());
    EXPECT_EQ(outcome.result, WriteResult::full) << outcome.detail;
    expect_untouched();
    end_faults();
    EXPECT_EQ(write(*store_, more()).result, WriteResult::ok);
    EXPECT_EQ(store_->heads()[0].seq, 20U);
  }

  static Append more() {
    return make_append("drawing", kA, 11, 20, std::string(60'000, 'x'));
  }
  void reopen() {
    store_.reset();
    store_ = open_store(folder_);
  }
  static void end_faults() {
    FaultsEnd();
  }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
  FaultsEnd at_the_end_;
};

TEST_F(LmdbFaults, TheProgramsOwnCallsStandBeforeTheLibrarys) {
  const unsigned before = faults.fdatasync_calls;
  ASSERT_EQ(write(*store_, more()).result, WriteResult::ok);
  EXPECT_GT(faults.fdatasync_calls, before) << "a commit that is not flushed is no commit";
}

TEST_F(LmdbFaults, AFailedFlushIsFatalForGood) {
  faults.fdatasync_errno = EIO;
  const WriteOutcome outcome = write(*store_, more());
  EXPECT_EQ(outcome.result, WriteResult::fatal);
  EXPECT_THAT(outcome.detail, HasSubstr("Input/output error"));
  end_faults();
  EXPECT_EQ(write(*store_, more()).result, WriteResult::fatal) << "a flush that works again proves nothing";
  EXPECT_EQ(store_->repair({}).result, WriteResult::fatal);
  reopen();
  expect_untouched();
  EXPECT_EQ(write(*store_, more()).result, WriteResult::ok);
}

TEST_F(LmdbFaults, AFailedWriteIsFatal) {
  faults.write_errno = EIO;
  EXPECT_EQ(write(*store_, more()).result, WriteResult::fatal);
  end_faults();
  reopen();
  expect_untouched();
}

TEST_F(LmdbFaults, AFullDiskIsFoundBeforeTheCommit) {
  reopen();
  faults.fallocate_errno = ENOSPC;
  expect_full_then_room();
}

TEST_F(LmdbFaults, AQuotaIsAFullDisk) {
  reopen();
  faults.fallocate_errno = EDQUOT;
  expect_full_then_room();
}

TEST_F(LmdbFaults, WhereRoomCannotBeReservedAFullDiskIsFoundAtTheCommit) {
  reopen();
  faults.fallocate_errno = EOPNOTSUPP;
  faults.write_errno = ENOSPC;
  expect_full_then_room();
}

TEST_F(LmdbFaults, WhereRoomCannotBeReservedAShortWriteIsFatal) {
  reopen();
  faults.fallocate_errno = EOPNOTSUPP;
  faults.write_short = true;
  EXPECT_EQ(write(*store_, more()).result, WriteResult::fatal);
  end_faults();
  reopen();
  expect_untouched();
}

TEST_F(LmdbFaults, AStoreThatCannotBeFlushedDoesNotOpen) {
  store_.reset();
  const TemporaryFolder fresh;
  faults.fdatasync_errno = EIO;
  EXPECT_THROW(open_store(fresh), StoreError);
  end_faults();
  EXPECT_NE(open_store(fresh), nullptr);
}

}  // namespace
}  // namespace inkmesh::store
