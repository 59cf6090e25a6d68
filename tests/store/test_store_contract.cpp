// What store.h promises, held against all stores: a replica, a replica with its journal (the one of every node), and
// their twin of the simulator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <tuple>

#include "fixture.h"
#include "store/memory_store.h"

namespace inkmesh::store {
namespace {

using testing::IsEmpty;

struct Lmdb {
  TemporaryFolder folder;
  std::unique_ptr<Store> store = open_store(folder);
};

/// Answers from the journal's strokes in memory.
struct Journaled {
  TemporaryFolder folder;
  std::unique_ptr<Store> store = open_journaled(folder);
};

/// Strokes go to the replica while it answers: a segment has room for few.
struct Applying {
  TemporaryFolder folder;
  std::unique_ptr<Store> store = open_journaled(folder, std::chrono::milliseconds(0), 8 * kJournalBlockBytes);
};

struct Memory {
  std::unique_ptr<Store> store = std::make_unique<MemoryStore>();
};

template <typename Kind>
class StoreContract : public testing::Test {
 protected:
  Store& store() {
    return *kind_.store;
  }

 private:
  Kind kind_;
};

using Kinds = testing::Types<Lmdb, Journaled, Applying, Memory>;
struct KindNames {
  template <typename Kind>
  static std::string GetName(int) {
    if (std::is_same_v<Kind, Lmdb>) return "Lmdb";
    if (std::is_same_v<Kind, Journaled>) return "Journaled";
    return std::is_same_v<Kind, Applying> ? "Applying" : "Memory";
  }
};
TYPED_TEST_SUITE(StoreContract, Kinds, KindNames);

const Origin kA = "ws1~00000000";
const Origin kB = "ws2~00000000";
const Origin kC = "ws3~00000000";

std::vector<std::pair<Origin, Seq>> places(const ReadDone& done) {
  std::vector<std::pair<Origin, Seq>> places;
  for (const StrokePtr& stroke : done.strokes)
    places.emplace_back(stroke->origin, stroke->seq);
  return places;
}

using Places = std::vector<std::pair<Origin, Seq>>;

TYPED_TEST(StoreContract, AnEmptyStoreHasNothing) {
  Store& store = this->store();
  EXPECT_THAT(store.heads(), IsEmpty());
  const ReadDone done = store.read(read_of("drawing"));
  EXPECT_EQ(done.ticket, 7U);
  EXPECT_THAT(done.strokes, IsEmpty());
  EXPECT_FALSE(done.more);
  EXPECT_THAT(done.damaged, IsEmpty());
  EXPECT_TRUE(store.find_since({9, "drawing", 0}).before.empty());
  EXPECT_FALSE(store.find_op("drawing", "ann", 1));
  EXPECT_EQ(store.usage().strokes, 0U);
  EXPECT_EQ(store.usage().channels, 0U);
}

TYPED_TEST(StoreContract, ItKeepsTheLastNoteOfEachName) {
  Store& store = this->store();
  EXPECT_THAT(store.notes(), IsEmpty());
  ASSERT_EQ(store.note({"whole", "7"}).result, WriteResult::ok);
  ASSERT_EQ(store.note({"lives", std::string(kNoteBytesMax, 'x')}).result, WriteResult::ok);
  ASSERT_EQ(store.note({"whole", ""}).result, WriteResult::ok);
  EXPECT_THAT(store.notes(), testing::ElementsAre(testing::Pair("lives", std::string(kNoteBytesMax, 'x')),
                                                  testing::Pair("whole", "")));
}

TYPED_TEST(StoreContract, WhatWasAppendedIsReadInOrderOfOriginAndSeq) {
  Store& store = this->store();
  const Append b = make_append("drawing", kB, 1, 2, R"({"b":1})");
  const Append a = make_append("drawing", kA, 1, 3, R"({"a":1})");
  ASSERT_EQ(store.append({&b, &a}).result, WriteResult::ok);
  const ReadDone done = store.read(read_of("drawing"));
  EXPECT_EQ(places(done), (Places{{kA, 1}, {kA, 2}, {kA, 3}, {kB, 1}, {kB, 2}}));
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(same_content(*done.strokes[i], *a.items[i].stroke));
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(same_content(*done.strokes[3 + i], *b.items[i].stroke));
  EXPECT_EQ(store.usage().strokes, 5U);
  EXPECT_EQ(store.usage().channels, 1U);
}

TYPED_TEST(StoreContract, HeadsHoldTheLastSeqItsChainAndItsTs) {
  Store& store = this->store();
  const Append first = make_append("drawing", kA, 1, 3);
  const Append second = make_append("drawing", kA, 4, 4, "[]", first.items.back().chain);
  ASSERT_EQ(write(store, first).result, WriteResult::ok);
  ASSERT_EQ(write(store, second).result, WriteResult::ok);
  const auto heads = store.heads();
  ASSERT_EQ(heads.size(), 1U);
  EXPECT_EQ(heads[0].channel, "drawing");
  EXPECT_EQ(heads[0].origin, kA);
  EXPECT_EQ(heads[0].seq, 4U);
  EXPECT_EQ(heads[0].chain, second.items[0].chain);
  EXPECT_EQ(heads[0].ts, second.items[0].stroke->ts);
}

TYPED_TEST(StoreContract, GroupsOfOneTransactionFollowEachOther) {
  Store& store = this->store();
  const Append first = make_append("drawing", kA, 1, 2);
  const Append other = make_append("other", kA, 1, 1);
  const Append second = make_append("drawing", kA, 3, 5);
  ASSERT_EQ(store.append({&first, &other, &second}).result, WriteResult::ok);
  EXPECT_EQ(store.read(read_of("drawing")).strokes.size(), 5U);
  EXPECT_EQ(store.usage().channels, 2U);
}

TYPED_TEST(StoreContract, AReadBeginsPastItsCursorAndKnowsNoOtherChannel) {
  Store& store = this->store();
  for (const Channel channel : {"a", "a:b", "a.b", "aa", "a-"}) {
    const Append a = make_append(channel, kA, 1, 3, "\"" + channel + "\"");
    const Append b = make_append(channel, kB, 1, 3, "\"" + channel + "\"");
    ASSERT_EQ(store.append({&a, &b}).result, WriteResult::ok);
  }
  Cursor after;
  after.set(kA, 2);
  after.set(kB, 3);
  after.set("unknown~00000000", 9);
  const ReadDone done = store.read(read_of("a", after));
  EXPECT_EQ(places(done), (Places{{kA, 3}}));
  EXPECT_EQ(done.strokes[0]->data, "\"a\"");
  EXPECT_FALSE(done.more);
  after.set(kA, 1'000);
  EXPECT_THAT(store.read(read_of("a", after)).strokes, IsEmpty());
}

TYPED_TEST(StoreContract, AReadOfOneOriginGivesNoOther) {
  Store& store = this->store();
  const Append a = make_append("drawing", kA, 1, 2);
  const Append b = make_append("drawing", kB, 1, 2);
  const Append c = make_append("drawing", kC, 1, 2);
  ASSERT_EQ(store.append({&a, &b, &c}).result, WriteResult::ok);
  Read read = read_of("drawing");
  read.only = kB;
  EXPECT_EQ(places(store.read(read)), (Places{{kB, 1}, {kB, 2}}));
  read.only = "ws2~0000000";
  EXPECT_THAT(store.read(read).strokes, IsEmpty());
}

TYPED_TEST(StoreContract, LimitsEndAReadAndSayThatThereIsMore) {
  Store& store = this->store();
  const Append a = make_append("drawing", kA, 1, 3);
  const Append b = make_append("drawing", kB, 1, 1);
  ASSERT_EQ(store.append({&a, &b}).result, WriteResult::ok);
  const std::size_t cost = cost_of(*a.items[0].stroke);

  EXPECT_EQ(places(store.read(read_of("drawing", {}, 2))), (Places{{kA, 1}, {kA, 2}}));
  EXPECT_TRUE(store.read(read_of("drawing", {}, 2)).more);
  EXPECT_TRUE(store.read(read_of("drawing", {}, 3)).more);
  EXPECT_FALSE(store.read(read_of("drawing", {}, 5)).more);

  EXPECT_EQ(store.read(read_of("drawing", {}, 100, 2 * cost)).strokes.size(), 2U);
  EXPECT_EQ(store.read(read_of("drawing", {}, 100, 3 * cost - 1)).strokes.size(), 2U);
  EXPECT_TRUE(store.read(read_of("drawing", {}, 100, 3 * cost - 1)).more);
  EXPECT_EQ(store.read(read_of("drawing", {}, 100, 1)).strokes.size(), 1U) << "one is always given";
  EXPECT_TRUE(store.read(read_of("drawing", {}, 100, 1)).more);
}

TYPED_TEST(StoreContract, TheFirstOfAClientsOpIsKeptAndLaterCopiesAreMarked) {
  Store& store = this->store();
  const StrokePtr first = with_op(make_stroke("drawing", kA, 1, "1"), "ann", 5);
  const StrokePtr copy = with_op(make_stroke("drawing", kB, 1, "1"), "ann", 5);
  const StrokePtr again = with_op(make_stroke("drawing", kA, 2, "1"), "ann", 5);
  const StrokePtr other_channel = with_op(make_stroke("other", kA, 1, "1"), "ann", 5);
  const StrokePtr other_client = with_op(make_stroke("drawing", kC, 1, "1"), "an", 5);
  ASSERT_EQ(write(store, append_of({first, copy})).result, WriteResult::ok);
  ASSERT_EQ(write(store, append_of({again, other_channel, other_client})).result, WriteResult::ok);

  const auto known = store.find_op("drawing", "ann", 5);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->origin, kA);
  EXPECT_EQ(known->seq, 1U);
  EXPECT_EQ(known->ts, first->ts);
  EXPECT_EQ(known->data_hash, data_hash("1"));
  EXPECT_FALSE(store.find_op("drawing", "ann", 6));
  EXPECT_FALSE(store.find_op("drawin", "ann", 5));

  const ReadDone done = store.read(read_of("drawing"));
  ASSERT_EQ(done.strokes.size(), 4U);
  EXPECT_FALSE(done.strokes[0]->duplicate);
  EXPECT_TRUE(done.strokes[1]->duplicate) << "the same origin took it twice";
  EXPECT_TRUE(done.strokes[2]->duplicate) << "another origin's copy";
  EXPECT_FALSE(done.strokes[3]->duplicate) << "another client's op";
  EXPECT_FALSE(store.read(read_of("other")).strokes[0]->duplicate);
}

TYPED_TEST(StoreContract, TheMarkIsThisReplicasOwn) {
  Store& store = this->store();
  auto marked = std::make_shared<Stroke>(*make_stroke("drawing", kA, 1));
  marked->duplicate = true;
  ASSERT_EQ(write(store, append_of({marked})).result, WriteResult::ok);
  EXPECT_FALSE(store.read(read_of("drawing")).strokes[0]->duplicate);
}

TYPED_TEST(StoreContract, SinceIsThePlaceBeforeTheFirstStrokeAtOrPastATimestamp) {
  Store& store = this->store();
  Append append;
  for (Seq seq = 1; seq <= 100; ++seq) {
    auto stroke = std::make_shared<Stroke>(*make_stroke("drawing", kA, seq));
    stroke->ts = seq * 10;
    append.items.push_back({stroke, 0});
  }
  const Append b = make_append("drawing", kB, 1, 1);
  ASSERT_EQ(store.append({&append, &b}).result, WriteResult::ok);
  for (TimeUs since = 0; since <= 1'020; ++since) {
    const SinceFound found = store.find_since({3, "drawing", since});
    EXPECT_EQ(found.ticket, 3U);
    const Seq expected = since <= 10 ? 0 : std::min<Seq>((since - 1) / 10, 100);
    ASSERT_EQ(found.before.at(kA), expected) << since;
    ASSERT_EQ(found.before.at(kB), 0U);
  }
  EXPECT_EQ(store.find_since({3, "drawing", kNumberMax}).before.at(kB), 1U);
}

TYPED_TEST(StoreContract, ARepairOverwritesWhatIsStoredAndNothingElse) {
  Store& store = this->store();
  const Append a = make_append("drawing", kA, 1, 3, "1");
  ASSERT_EQ(write(store, a).result, WriteResult::ok);
  Repair repair;
  repair.strokes = {make_stroke("drawing", kA, 2, "222"), make_stroke("drawing", kA, 4), make_stroke("x", kA, 1)};
  ASSERT_EQ(store.repair(repair).result, WriteResult::ok);
  const ReadDone done = store.read(read_of("drawing"));
  ASSERT_EQ(done.strokes.size(), 3U);
  EXPECT_EQ(done.strokes[0]->data, "1");
  EXPECT_EQ(done.strokes[1]->data, "222");
  EXPECT_EQ(done.strokes[2]->data, "1");
  EXPECT_FALSE(done.strokes[1]->duplicate);
  ASSERT_EQ(store.heads().size(), 1U);
  EXPECT_EQ(store.heads()[0].seq, 3U);
  EXPECT_EQ(store.heads()[0].chain, a.items.back().chain);
  EXPECT_EQ(store.usage().channels, 1U);
}

TYPED_TEST(StoreContract, TheLargestNamesAndDataAreKept) {
  Store& store = this->store();
  const Channel channel(kChannelBytesMax, 'c');
  const Origin origin = std::string(kNodeIdBytesMax, 'n') + "~00000000";
  const StrokePtr stroke = with_op(make_stroke(channel, origin, 1, std::string(kDataBytesMax, 'd')),
                                   std::string(kClientBytesMax, 'u'), kNumberMax);
  ASSERT_EQ(write(store, append_of({stroke})).result, WriteResult::ok);
  const ReadDone done = store.read(read_of(channel));
  ASSERT_EQ(done.strokes.size(), 1U);
  EXPECT_TRUE(same_content(*done.strokes[0], *stroke));
  EXPECT_TRUE(store.find_op(channel, std::string(kClientBytesMax, 'u'), kNumberMax));
}

/// A store that is nothing but what was appended.
class Model {
 public:
  void add(const StrokePtr& stroke) {
    auto& log = channels_[stroke->channel][stroke->origin];
    log.push_back(stroke);
    ops_.try_emplace({stroke->channel, stroke->client, stroke->op}, stroke);
  }
  Seq head(const Channel& channel, const Origin& origin) {
    return channels_[channel][origin].size();
  }
  bool duplicate(const Stroke& stroke) const {
    const StrokePtr& first = ops_.at({stroke.channel, stroke.client, stroke.op});
    return first->origin != stroke.origin || first->seq != stroke.seq;
  }
  ReadDone read(const Read& read) {
    ReadDone done;
    std::size_t bytes = 0;
    for (const auto& [origin, log] : channels_[read.channel]) {
      if (!read.only.empty() && read.only != origin) continue;
      for (Seq seq = read.after.at(origin) + 1; seq <= log.size(); ++seq) {
        bytes += cost_of(*log[seq - 1]);
        if (!done.strokes.empty() && (bytes > read.limit_bytes || done.strokes.size() >= read.limit_strokes)) {
          done.more = true;
          return done;
        }
        done.strokes.push_back(log[seq - 1]);
      }
    }
    return done;
  }

