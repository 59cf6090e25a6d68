// A record of the journal, as it stands and, since no chance meets a checksum, the rest as the payload of one that is
// whole: refused, or strokes that come back from their own record. A log may be named twice where no name would do, so
// the bytes need not be these.
#include "door.h"
#include "store/journal_record.h"

namespace {

using namespace inkmesh;
using fuzz::expect;

/// A stroke of a log that was named before takes 39 bytes, and has both names for its own.
constexpr fuzz::Growth kGrowth{(sizeof(Stroke) + 4 * sizeof(Append::Item) + kChannelBytesMax + 128) / 39 + 2, 1024};

std::string record_of(const std::vector<Append::Item>& items) {
  store::JournalRecordWriter writer;
  writer.begin();
  for (const Append::Item& item : items)
    writer.add(item);
  std::uint64_t checksum = 0;
  return std::string(writer.finish(3, 3, checksum));
}

void try_payload(std::string_view payload) {
  const auto decode = [&] { return store::decode_journal_payload(payload); };
  const auto items = fuzz::within(kGrowth, payload.size(), decode);
  if (!items) return;
  const std::string bytes = record_of(*items);
  const auto record = store::read_journal_record(bytes);
  expect(record && record->payload.size() <= payload.size() && record->bytes() == bytes.size());
  const auto back = store::decode_journal_payload(record->payload);
  expect(back && back->size() == items->size() && record_of(*back) == bytes);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  const auto record = fuzz::within({0, 0}, 0, [&] { return store::read_journal_record(text); });
  if (record) try_payload(record->payload);
  try_payload(text);
  return 0;
}
