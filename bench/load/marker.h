// The marker in each stroke's data, by which a delivery is counted: who sent it, its number, and when it was to leave.
//
//   {"m":"@pppppp.ssssssss.tttttttttttttttt@","pts":[[12,40],…]}
//
// p: publisher, s: its sequence from 1, t: nanoseconds of CLOCK_MONOTONIC; all in lower-case hexadecimal. It survives
// being quoted as JSON in JSON, and '@' followed by '.' six places on appears nowhere else in a stroke.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace inkmesh::bench {

struct Mark {
  std::uint32_t publisher = 0;
  std::uint32_t seq = 0;
  std::uint64_t due_ns = 0;  ///< when it was to leave by the schedule, or did leave in the closed loop
};

constexpr std::size_t kMarkBytes = 1 + 6 + 1 + 8 + 1 + 16 + 1;

void append_mark(const Mark& mark, std::string& out);

/// The first marker at or after `from`; moves `from` past it. False when there is none.
bool next_mark(std::string_view bytes, std::size_t& from, Mark& mark);

}  // namespace inkmesh::bench