 private:
  std::map<Channel, std::map<Origin, std::vector<StrokePtr>>> channels_;
  std::map<std::tuple<Channel, ClientName, Op>, StrokePtr> ops_;
};

TYPED_TEST(StoreContract, RandomAppendsAndReadsAgreeWithAModel) {
  Store& store = this->store();
  Model model;
  std::mt19937_64 random(20'251);
  const std::vector<Channel> channels = {"d", "d:1", "d1", "drawing_abc123", std::string(128, 'z')};
  const std::vector<Origin> origins = {kA, kB, "ws1~00000001", "ws~00000000", "ws11~0000000z"};
  const auto any = [&](const auto& list) { return list[random() % list.size()]; };
  for (int round = 0; round < 150; ++round) {
    std::vector<Append> groups(1 + random() % 4);
    for (Append& group : groups) {
      for (std::size_t i = random() % 8; i > 0; --i) {
        const Channel channel = any(channels);
        const Origin origin = any(origins);
        const Seq seq = model.head(channel, origin) + 1;
        const std::size_t size = 1 + (random() % 16 == 0 ? random() % kDataBytesMax : random() % 300);
        const StrokePtr stroke = with_op(make_stroke(channel, origin, seq, std::string(size, 'x')),
                                         "c" + std::to_string(random() % 3), 1 + random() % 400);
        model.add(stroke);
        group.items.push_back({stroke, random()});
      }
    }
    std::vector<const Append*> pointers;
    for (const Append& group : groups)
      pointers.push_back(&group);
    ASSERT_EQ(store.append(pointers).result, WriteResult::ok);

    Read read = read_of(any(channels), {}, 1 + random() % 50, random() % 100'000);
    for (const Origin& origin : origins)
      read.after.set(origin, random() % 12);
    if (random() % 4 == 0) read.only = any(origins);
    const ReadDone expected = model.read(read);
    const ReadDone found = store.read(read);
    ASSERT_EQ(places(found), places(expected));
    for (std::size_t i = 0; i < found.strokes.size(); ++i) {
      ASSERT_TRUE(same_content(*found.strokes[i], *expected.strokes[i]));
      ASSERT_EQ(found.strokes[i]->duplicate, model.duplicate(*expected.strokes[i]));
    }
    // `more` may be said where there is nothing more, never the other way round.
    if (expected.more) {
      ASSERT_TRUE(found.more);
    }
    ASSERT_THAT(found.damaged, IsEmpty());
  }
}

}  // namespace
}  // namespace inkmesh::store
