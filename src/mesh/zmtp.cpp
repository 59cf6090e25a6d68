#include "mesh/zmtp.h"

#include <algorithm>
#include <utility>

namespace inkmesh::mesh::zmtp {
namespace {

constexpr std::size_t kGreetingBytes = 64;
constexpr std::size_t kVersionAt = 10;
constexpr std::size_t kMechanismAt = 12;
constexpr std::size_t kMechanismBytes = 20;
constexpr char kVersionMajor = 3;
constexpr char kVersionMinor = 1;

constexpr unsigned kMore = 1;
constexpr unsigned kLong = 2;
constexpr unsigned kCommand = 4;
constexpr std::size_t kShortBytesMax = 255;

/// An opening's metadata, and pings, are short.
constexpr std::size_t kCommandBytesMax = 1024;
constexpr std::size_t kPingContextBytesMax = 16;
constexpr std::size_t kLengthBytes = 8;
/// What keeps its memory for the next message.
constexpr std::size_t kHeldBytesKept = std::size_t{64} << 10;

std::string_view socket_type(Role role) {
  return role == Role::dealer ? "DEALER" : "ROUTER";
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes)
    value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

/// The first `count` bytes, which are taken away from `input`. There must be as many.
std::string_view cut(std::string_view& input, std::size_t count) {
  const std::string_view front = input.substr(0, count);
  input.remove_prefix(count);
  return front;
}

std::string command(std::string_view name, std::string_view data) {
  std::string bytes;
  bytes += static_cast<char>(kCommand);
  bytes += static_cast<char>(1 + name.size() + data.size());
  bytes += static_cast<char>(name.size());
  bytes += name;
  bytes += data;
  return bytes;
}

/// A greeting as far as it has come: a stranger's first byte gives him away.
bool may_be_greeting(std::string_view begun) {
  const auto at = [&](std::size_t place, auto&& good) { return begun.size() <= place || good(begun[place]); };
  const std::string_view mechanism("NULL", 4);
  for (std::size_t n = 0; n < kMechanismBytes; ++n) {
    const char wanted = n < mechanism.size() ? mechanism[n] : '\0';
    if (!at(kMechanismAt + n, [&](char byte) { return byte == wanted; })) return false;
  }
  return at(0, [](char byte) { return byte == '\xff'; }) && at(9, [](char byte) { return (byte & 1) != 0; }) &&
         at(kVersionAt, [](char byte) { return byte >= kVersionMajor; });
}

}  // namespace

std::string opening(Role self) {
  std::string bytes("\xff\0\0\0\0\0\0\0\1\x7f", kVersionAt);
  bytes += kVersionMajor;
  bytes += kVersionMinor;
  bytes += "NULL";
  bytes.resize(kGreetingBytes, '\0');

  const std::string_view type = socket_type(self);
  std::string metadata = "\x0bSocket-Type";
  metadata.append(3, '\0');
  metadata += static_cast<char>(type.size());
  metadata += type;
  return bytes + command("READY", metadata);
}

std::string ping(int ttl_ms) {
  const auto tenths = static_cast<unsigned>(ttl_ms) / 100;
  const std::array<char, 2> ttl{static_cast<char>(tenths >> 8U), static_cast<char>(tenths & 0xffU)};
  return command("PING", {ttl.data(), ttl.size()});
}

std::string pong(std::string_view context) {
  return command("PONG", context);
}

MessageHeader::MessageHeader(std::size_t message_bytes) {
  if (message_bytes <= kShortBytesMax) {
    bytes_[1] = static_cast<char>(message_bytes);
    size_ = 2;
    return;
  }
  bytes_[0] = static_cast<char>(kLong);
  for (std::size_t n = 0; n < kLengthBytes; ++n)
    bytes_[1 + n] = static_cast<char>(message_bytes >> (8 * (kLengthBytes - 1 - n)) & 0xffU);
  size_ = bytes_.size();
}

void Reader::take(std::string_view bytes) {
  if (held_.empty()) {
    input_ = bytes;
  } else {
    held_ += bytes;
    input_ = held_;
  }
}

void Reader::keep() {
  payload_ = {};
  if (held_.empty()) {
    held_ = input_;
  } else {
    held_.erase(0, held_.size() - input_.size());
  }
  // Assigning {} would keep the memory.
  if (held_.empty() && held_.capacity() > kHeldBytesKept) held_ = std::string();
  input_ = {};
}

Reader::Found Reader::broken() {
  stage_ = Stage::broken;
  input_ = {};
  held_ = std::string();
  return Found::broken;
}

Reader::Found Reader::next() {
  if (stage_ == Stage::broken) return Found::broken;
  if (stage_ == Stage::greeting && greeting() == Found::broken) return broken();
  while (stage_ != Stage::greeting && input_.size() >= 2) {
    const auto flags = static_cast<unsigned char>(input_.front());
    const bool is_command = (flags & kCommand) != 0;
    const bool more = (flags & kMore) != 0;
    if (flags > (kMore | kLong | kCommand) || (is_command && more)) return broken();
    const std::size_t header_bytes = 1 + ((flags & kLong) != 0 ? kLengthBytes : 1);
    if (input_.size() < header_bytes) return Found::nothing;
    const std::uint64_t length = big_endian(input_.substr(1, header_bytes - 1));
    if (length > (is_command ? kCommandBytesMax : message_bytes_max_)) return broken();
    if (input_.size() - header_bytes < length) return Found::nothing;
    cut(input_, header_bytes);
    const std::string_view body = cut(input_, static_cast<std::size_t>(length));
    const Found found = is_command ? command(body) : message(body, more);
    if (found == Found::broken) return broken();
    if (found != Found::nothing) return found;
  }
  return Found::nothing;
}

Reader::Found Reader::greeting() {
  if (!may_be_greeting(input_.substr(0, kGreetingBytes))) return Found::broken;
  if (input_.size() < kGreetingBytes) return Found::nothing;
  cut(input_, kGreetingBytes);
  stage_ = Stage::handshake;
  return Found::nothing;
}

Reader::Found Reader::command(std::string_view body) {
  if (body.empty()) return Found::broken;
  const auto name_bytes = static_cast<unsigned char>(cut(body, 1).front());
  if (body.size() < name_bytes) return Found::broken;
  const std::string_view name = cut(body, name_bytes);
  if (stage_ == Stage::handshake) return name == "READY" ? ready(body) : Found::broken;
  if (name == "ERROR") return Found::broken;
  // A PONG has done its work by coming; what else later versions say is theirs.
  if (name != "PING") return Found::nothing;
  if (body.size() < 2 || body.size() > 2 + kPingContextBytesMax) return Found::broken;
  payload_ = body.substr(2);
  return Found::ping;
}

Reader::Found Reader::ready(std::string_view metadata) {
  const std::string_view wanted = socket_type(self_ == Role::dealer ? Role::router : Role::dealer);
  bool fits = false;
  while (!metadata.empty()) {
    const auto name_bytes = static_cast<unsigned char>(cut(metadata, 1).front());
    if (metadata.size() < name_bytes + std::size_t{4}) return Found::broken;
    const std::string_view name = cut(metadata, name_bytes);
    const std::uint64_t value_bytes = big_endian(cut(metadata, 4));
    if (metadata.size() < value_bytes) return Found::broken;
    const std::string_view value = cut(metadata, static_cast<std::size_t>(value_bytes));
    if (name == "Socket-Type") fits = value == wanted;
  }
  if (!fits) return Found::broken;
  stage_ = Stage::open;
  return Found::opened;
}

Reader::Found Reader::message(std::string_view body, bool more) {
  if (stage_ != Stage::open) return Found::broken;
  parts_ = std::exchange(in_message_, more) ? parts_ + 1 : 1;
  payload_ = body;
  return more ? Found::nothing : Found::message;
}

}  // namespace inkmesh::mesh::zmtp
