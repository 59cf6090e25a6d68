// Records that are wrong or gone on disk: named, never served, healed where a peer's copy can heal them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "disk.h"

namespace inkmesh::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

const Origin kA = "ws1~00000000";
const Origin kB = "ws2~00000000";

TEST(LmdbDamage, AFlippedByteIsReportedNotServedAndHealedByRepair) {
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

TEST(LmdbDamage, WhatIsRepairedAndDamagedAgainEndsTheStoreWithAWayOut) {
  const TemporaryFolder folder;
  const auto store = open_store(folder);
  const StrokePtr stroke = make_stroke("drawing", kA, 1, "\"a-stroke-of-ink\"");
  ASSERT_EQ(write(*store, append_of({stroke})).result, WriteResult::ok);
  ASSERT_GE(flip(folder.file(), "a-stroke-of-ink"), 1);
  ASSERT_EQ(store->read(read_of("drawing")).damaged.size(), 1U);
  Repair repair;
  repair.strokes = {stroke};
  ASSERT_EQ(store->repair(repair).result, WriteResult::ok);
  ASSERT_THAT(store->read(read_of("drawing")).damaged, IsEmpty());
  ASSERT_GE(flip(folder.file(), "a-stroke-of-ink"), 1);
  EXPECT_THAT(refusal([&] { store->read(read_of("drawing")); }),
              AllOf(HasSubstr("the table strokes is damaged"), HasSubstr("Move the folder away")));
}

TEST(LmdbDamage, DamageIsSeenInLongRecordsAndAfterReopening) {
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

TEST(LmdbDamage, ALostRecordIsDamageToo) {
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

TEST(LmdbDamage, SinceNeverMissesAStrokeWhereRecordsAreDamaged) {
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

TEST(LmdbDamage, ADamagedOpIsUnknownAndTheNextAppendWritesItAnew) {
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

TEST(LmdbDamage, ADamagedHeadEndsTheStoreWithAWayOut) {
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

std::uint64_t bytes_of_last_commit(const TemporaryFolder& folder) {
  std::uint64_t bytes = 0;
  with_tables(folder, [&](MDB_txn* txn) {
    MDB_envinfo info{};
    MDB_stat stat{};
    ASSERT_EQ(mdb_env_info(mdb_txn_env(txn), &info), 0);
    ASSERT_EQ(mdb_env_stat(mdb_txn_env(txn), &stat), 0);
    bytes = (info.me_last_pgno + 1) * stat.ms_psize;
  });
  return bytes;
}

TEST(LmdbDamage, AFileThatIsCutShortIsRefusedWithItsSizesAndAWayOut) {
  const TemporaryFolder folder;
  ASSERT_EQ(write(*open_store(folder), make_append("drawing", kA, 1, 200, std::string(1'000, 'x'))).result,
            WriteResult::ok);
  const std::uint64_t needed = bytes_of_last_commit(folder);
  ASSERT_GT(needed, 200'000U);
  std::filesystem::resize_file(folder.file(), needed);
  EXPECT_EQ(open_store(folder)->read(read_of("drawing")).strokes.size(), 200U) << "what was reserved may be missing";
  for (const std::uint64_t size :
       {needed - 1, needed / 2, std::uint64_t{8'192}, std::uint64_t{4'096}, std::uint64_t{7}}) {
    std::filesystem::resize_file(folder.file(), size);
    const std::string said = refusal([&] { open_store(folder); });
    EXPECT_THAT(said, AllOf(HasSubstr(folder.path()), HasSubstr("Move the folder away"), HasSubstr("backup"))) << size;
    if (size < 8'192) continue;
    EXPECT_THAT(said, AllOf(HasSubstr("cut short: it has " + std::to_string(size) + " bytes"),
                            HasSubstr(std::to_string(needed / 4'096) + " pages of 4096 bytes")));
  }
}

TEST(LmdbDamage, AnOlderStateThatClaimsToBeTheLastIsRefused) {
  const TemporaryFolder folder;
  for (int lives = 0; lives < 3; ++lives)
    ASSERT_EQ(write(*open_store(folder), make_append("drawing", kA, 1 + lives, 1 + lives)).result, WriteResult::ok);
  EXPECT_EQ(open_store(folder)->heads().size(), 1U);
  const std::string whole = file_bytes(folder.file());
  for (const std::size_t page : {0U, 4'096U}) {
    std::string bytes = whole;
    bytes[page + 150] = '\x01';
    std::ofstream(folder.file(), std::ios::binary) << bytes;
    EXPECT_THAT(refusal([&] { open_store(folder); }), AllOf(HasSubstr("numbered"), HasSubstr("Move the folder away")));
  }
}

TEST(LmdbDamage, HeadsThatNoPageLeadsToAreMissed) {
  const TemporaryFolder folder;
  ASSERT_EQ(write(*open_store(folder), make_append("drawing", kA, 1, 3)).result, WriteResult::ok);
  // The table's record in the root table: its number of entries stands behind four page counts of 8 bytes.
  const std::string name = "heads";
  const std::string bytes = file_bytes(folder.file());
  int hurt = 0;
  for (std::size_t at = bytes.find(name); at != std::string::npos; at = bytes.find(name, at + 1)) {
    hurt += flip(folder.file(), bytes.substr(at, name.size() + 40), name.size() + 32);
  }
  ASSERT_GE(hurt, 1);
  EXPECT_THAT(refusal([&] { open_store(folder)->heads(); }),
              AllOf(HasSubstr("the table heads is damaged"), HasSubstr("Move the folder away")));
}

TEST(LmdbDamageDeathTest, AFileThatIsCutWhileItIsOpenIsNamedBeforeTheEnd) {
  const TemporaryFolder folder;
  const auto store = open_store(folder);
  ASSERT_EQ(write(*store, make_append("drawing", kA, 1, 200, std::string(1'000, 'x'))).result, WriteResult::ok);
  const auto read_what_is_gone = [&] {
    std::filesystem::resize_file(folder.file(), 8'192);
    store->read(read_of("drawing"));
  };
  EXPECT_DEATH(read_what_is_gone(), "reading data.mdb failed .SIGBUS.*Move the folder away");
}

}  // namespace
}  // namespace inkmesh::store
