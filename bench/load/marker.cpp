#include "load/marker.h"

#include <array>
#include <cstring>

namespace inkmesh::bench {
namespace {

constexpr std::size_t kPublisherDigits = 6;
constexpr std::size_t kSeqDigits = 8;
constexpr std::size_t kDueDigits = 16;
constexpr std::size_t kFirstDot = 1 + kPublisherDigits;
constexpr std::size_t kSecondDot = kFirstDot + 1 + kSeqDigits;

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> values{};
  for (auto& value : values)
    value = -1;
  for (int i = 0; i < 10; ++i)
    values[static_cast<std::size_t>('0' + i)] = static_cast<std::int8_t>(i);
  for (int i = 0; i < 6; ++i)
    values[static_cast<std::size_t>('a' + i)] = static_cast<std::int8_t>(10 + i);
  return values;
}
constexpr std::array<std::int8_t, 256> kValues = make_values();

void append_hex(std::uint64_t value, std::size_t digits, std::string& out) {
  for (std::size_t i = digits; i-- > 0;)
    out.push_back("0123456789abcdef"[value >> (4 * i) & 15U]);
}

// Any digit that is none makes `bad` negative; looking once at the end keeps the loop without branches.
template <std::size_t digits>
std::uint64_t read_hex(const char* at, int& bad) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const std::int8_t digit = kValues[static_cast<unsigned char>(at[i])];
    bad |= int{digit};
    value = value << 4U | (static_cast<std::uint8_t>(digit) & 15U);
  }
  return value;
}

}  // namespace

void append_mark(const Mark& mark, std::string& out) {
  out.push_back('@');
  append_hex(mark.publisher, kPublisherDigits, out);
  out.push_back('.');
  append_hex(mark.seq, kSeqDigits, out);
  out.push_back('.');
  append_hex(mark.due_ns, kDueDigits, out);
  out.push_back('@');
}

bool next_mark(std::string_view bytes, std::size_t& from, Mark& mark) {
  while (from + kMarkBytes <= bytes.size()) {
    const void* found = std::memchr(bytes.data() + from, '@', bytes.size() - from);
    if (found == nullptr) break;
    const char* at = static_cast<const char*>(found);
    const auto place = static_cast<std::size_t>(at - bytes.data());
    if (place + kMarkBytes > bytes.size()) break;
    from = place + 1;
    if (at[kFirstDot] != '.' || at[kSecondDot] != '.' || at[kMarkBytes - 1] != '@') continue;
    int bad = 0;
    mark.publisher = static_cast<std::uint32_t>(read_hex<kPublisherDigits>(at + 1, bad));
    mark.seq = static_cast<std::uint32_t>(read_hex<kSeqDigits>(at + kFirstDot + 1, bad));
    mark.due_ns = read_hex<kDueDigits>(at + kSecondDot + 1, bad);
    if (bad < 0) continue;
    from = place + kMarkBytes;
    return true;
  }
  from = bytes.size();
  return false;
}

}  // namespace inkmesh::bench
