// What only the store on disk can show: what survives, what is refused, what is damaged, what is touched.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lmdb.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "fixture.h"
#include "store/folder.h"

namespace inkmesh::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

const Origin kA = "ws1~00000000";
const Origin kB = "ws2~00000000";

std::string refusal(const std::function<void()>& open) {
  try {
    open();
  } catch (const StoreError& error) {
    return error.what();
  }
  return "it was not refused";
}

std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Flips a bit of every place in the file where `text` stands. Returns how many there were.
int flip(const std::string& path, const std::string& text, std::size_t offset = 0) {
  const std::string bytes = file_bytes(path);
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  int flipped = 0;
  for (std::size_t at = bytes.find(text); at != std::string::npos; at = bytes.find(text, at + 1)) {
    const char bad = static_cast<char>(bytes[at + offset] ^ 1);
    if (pwrite(fd, &bad, 1, static_cast<off_t>(at + offset)) == 1) ++flipped;
  }
  close(fd);
  return flipped;
}

TEST(LmdbStore, EverythingIsThereAfterReopening) {
  const TemporaryFolder folder;
  const Append append = make_append("drawing", kA, 1, 500, "[1,2]");
  {
    const auto store = open_store(folder);
    ASSERT_EQ(write(*store, append).result, WriteResult::ok);
  }
  const auto store = open_store(folder);
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

/// Runs `body` in one transaction on the file's own tables, without the store.
void with_tables(const TemporaryFolder& folder, const std::function<void(MDB_txn*)>& body) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  ASSERT_EQ(mdb_env_create(&env), 0);
  ASSERT_EQ(mdb_env_set_mapsize(env, 64 * kMiB), 0);
  ASSERT_EQ(mdb_env_set_maxdbs(env, 8), 0);
  ASSERT_EQ(mdb_env_open(env, folder.path().c_str(), 0, 0640), 0);
  ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
  body(txn);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(env);
}

void put(MDB_txn* txn, const char* table, std::string key, std::string value) {
  MDB_dbi dbi = 0;
  ASSERT_EQ(mdb_dbi_open(txn, table, MDB_CREATE, &dbi), 0);
  MDB_val k{key.size(), key.data()};
  MDB_val v{value.size(), value.data()};
  ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
}

TEST(LmdbStore, ANewerFormatIsRefusedNamingBoth) {
  const TemporaryFolder folder;
  open_store(folder);
  with_tables(folder, [](MDB_txn* txn) { put(txn, "meta", "format", std::string("\x09\0\0\0", 4)); });
  EXPECT_THAT(refusal([&] { open_store(folder); }),
              AllOf(HasSubstr("written in format 9 by a newer inkmesh"), HasSubstr("knows formats up to 1")));
  with_tables(folder, [](MDB_txn* txn) { put(txn, "meta", "format", std::string("\x01\0\0\0", 4)); });
  EXPECT_NE(open_store(folder), nullptr) << "the refusal left the file as it was, and the folder free";
}

