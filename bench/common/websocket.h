// WebSocket (RFC 6455) as far as the benchmark needs it: frames in both directions, and the handshake's key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace inkmesh::bench {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

struct Frame {
  Opcode opcode = Opcode::text;
  bool fin = true;
  std::string_view payload;  ///< unmasked, within the bytes that were parsed
};

enum class Parsed {
  frame,  ///< one is there
  more,   ///< more bytes are needed
  broken  ///< no WebSocket frame, or one over `largest`
};

/// The first frame of `bytes`, whose length is `used`. A mask is taken off in place.
Parsed parse_frame(char* bytes, std::size_t size, std::size_t largest, Frame& frame, std::size_t& used);

/// A frame as servers send it.
void append_server_frame(Opcode opcode, std::string_view payload, std::string& out);

/// A frame as clients send it. The mask is always the same: nobody listens here whom it should confuse, and it costs
/// the server the same work.
void append_client_frame(Opcode opcode, std::string_view payload, std::string& out);

/// The Sec-WebSocket-Accept that answers `key`.
std::string accept_key(std::string_view key);

}  // namespace inkmesh::bench
