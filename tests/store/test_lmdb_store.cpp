// What only the store on disk can show: what survives, what is refused, what is damaged, what is touched.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "disk.h"
#include "store/folder.h"

namespace inkmesh::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

const Origin kA = "ws1~00000000";
const Origin kB = "ws2~00000000";

TEST(LmdbStore, EverythingIsThereAfterReopening) {
  const TemporaryFolder folder;
  const Append append = make_append("drawing", kA, 1, 500, "[1,2]");
  {
    const auto store = open_store(folder);
    ASSERT_EQ(write(*store, append).result, WriteResult::ok);
    ASSERT_EQ(store->note({"met ws2", "5k2m9x1q"}).result, WriteResult::ok);
  }
  const auto store = open_store(folder);
  EXPECT_EQ(store->notes(), (std::map<std::string, std::string>{{"met ws2", "5k2m9x1q"}}));
  const auto heads = store->heads();
  ASSERT_EQ(heads.size(), 1U);
  EXPECT_EQ(heads[0].seq, 500U);
  EXPECT_EQ(heads[0].chain, append.items.back().chain);
  const ReadDone done = store->read(read_of("drawing"));
  ASSERT_EQ(done.strokes.size(), 500U);
  for (std::size_t i = 0; i < 500; ++i)
    ASSERT_TRUE(same_content(*done.strokes[i], *append.items[i].stroke));
  EXPECT_TRUE(store->find_op("drawing", "client-of-ws1", 500));
  EXPECT_EQ(store->usage().channels, 1U);
  ASSERT_EQ(write(*store, make_append("drawing", kA, 501, 501)).result, WriteResult::ok);
}

/// The child writes strokes and says each seq after its append returned, until it is killed.
[[noreturn]] void write_until_killed(const TemporaryFolder& folder, int out) {
  const auto store = open_store(folder);
  for (Seq seq = 1;; ++seq) {
    if (write(*store, make_append("drawing", kA, seq, seq, "[1]")).result != WriteResult::ok) _exit(1);
    if (::write(out, &seq, sizeof seq) != sizeof seq) _exit(2);
  }
}

TEST(LmdbStore, WhatWasAcknowledgedBeforeKill9IsThere) {
  for (const Seq enough : {Seq{1}, Seq{20}, Seq{137}}) {
    const TemporaryFolder folder;
    int pipe_ends[2];
    ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_until_killed(folder, pipe_ends[1]);
    close(pipe_ends[1]);
    Seq told = 0;
    while (told < enough && ::read(pipe_ends[0], &told, sizeof told) == sizeof told) {
    }
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (::read(pipe_ends[0], &told, sizeof told) == sizeof told) {
    }
    close(pipe_ends[0]);

    ASSERT_GE(told, enough);
    const auto store = open_store(folder);
    ASSERT_EQ(store->heads().size(), 1U);
    const Seq head = store->heads()[0].seq;
    EXPECT_GE(head, told);
    EXPECT_LE(head, told + 1) << "one may have been stored and not told";
    const ReadDone done = store->read(read_of("drawing"));
    EXPECT_EQ(done.strokes.size(), head);
    EXPECT_THAT(done.damaged, IsEmpty());
    EXPECT_EQ(write(*store, make_append("drawing", kA, head + 1, head + 1)).result, WriteResult::ok);
  }
}

TEST(LmdbStore, ASecondOpenIsRefusedByNameOfTheHolder) {
  const TemporaryFolder folder;
  const auto store = open_store(folder);
  EXPECT_THAT(refusal([&] { open_store(folder); }),
              AllOf(HasSubstr(folder.path()), HasSubstr("in use by process " + std::to_string(getpid())),
                    HasSubstr("storage.path")));
  EXPECT_EQ(write(*store, make_append("drawing", kA, 1, 1)).result, WriteResult::ok);
}

TEST(LmdbStore, TheFolderIsFreeAgainAfterClosing) {
  const TemporaryFolder folder;
  for (int i = 0; i < 3; ++i)
    EXPECT_NE(open_store(folder), nullptr);
}

