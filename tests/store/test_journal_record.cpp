// The journal's bytes: what is written comes back, and nothing else does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture.h"
#include "store/journal_record.h"

namespace inkmesh::store {
namespace {

const Origin kA = "ws1~00000000";
const Origin kB = "ws2~00000000";

std::vector<Append::Item> items_of(const std::vector<Append>& appends) {
  std::vector<Append::Item> items;
  for (const Append& append : appends)
    items.insert(items.end(), append.items.begin(), append.items.end());
  return items;
}

std::string record_of(const std::vector<Append::Item>& items, std::uint64_t generation = 3,
                      std::uint64_t previous = 3) {
  JournalRecordWriter writer;
  writer.begin();
  for (const Append::Item& item : items)
    writer.add(item);
  std::uint64_t checksum = 0;
  return std::string(writer.finish(generation, previous, checksum));
}

TEST(JournalRecord, StrokesComeBackAsTheyWere) {
  const auto items = items_of({make_append("drawing", kA, 1, 3, "[1,2]"), make_append("drawing", kB, 7, 8),
                               make_append(Channel(kChannelBytesMax, 'c'), kA, 1, 1, std::string(kDataBytesMax, '1'))});
  const std::string bytes = record_of(items, 9, 77);
  EXPECT_EQ(bytes.size() % kJournalBlockBytes, 0U);
  const auto record = read_journal_record(bytes);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->generation, 9U);
  EXPECT_EQ(record->previous, 77U);
  EXPECT_EQ(record->bytes(), bytes.size());
  const auto back = decode_journal_payload(record->payload);
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    EXPECT_TRUE(same_content(*(*back)[i].stroke, *items[i].stroke)) << i;
    EXPECT_EQ((*back)[i].chain, items[i].chain) << i;
  }
}

TEST(JournalRecord, ABufferThatIsUsedAgainHoldsNothingOfBefore) {
  JournalRecordWriter writer;
  std::uint64_t checksum = 0;
  writer.begin();
  for (const auto& item : make_append("drawing", kA, 1, 90, "\"long ago\"").items)
    writer.add(item);
  writer.finish(1, 1, checksum);
  const auto items = make_append("drawing", kA, 91, 91).items;
  writer.begin();
  writer.add(items[0]);
  EXPECT_EQ(std::string(writer.finish(3, 3, checksum)), record_of(items));
}

TEST(JournalRecord, AnyChangedByteMakesItNone) {
  const std::string bytes = record_of(make_append("drawing", kA, 1, 2).items);
  const std::size_t used = kJournalHeaderBytes + read_journal_record(bytes)->payload.size();
  for (std::size_t at = 0; at < used; ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_FALSE(read_journal_record(changed)) << at;
  }
}

TEST(JournalRecord, APartOfOneIsNone) {
  const std::string bytes = record_of(make_append("drawing", kA, 1, 2).items);
  const std::size_t used = kJournalHeaderBytes + read_journal_record(bytes)->payload.size();
  for (std::size_t size = 0; size < used; ++size)
    EXPECT_FALSE(read_journal_record(std::string_view(bytes).substr(0, size))) << size;
}

TEST(JournalRecord, APayloadThatNoNodeWritesIsRefused) {
  const auto good = make_append("drawing", kA, 1, 1);
  const auto decode = [](const Append::Item& item) {
    const std::string bytes = record_of({item});
    return decode_journal_payload(read_journal_record(bytes)->payload);
  };
  EXPECT_TRUE(decode(good.items[0]));
  const auto changed = [&](const auto& change) {
    auto stroke = std::make_shared<Stroke>(*good.items[0].stroke);
    change(*stroke);
    return Append::Item{stroke, 5};
  };
  EXPECT_FALSE(decode(changed([](Stroke& s) { s.channel = "a b"; })));
  EXPECT_FALSE(decode(changed([](Stroke& s) { s.origin = "ws1"; })));
  EXPECT_FALSE(decode(changed([](Stroke& s) { s.client = "a b"; })));
  EXPECT_FALSE(decode(changed([](Stroke& s) { s.seq = 0; })));
  EXPECT_FALSE(decode(changed([](Stroke& s) { s.seq = kNumberMax + 1; })));
  EXPECT_FALSE(decode(changed([](Stroke& s) { s.ts = kNumberMax + 1; })));
  EXPECT_FALSE(decode(changed([](Stroke& s) { s.op = 0; })));
  EXPECT_FALSE(decode(changed([](Stroke& s) { s.data.clear(); })));
  EXPECT_FALSE(decode(changed([](Stroke& s) { s.data.assign(kDataBytesMax + 1, '1'); })));
  EXPECT_FALSE(decode_journal_payload(std::string(1, '\0'))) << "a log as of the stroke before, and none is before";
}

TEST(JournalRecord, APayloadThatIsCutIsRefused) {
  const std::string bytes = record_of(make_append("drawing", kA, 1, 1).items);
  const std::string_view payload = read_journal_record(bytes)->payload;
  for (std::size_t size = 1; size < payload.size(); ++size)
    EXPECT_FALSE(decode_journal_payload(payload.substr(0, size))) << size;
}

}  // namespace
}  // namespace inkmesh::store
