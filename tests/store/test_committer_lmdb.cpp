// The committer with the store on disk: what readers see, a map that fills up, a flush that fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <thread>

#include "answers.h"
#include "faults.h"

namespace inkmesh::store {
namespace {

using testing::HasSubstr;

TEST(CommitterOnLmdb, AReadSeesEveryCommitThatWasAnsweredBeforeIt) {
  const TemporaryFolder folder;
  const auto store = open_store(folder);
  Answers answers;
  Committer committer(*store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
  for (Seq seq = 1; seq <= 100; ++seq) {
    committer.submit(numbered(seq, seq));
    ASSERT_EQ(answers.next<Committed>().ticket, seq);
    committer.submit(read_numbered(seq));
    ASSERT_EQ(answers.next<ReadDone>().strokes.size(), seq);
    ASSERT_TRUE(store->find_op("drawing", "client-of-ws1", seq));
  }
}

TEST(CommitterOnLmdb, WhatWaitsDuringAFlushSharesTheNext) {
  const TemporaryFolder folder;
  const auto store = open_store(folder);
  Answers answers;
  Committer committer(*store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
  for (Seq seq = 1; seq <= 1'000; ++seq)
    committer.submit(numbered(seq, seq));
  for (Seq seq = 1; seq <= 1'000; ++seq)
    ASSERT_EQ(answers.next<Committed>().ticket, seq);
  EXPECT_LT(committer.stats().commits, 100U);
  EXPECT_EQ(committer.stats().strokes, 1'000U);
}

TEST(CommitterOnLmdb, ReadersAndTheWriterDoNotDisturbEachOther) {
  const TemporaryFolder folder;
  const auto store = open_store(folder, 256 * kMiB);
  Answers answers;
  constexpr Seq strokes = 3'000;
  std::atomic<Seq> committed{0};
  std::atomic<bool> done{false};
  const auto look = [&] {
    do {
      const Seq at_least = committed;
      const ReadDone read = store->read(read_of("drawing"));
      if (read.strokes.size() < at_least || !read.damaged.empty()) throw std::runtime_error("a hole in a snapshot");
      for (std::size_t i = 0; i < read.strokes.size(); ++i) {
        if (read.strokes[i]->seq != i + 1) throw std::runtime_error("a gap in a snapshot");
      }
      store->find_since({1, "drawing", 1'000'000 + at_least * 5});
      if (at_least > 0 && !store->find_op("drawing", "client-of-ws1", at_least)) throw std::runtime_error("no op");
      store->usage();
    } while (!done);
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back(look);
  {
    Committer committer(*store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
    for (Seq seq = 1; seq <= strokes; ++seq)
      committer.submit(numbered(seq, seq, 0, std::string(1 + seq % 700, 'x')));
    for (Seq seq = 1; seq <= strokes; ++seq) {
      ASSERT_EQ(answers.next<Committed>().ticket, seq);
      committed = seq;
    }
  }
  done = true;
  for (std::thread& reader : readers)
    reader.join();
}

TEST(CommitterOnLmdb, AFullMapIsToldFirstThenRefusedAndANewGenerationGoesOn) {
  const TemporaryFolder folder;
  const auto store = open_store(folder, kMiB);
  Answers answers;
  Committer committer(*store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
  const std::string data(6'000, 'x');
  Seq head = 0;
  bool told = false;
  for (;;) {
    committer.submit(numbered(head + 1, head + 1, 1, data));
    Event event = answers.next();
    while (std::holds_alternative<StoreFill>(event)) {
      told = told || std::get<StoreFill>(event).refuse_publishes;
      event = answers.next();
    }
    if (const auto* failed = std::get_if<AppendFailed>(&event)) {
      EXPECT_EQ(failed->error, AppendError::full);
      break;
    }
    ++head;
    ASSERT_LT(head, 1'000U);
  }
  EXPECT_TRUE(told) << "publishes are refused while replication still has room";
  committer.submit(read_numbered(1));
  EXPECT_EQ(answers.next<ReadDone>().strokes.size(), head);
  committer.submit(numbered(2, head + 1, 1, "1"));
  EXPECT_EQ(answers.next<AppendFailed>().ticket, 2U);
  committer.submit(numbered(3, head + 1, 2, "1"));
  EXPECT_EQ(answers.next<Committed>().ticket, 3U);
  EXPECT_EQ(answers.fatals(), 0U);
}

TEST(CommitterOnLmdb, AFailedFlushEndsItAndLosesNothingThatWasAnswered) {
  const FaultsEnd at_the_end;
  const TemporaryFolder folder;
  Answers answers;
  {
    const auto store = open_store(folder);
    Committer committer(*store, Durability::sync, 100, answers.on_answer(), answers.on_fatal());
    committer.submit(numbered(1, 1));
    answers.next<Committed>();
    faults.fdatasync_errno = EIO;
    committer.submit(numbered(2, 2));
    EXPECT_THAT(answers.next_fatal(), HasSubstr("Input/output error"));
    faults.fdatasync_errno = 0;
  }
  EXPECT_EQ(answers.waiting(), 0U);
  EXPECT_EQ(answers.fatals(), 1U);
  EXPECT_EQ(open_store(folder)->heads()[0].seq, 1U);
}

}  // namespace
}  // namespace inkmesh::store
