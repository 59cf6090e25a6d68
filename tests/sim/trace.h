// What happened: a running hash of everything, and, when asked for, readable lines.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "agenda.h"
#include "inkmesh/types.h"

namespace inkmesh::sim {

class Trace {
 public:
  void mix(std::uint64_t value) {
    hash_ ^= value + 0x9e3779b97f4a7c15U;
    hash_ *= 0xff51afd7ed558ccdU;
    hash_ ^= hash_ >> 32U;
  }
  template <typename... Values>
  void mix(std::uint64_t first, Values... rest) {
    mix(first);
    mix(rest...);
  }
  /// The same for the same run.
  std::uint64_t hash() const {
    return hash_;
  }

  struct Line {
    SimUs at = 0;
    Channel channel;  ///< empty: concerns all
    std::string text;
  };
  bool recording() const {
    return recording_;
  }
  void record() {
    recording_ = true;
  }
  /// Call only while recording(): building the text costs more than the run.
  void line(SimUs at, Channel channel, std::string text) {
    lines_.push_back(Line{at, std::move(channel), std::move(text)});
  }
  const std::vector<Line>& lines() const {
    return lines_;
  }

 private:
  std::uint64_t hash_ = 0;
  bool recording_ = false;
  std::vector<Line> lines_;
};

}  // namespace inkmesh::sim
