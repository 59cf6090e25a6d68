// A server's text frames as they are on the wire: a short header, then the text, unmasked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "inkmesh/types.h"

namespace inkmesh::edge {

constexpr std::size_t kTextHeaderMax = 10;

/// Adds the frame of a whole text message.
inline void append_text_frame(std::string& out, std::string_view text) {
  const auto put_size = [&](char marker, int bytes) {
    out.push_back(marker);
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
      out.push_back(static_cast<char>(std::uint64_t{text.size()} >> shift));
  };
  out.push_back('\x81');
  if (text.size() < 126) {
    out.push_back(static_cast<char>(text.size()));
  } else if (text.size() <= 0xFFFF) {
    put_size(126, 2);
  } else {
    put_size(127, 8);
  }
  out.append(text);
}

/// The frame of a whole text message.
inline SharedBytes text_frame(std::string_view text) {
  auto frame = std::make_shared<std::string>();
  frame->reserve(kTextHeaderMax + text.size());
  append_text_frame(*frame, text);
  return frame;
}

}  // namespace inkmesh::edge