TEST(LmdbStore, AStrangersFileIsRefused) {
  const TemporaryFolder folder;
  with_tables(folder, [](MDB_txn* txn) { put(txn, "recipes", "soup", "water"); });
  EXPECT_THAT(refusal([&] { open_store(folder); }), HasSubstr("not an inkmesh store"));
  const TemporaryFolder text;
  std::ofstream(text.file()) << std::string(10'000, 'x');
  EXPECT_THAT(refusal([&] { open_store(text); }), HasSubstr("data.mdb"));
}

TEST(LmdbStore, AFlippedByteIsReportedNotServedAndHealedByRepair) {
  const TemporaryFolder folder;
  const auto store = open_store(folder);
  std::vector<StrokePtr> strokes;
  for (Seq seq = 1; seq <= 9; ++seq) {
    strokes.push_back(make_stroke("drawing", kA, seq, "\"a-stroke-of-ink-" + std::to_string(seq) + "\""));
  }
  const StrokePtr other = make_stroke("drawing", kB, 1, "\"other\"");
  strokes.push_back(other);
  ASSERT_EQ(write(*store, append_of(strokes)).result, WriteResult::ok);
  ASSERT_GE(flip(folder.file(), "a-stroke-of-ink-5"), 1);

  const ReadDone damaged = store->read(read_of("drawing"));
  ASSERT_EQ(damaged.strokes.size(), 5U) << "four before the damage, and the other origin's";
  EXPECT_EQ(damaged.strokes[3]->seq, 4U);
  EXPECT_EQ(damaged.strokes[4]->origin, kB);
  ASSERT_EQ(damaged.damaged.size(), 1U);
  EXPECT_EQ(damaged.damaged[0].origin, kA);
  EXPECT_EQ(damaged.damaged[0].seq, 5U);
  EXPECT_FALSE(damaged.more);

  Cursor past;
  past.set(kA, 5);
  EXPECT_EQ(store->read(read_of("drawing", past)).strokes.size(), 5U) << "what lies past the damage is whole";

  Repair repair;
  repair.strokes = {strokes[4]};
  ASSERT_EQ(store->repair(repair).result, WriteResult::ok);
  const ReadDone healed = store->read(read_of("drawing"));
  EXPECT_THAT(healed.damaged, IsEmpty());
  ASSERT_EQ(healed.strokes.size(), 10U);
  EXPECT_TRUE(same_content(*healed.strokes[4], *strokes[4]));
  EXPECT_FALSE(healed.strokes[4]->duplicate);
}

TEST(LmdbStore, DamageIsSeenInLongRecordsAndAfterReopening) {
  const TemporaryFolder folder;
  {
    const auto store = open_store(folder);
    ASSERT_EQ(write(*store, append_of({make_stroke("drawing", kA, 1, std::string(50'000, 'x') + "needle")})).result,
              WriteResult::ok);
  }
  ASSERT_GE(flip(folder.file(), "xxneedle"), 1);
  const auto store = open_store(folder);
  const ReadDone done = store->read(read_of("drawing"));
  EXPECT_THAT(done.strokes, IsEmpty());
  ASSERT_EQ(done.damaged.size(), 1U);
  EXPECT_EQ(done.damaged[0].seq, 1U);
}

TEST(LmdbStore, ALostRecordIsDamageToo) {
  const TemporaryFolder folder;
  {
    const auto store = open_store(folder);
    ASSERT_EQ(write(*store, make_append("drawing", kA, 1, 5)).result, WriteResult::ok);
  }
  with_tables(folder, [](MDB_txn* txn) {
    MDB_dbi dbi = 0;
    ASSERT_EQ(mdb_dbi_open(txn, "strokes", 0, &dbi), 0);
    for (const char seq : {'\x03', '\x05'}) {
      std::string key = "drawing" + std::string(1, '\0') + kA + std::string(8, '\0') + seq;
      MDB_val k{key.size(), key.data()};
      ASSERT_EQ(mdb_del(txn, dbi, &k, nullptr), 0);
    }
  });
  const auto store = open_store(folder);
  Cursor after;
  for (const auto& [begin, damage] : {std::pair<Seq, Seq>{0, 3}, {2, 3}, {3, 5}, {4, 5}}) {
    after.set(kA, begin);
    const ReadDone done = store->read(read_of("drawing", after));
    EXPECT_EQ(done.strokes.size(), damage - begin - 1);
    ASSERT_EQ(done.damaged.size(), 1U);
    EXPECT_EQ(done.damaged[0].seq, damage);
  }
}

TEST(LmdbStore, SinceNeverMissesAStrokeWhereRecordsAreDamaged) {
  const TemporaryFolder folder;
  const auto store = open_store(folder);
  std::vector<StrokePtr> strokes;
  for (Seq seq = 1; seq <= 64; ++seq) {
    strokes.push_back(make_stroke("drawing", kA, seq, "\"ink " + std::to_string(seq) + "!\""));
  }
  ASSERT_EQ(write(*store, append_of(strokes)).result, WriteResult::ok);
  for (const int seq : {16, 32, 33, 48})
    ASSERT_GE(flip(folder.file(), "\"ink " + std::to_string(seq) + "!"), 1);
  for (Seq seq = 1; seq <= 64; ++seq) {
    EXPECT_LE(store->find_since({1, "drawing", strokes[seq - 1]->ts}).before.at(kA), seq - 1);
  }
}

TEST(LmdbStore, ADamagedOpIsUnknownAndTheNextAppendWritesItAnew) {
  const TemporaryFolder folder;
  const auto store = open_store(folder);
  const StrokePtr stroke = with_op(make_stroke("drawing", kA, 1), "a-client-of-note", 5);
  ASSERT_EQ(write(*store, append_of({stroke})).result, WriteResult::ok);
  ASSERT_TRUE(store->find_op("drawing", "a-client-of-note", 5));
  // The origin at the end of the op's value: it follows the data's hash, which stands nowhere else.
  std::uint64_t hash = data_hash(stroke->data);
  std::string needle(sizeof hash, '\0');
  std::memcpy(needle.data(), &hash, sizeof hash);
  ASSERT_GE(flip(folder.file(), needle + kA, sizeof hash + 2), 1);
  EXPECT_FALSE(store->find_op("drawing", "a-client-of-note", 5));
  ASSERT_EQ(write(*store, append_of({with_op(make_stroke("drawing", kA, 2), "a-client-of-note", 5)})).result,
            WriteResult::ok);
  const auto known = store->find_op("drawing", "a-client-of-note", 5);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->seq, 2U);
}

TEST(LmdbStore, ADamagedHeadEndsTheStoreWithAWayOut) {
  const TemporaryFolder folder;
  const auto store = open_store(folder);
  const Append append = make_append("drawing", kA, 1, 1);
  ASSERT_EQ(write(*store, append).result, WriteResult::ok);
  std::string chain(8, '\0');
  std::memcpy(chain.data(), &append.items[0].chain, 8);
  ASSERT_GE(flip(folder.file(), chain), 1);
  EXPECT_THAT(refusal([&] { store->heads(); }), AllOf(HasSubstr("drawing"), HasSubstr("refills from its peers")));
  EXPECT_THROW(store->read(read_of("drawing")), StoreError);
  EXPECT_EQ(write(*store, make_append("drawing", kA, 2, 2)).result, WriteResult::fatal);
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
