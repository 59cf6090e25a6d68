// What most tests of one core begin with: the node "me", which has one peer.
#pragma once

#include "inkmesh/core.h"

namespace inkmesh {

inline CoreSettings two_nodes() {
  CoreSettings settings;
  settings.self = "me";
  settings.epoch = "bbbbbbbb";
  settings.nodes = {"me", "ws1"};
  return settings;
}

}  // namespace inkmesh
