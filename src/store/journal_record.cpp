#define XXH_INLINE_ALL
#include "store/journal_record.h"

#include <xxhash.h>

#include <cstring>
#include <memory>
#include <utility>

#include "store/broken.h"

namespace inkmesh::store {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are copied as they lie in memory");

constexpr std::uint32_t kMagic = 0x314a4b49;  // "IKJ1"

template <typename Number>
void put(std::string& out, Number number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof bytes);
}

template <typename Number>
Number get(std::string_view bytes, std::size_t offset) {
  Number number = 0;
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

void put_name(std::string& out, std::string_view name) {
  if (name.empty() || name.size() > 255) broken("a name of " + std::to_string(name.size()) + " bytes in the journal");
  out.push_back(static_cast<char>(name.size()));
  out.append(name);
}

std::size_t whole_blocks(std::size_t bytes) {
  return (bytes + kJournalBlockBytes - 1) / kJournalBlockBytes * kJournalBlockBytes;
}

/// Reads a payload; after anything that is not there, good() is false and all else is empty or 0.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool good() const {
    return good_;
  }
  bool at_end() const {
    return bytes_.empty();
  }
  std::string_view take(std::size_t size) {
    if (!good_ || size > bytes_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  std::string_view take_short() {
    return take(number<std::uint8_t>());
  }
  template <typename Number>
  Number number() {
    const std::string_view bytes = take(sizeof(Number));
    return good_ ? get<Number>(bytes, 0) : Number{0};
  }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

bool countable(std::uint64_t number, std::uint64_t min) {
  return number >= min && number <= kNumberMax;
}

}  // namespace

void JournalRecordWriter::begin() {
  bytes_.assign(kJournalHeaderBytes, '\0');
  channel_ = {};
  origin_ = {};
}

void JournalRecordWriter::add(const Append::Item& item) {
  const Stroke& stroke = *item.stroke;
  if (stroke.channel == channel_ && stroke.origin == origin_) {
    bytes_.push_back('\0');
  } else {
    put_name(bytes_, stroke.channel);
    put_name(bytes_, stroke.origin);
    channel_ = stroke.channel;
    origin_ = stroke.origin;
  }
  put_name(bytes_, stroke.client);
  for (const std::uint64_t number : {stroke.seq, stroke.ts, stroke.op, item.chain})
    put(bytes_, number);
  put(bytes_, static_cast<std::uint32_t>(stroke.data.size()));
  bytes_.append(stroke.data);
}

std::size_t JournalRecordWriter::bytes() const {
  return whole_blocks(bytes_.size());
}

std::string_view JournalRecordWriter::finish(std::uint64_t generation, std::uint64_t previous,
                                             std::uint64_t& checksum) {
  const auto payload_bytes = static_cast<std::uint32_t>(bytes_.size() - kJournalHeaderBytes);
  std::memcpy(bytes_.data() + 8, &previous, 8);
  std::memcpy(bytes_.data() + 16, &generation, 8);
  std::memcpy(bytes_.data() + 24, &payload_bytes, 4);
  std::memcpy(bytes_.data() + 28, &kMagic, 4);
  checksum = XXH3_64bits(bytes_.data() + 8, bytes_.size() - 8);
  std::memcpy(bytes_.data(), &checksum, 8);
  bytes_.resize(whole_blocks(bytes_.size()), '\0');
  return bytes_;
}

std::size_t JournalRecord::bytes() const {
  return whole_blocks(kJournalHeaderBytes + payload.size());
}

std::optional<JournalRecord> read_journal_record(std::string_view bytes) {
  if (bytes.size() < kJournalHeaderBytes || get<std::uint32_t>(bytes, 28) != kMagic) return std::nullopt;
  const std::size_t size = kJournalHeaderBytes + get<std::uint32_t>(bytes, 24);
  if (size > bytes.size()) return std::nullopt;
  JournalRecord record;
  record.checksum = get<std::uint64_t>(bytes, 0);
  record.previous = get<std::uint64_t>(bytes, 8);
  record.generation = get<std::uint64_t>(bytes, 16);
  record.payload = bytes.substr(kJournalHeaderBytes, size - kJournalHeaderBytes);
  if (record.checksum != XXH3_64bits(bytes.data() + 8, size - 8)) return std::nullopt;
  return record;
}

std::optional<std::vector<Append::Item>> decode_journal_payload(std::string_view payload) {
  std::vector<Append::Item> items;
  Reader reader(payload);
  std::string_view channel;
  std::string_view origin;
  while (!reader.at_end()) {
    if (const std::string_view name = reader.take_short(); !name.empty()) {
      channel = name;
      origin = reader.take_short();
      if (!valid_channel(channel) || !valid_origin(origin)) return std::nullopt;
    }
    const std::string_view client = reader.take_short();
    const auto seq = reader.number<std::uint64_t>();
    const auto ts = reader.number<std::uint64_t>();
    const auto op = reader.number<std::uint64_t>();
    const auto chain = reader.number<std::uint64_t>();
    const std::string_view data = reader.take(reader.number<std::uint32_t>());
    const bool whole = reader.good() && !channel.empty() && valid_client(client) && countable(seq, 1) &&
                       countable(ts, 0) && countable(op, 1) && !data.empty() && data.size() <= kDataBytesMax;
    if (!whole) return std::nullopt;
    items.push_back({std::make_shared<Stroke>(Stroke{Channel(channel), Origin(origin), seq, ts, ClientName(client), op,
                                                     std::string(data), false}),
                     chain});
  }
  return items;
}

}  // namespace inkmesh::store
