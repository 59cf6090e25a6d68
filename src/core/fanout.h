// One channel's subscribers at this node.
#pragma once

#include <vector>

#include "inkmesh/effect.h"
#include "inkmesh/stroke.h"

namespace inkmesh::core {

struct Fanout {
  std::vector<ConnId> live;    ///< ascending
  std::vector<ConnId> others;  ///< ascending
  Recipients recipients;       ///< of `live`; empty when it has changed
  Strokes turn;                ///< shown in this turn
  bool in_turn = false;

  bool empty() const {
    return live.empty() && others.empty();
  }
};

}  // namespace inkmesh::core