TEST(LmdbStore, AnotherProcessIsRefusedToo) {
  const TemporaryFolder folder;
  const auto store = open_store(folder);
  const pid_t child = fork();
  if (child == 0) _exit(refusal([&] { open_store(folder); }).find("in use by") == std::string::npos ? 1 : 0);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(LmdbStore, AMissingFolderIsMadeAndAnImpossibleOneIsNamed) {
  const TemporaryFolder folder;
  EXPECT_NE(open_lmdb_store({folder.path() + "/a/b/ws1", kMiB}), nullptr);
  std::ofstream(folder.path() + "/file") << "x";
  EXPECT_THAT(refusal([&] {
                open_lmdb_store({folder.path() + "/file/ws1", kMiB});
              }),
              AllOf(HasSubstr("/file/ws1"), HasSubstr("cannot be made"), HasSubstr("storage.path")));
  EXPECT_THAT(refusal([&] { open_lmdb_store({folder.path() + "/c", 0}); }), HasSubstr("storage.map_size"));
}

TEST(LmdbStore, NetworkFileSystemsAreKnownAndLocalOnesAreNot) {
  EXPECT_STREQ(network_file_system(0x6969), "NFS");
  EXPECT_STREQ(network_file_system(0xff534d42), "SMB");
  EXPECT_STREQ(network_file_system(0x65735546), "FUSE");
  for (const unsigned long local : {0xef53UL, 0x58465342UL, 0x9123683eUL, 0x01021994UL, 0x794c7630UL, 0x2fc12fc1UL}) {
    EXPECT_EQ(network_file_system(local), nullptr) << local;
  }
}

void put(MDB_txn* txn, const char* table, std::string key, std::string value) {
  MDB_dbi dbi = 0;
  ASSERT_EQ(mdb_dbi_open(txn, table, MDB_CREATE, &dbi), 0);
  MDB_val k{key.size(), key.data()};
  MDB_val v{value.size(), value.data()};
  ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
}

std::string get(MDB_txn* txn, const char* table, std::string key) {
  MDB_dbi dbi = 0;
  MDB_val k{key.size(), key.data()};
  MDB_val v{};
  if (mdb_dbi_open(txn, table, 0, &dbi) != 0 || mdb_get(txn, dbi, &k, &v) != 0) return "nothing";
  return {static_cast<const char*>(v.mv_data), v.mv_size};
}

TEST(LmdbStore, ANewerFormatIsRefusedNamingBoth) {
  const TemporaryFolder folder;
  open_store(folder);
  with_tables(folder, [](MDB_txn* txn) { put(txn, "meta", "format", std::string("\x09\0\0\0", 4)); });
  EXPECT_THAT(refusal([&] { open_store(folder); }),
              AllOf(HasSubstr("written in format 9 by a newer inkmesh"), HasSubstr("knows formats up to 2")));
  with_tables(folder, [](MDB_txn* txn) { put(txn, "meta", "format", std::string("\x01\0\0\0", 4)); });
  EXPECT_NE(open_store(folder), nullptr) << "the refusal left the file as it was, and the folder free";
  with_tables(folder, [](MDB_txn* txn) {
    EXPECT_EQ(get(txn, "meta", "format"), std::string("\x02\0\0\0", 4)) << "an older inkmesh must not open it any more";
  });
}

TEST(LmdbStore, AnotherNodesStoreIsRefusedNamingBoth) {
  const TemporaryFolder folder;
  open_store(folder);
  EXPECT_NE(open_lmdb_store({folder.path(), kMiB, "ws2"}), nullptr) << "written before stores had an owner: now it has";
  EXPECT_NE(open_lmdb_store({folder.path(), kMiB, "ws2"}), nullptr);
  EXPECT_THAT(refusal([&] {
                open_lmdb_store({folder.path(), kMiB, "ws1"});
              }),
              AllOf(HasSubstr("is the store of node ws2, and this is node ws1"), HasSubstr("storage.path")));
  EXPECT_NE(open_store(folder), nullptr);
}

TEST(LmdbStore, ACopyThatIsPutBackIsNotWhole) {
  const TemporaryFolder folder;
  const TemporaryFolder backup;
  {
    const auto store = open_store(folder);
    ASSERT_EQ(store->note({kWholeNote, "7"}).result, WriteResult::ok);
  }
  EXPECT_EQ(open_store(folder)->notes()[kWholeNote], "7");
  std::filesystem::copy_file(folder.file(), backup.file());
  {
    const auto store = open_store(backup);
    EXPECT_EQ(store->notes()[kWholeNote], "copied") << "what came after the copy was made is missing";
    ASSERT_EQ(store->note({kWholeNote, "7"}).result, WriteResult::ok);
  }
  EXPECT_EQ(open_store(backup)->notes()[kWholeNote], "7");
}

TEST(LmdbStore, ACopyIsToldFromTheFileWhoseInodeItGot) {
  const TemporaryFolder folder;
  const TemporaryFolder backup;
  {
    const auto store = open_store(folder);
    ASSERT_EQ(store->note({kWholeNote, "7"}).result, WriteResult::ok);
  }
  std::filesystem::copy_file(folder.file(), backup.file());
  std::filesystem::remove(folder.file());
  std::filesystem::copy_file(backup.file(), folder.file());
  EXPECT_EQ(open_store(folder)->notes()[kWholeNote], "copied");
}

TEST(LmdbStore, AStrangersFileIsRefused) {
  const TemporaryFolder folder;
  with_tables(folder, [](MDB_txn* txn) { put(txn, "recipes", "soup", "water"); });
  EXPECT_THAT(refusal([&] { open_store(folder); }), HasSubstr("not an inkmesh store"));
  const TemporaryFolder text;
  std::ofstream(text.file()) << std::string(10'000, 'x');
  EXPECT_THAT(refusal([&] { open_store(text); }), HasSubstr("data.mdb"));
}

TEST(LmdbStoreDeathTest, AGapOrARepeatEndsTheProcess) {
  const TemporaryFolder folder;
  const auto store = open_store(folder);
  ASSERT_EQ(write(*store, make_append("drawing", kA, 1, 3)).result, WriteResult::ok);
  EXPECT_DEATH(write(*store, make_append("drawing", kA, 5, 5)), "append of drawing ws1~00000000 5 where the head is 3");
  EXPECT_DEATH(write(*store, make_append("drawing", kA, 3, 3)), "append of drawing ws1~00000000 3 where the head is 3");
  EXPECT_DEATH(write(*store, make_append("drawing", kB, 2, 2)), "where the head is 0");
}

TEST(LmdbStore, NoDescriptorIsInheritedByAChildProgram) {
  const TemporaryFolder folder;
  const auto store = open_store(folder);
  ASSERT_EQ(write(*store, make_append("drawing", kA, 1, 1)).result, WriteResult::ok);
  int of_the_store = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (gone || target.rfind(folder.path(), 0) != 0) continue;
    ++of_the_store;
    const int flags = fcntl(std::stoi(entry.path().filename()), F_GETFD);
    EXPECT_TRUE(flags & FD_CLOEXEC) << target;
  }
  EXPECT_GE(of_the_store, 3) << "data.mdb, lock.mdb, inkmesh.lock";
}

TEST(LmdbStore, AFullMapRefusesAllOfAGroupAndReadsGoOn) {
  const TemporaryFolder folder;
  const auto store = open_store(folder, kMiB);
  const std::string data(2'000, 'x');
  Seq head = 0;
  WriteOutcome outcome;
  while (outcome.result == WriteResult::ok) {
    ASSERT_LT(head, 10'000U);
    outcome = write(*store, make_append("drawing", kA, head + 1, head + 10, data));
    if (outcome.result == WriteResult::ok) head += 10;
  }
  ASSERT_EQ(outcome.result, WriteResult::full);
  EXPECT_THAT(outcome.detail, AllOf(HasSubstr(folder.path()), HasSubstr("storage.map_size")));
  EXPECT_GT(head, 100U);
  EXPECT_EQ(store->heads()[0].seq, head);
  EXPECT_EQ(store->read(read_of("drawing")).strokes.size(), head);
  EXPECT_EQ(store->usage().strokes, head);
  EXPECT_GT(store->usage().used_bytes, kMiB * 7 / 10);
  EXPECT_LE(store->usage().used_bytes, kMiB);

  for (Seq seq = head + 1;; ++seq) {
    outcome = write(*store, make_append("drawing", kA, seq, seq, "1"));
    if (outcome.result != WriteResult::ok) break;
    head = seq;
  }
  EXPECT_EQ(outcome.result, WriteResult::full) << "numbering began again at the head, until there was no room at all";
  EXPECT_EQ(store->read(read_of("drawing")).strokes.size(), head);
}

TEST(LmdbStore, ALargerMapGivesRoomAtTheNextStart) {
  const TemporaryFolder folder;
  Seq head = 0;
  {
    const auto store = open_store(folder, kMiB);
    while (write(*store, make_append("drawing", kA, head + 1, head + 1, std::string(9'000, 'x'))).result ==
           WriteResult::ok) {
      ++head;
    }
  }
  const auto store = open_store(folder, 4 * kMiB);
  EXPECT_EQ(store->usage().map_bytes, 4 * kMiB);
  EXPECT_EQ(write(*store, make_append("drawing", kA, head + 1, head + 20, std::string(9'000, 'x'))).result,
            WriteResult::ok);
}

TEST(LmdbStore, UsageCountsWhatIsThere) {
  const TemporaryFolder folder;
  const auto store = open_store(folder, 64 * kMiB);
  const auto before = store->usage();
  EXPECT_EQ(before.map_bytes, 64 * kMiB);
  EXPECT_LE(before.capacity_bytes, before.map_bytes);
  EXPECT_GT(before.capacity_bytes, 0U);
  EXPECT_LT(before.used_bytes, kMiB / 4);
  for (Seq seq = 1; seq <= 1'000; seq += 100) {
    const Append a = make_append("drawing", kA, seq, seq + 99, std::string(1'000, 'x'));
    const Append b = make_append("other", kA, seq, seq + 99, std::string(1'000, 'x'));
    ASSERT_EQ(store->append({&a, &b}).result, WriteResult::ok);
  }
  const auto after = store->usage();
  EXPECT_EQ(after.strokes, 2'000U);
  EXPECT_EQ(after.channels, 2U);
  EXPECT_GT(after.used_bytes, 2'000'000U);
  EXPECT_LT(after.used_bytes, 6'000'000U) << "pages are well filled";
  EXPECT_GE(after.file_bytes, after.used_bytes);
}

TEST(LmdbStore, ReadersDoNotMakeTheFileGrow) {
  const TemporaryFolder folder;
  const auto store = open_store(folder, 64 * kMiB);
  ASSERT_EQ(write(*store, make_append("drawing", kA, 1, 2'000, std::string(500, 'x'))).result, WriteResult::ok);
  Repair repair;
  repair.strokes = {make_stroke("drawing", kA, 1'000, std::string(500, 'y'))};
  std::uint64_t early = 0;
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(store->repair(repair).result, WriteResult::ok);
    store->read(read_of("drawing", {}, 10));
    if (i == 20) early = store->usage().file_bytes;
  }
  EXPECT_EQ(store->usage().file_bytes, early);
}

std::chrono::nanoseconds fastest_of(int times, const std::function<void()>& body) {
  auto best = std::chrono::nanoseconds::max();
  for (int i = 0; i < times; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    best =
        std::min(best, std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin));
  }
  return best;
}

TEST(LmdbStore, ADeltaTouchesWhatItAnswersAndNotTheLog) {
  const TemporaryFolder folder;
  const auto store = open_store(folder, 512 * kMiB);
  constexpr Seq many = 100'000;
  for (Seq seq = 1; seq <= many; seq += 10'000) {
    const Append a = make_append("drawing", kA, seq, seq + 9'999, "[1,2,3]");
    const Append b = make_append("drawing", kB, seq, seq + 9'999, "[1,2,3]");
    ASSERT_EQ(store->append({&a, &b}).result, WriteResult::ok);
  }
  Cursor near_the_end;
  near_the_end.set(kA, many - 10);
  near_the_end.set(kB, many);
  const auto whole = fastest_of(3, [&] { ASSERT_EQ(store->read(read_of("drawing")).strokes.size(), 2 * many); });
  const auto delta =
      fastest_of(20, [&] { ASSERT_EQ(store->read(read_of("drawing", near_the_end)).strokes.size(), 10U); });
  const auto first = fastest_of(20, [&] { ASSERT_EQ(store->read(read_of("drawing", {}, 10)).strokes.size(), 10U); });
  const auto since = fastest_of(20, [&] { store->find_since({1, "drawing", 1'000'000 + many * 5}); });
  EXPECT_LT(delta, whole / 100);
  EXPECT_LT(first, whole / 100);
  EXPECT_LT(since, whole / 100);
}

}  // namespace
}  // namespace inkmesh::store
