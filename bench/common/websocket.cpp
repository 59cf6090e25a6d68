#include "common/websocket.h"

#include <array>
#include <cstring>
#include <websocketpp/base64/base64.hpp>
#include <websocketpp/sha1/sha1.hpp>

namespace inkmesh::bench {
namespace {

constexpr std::array<char, 4> kMask{0x2b, 0x71, 0x1d, 0x5a};

void append_header(Opcode opcode, std::size_t size, bool masked, std::string& out) {
  const auto mask_bit = static_cast<unsigned>(masked ? 0x80 : 0);
  out.push_back(static_cast<char>(0x80U | static_cast<unsigned>(opcode)));
  if (size < 126) {
    out.push_back(static_cast<char>(mask_bit | size));
    return;
  }
  const int bytes = size < 65536 ? 2 : 8;
  out.push_back(static_cast<char>(mask_bit | (bytes == 2 ? 126U : 127U)));
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(size >> shift));
}

// Eight bytes at a time; the mask's place is kept because eight is twice its length.
void apply_mask(char* bytes, std::size_t size, const char* mask) {
  std::uint64_t wide = 0;
  std::memcpy(&wide, mask, 4);
  std::memcpy(reinterpret_cast<char*>(&wide) + 4, mask, 4);
  std::size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, 8);
    word ^= wide;
    std::memcpy(bytes + at, &word, 8);
  }
  for (; at < size; ++at)
    bytes[at] = static_cast<char>(bytes[at] ^ mask[at % 4]);
}

}  // namespace

Parsed parse_frame(char* bytes, std::size_t size, std::size_t largest, Frame& frame, std::size_t& used) {
  if (size < 2) return Parsed::more;
  const auto byte = [bytes](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  const bool masked = (byte(1) & 0x80U) != 0;
  std::size_t header = 2;
  std::uint64_t length = byte(1) & 0x7fU;
  if (length >= 126) {
    const std::size_t extra = length == 126 ? 2 : 8;
    header += extra;
    if (size < header) return Parsed::more;
    length = 0;
    for (std::size_t i = 2; i < 2 + extra; ++i)
      length = length << 8U | byte(i);
  }
  // Extensions are never offered, so their bits are never set.
  if (length > largest || (byte(0) & 0x70U) != 0) return Parsed::broken;
  if (masked) header += 4;
  if (size < header + length) return Parsed::more;
  if (masked) apply_mask(bytes + header, length, bytes + header - 4);
  frame.opcode = static_cast<Opcode>(byte(0) & 0x0fU);
  frame.fin = (byte(0) & 0x80U) != 0;
  frame.payload = std::string_view(bytes + header, length);
  used = header + length;
  return Parsed::frame;
}

void append_server_frame(Opcode opcode, std::string_view payload, std::string& out) {
  append_header(opcode, payload.size(), false, out);
  out.append(payload);
}

void append_client_frame(Opcode opcode, std::string_view payload, std::string& out) {
  append_header(opcode, payload.size(), true, out);
  out.append(kMask.data(), kMask.size());
  const auto start = out.size();
  out.append(payload);
  apply_mask(out.data() + start, payload.size(), kMask.data());
}

std::string accept_key(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, 20> hash{};
  websocketpp::sha1::calc(text.data(), text.size(), hash.data());
  return websocketpp::base64_encode(hash.data(), hash.size());
}

}  // namespace inkmesh::bench
