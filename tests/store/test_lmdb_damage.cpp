// Records that are wrong or gone on disk: named, never served, healed where a peer's copy can heal them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

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

}  // namespace
}  // namespace inkmesh::store
