// Who draws and who looks on, where: the named cases of Drawing.
#pragma once

#include <cstdint>

#include "load/drawing.h"

namespace inkmesh::bench {

struct FanoutCase {
  std::uint32_t subscribers = 500;
  std::uint32_t publishers = 1;
  double rate = 0;  ///< of all publishers together; 0: closed loop
  std::uint32_t window = 4;
  std::uint32_t publish_at = 0;  ///< the node
  std::uint32_t subscribe_at = 0;
  std::uint32_t silent = 0;  ///< further subscribers who do not read
};
/// One drawing with many who look on.
DrawingPlan fanout(const FanoutCase& wanted);

struct MeshCase {
  std::uint32_t drawings = 300;
  std::uint32_t people = 3;  ///< of each drawing, each at the next node
  std::uint32_t nodes = 3;
  double rate = 2;  ///< of each person; 0: closed loop
  std::uint32_t window = 1;
  bool together = false;  ///< all people of a drawing are at the same node
};
/// Many drawings with some people each, all of whom draw and look on.
DrawingPlan mesh(const MeshCase& wanted);

struct IngestCase {
  std::uint32_t publishers = 200;
  std::uint32_t channels = 200;
  std::uint32_t nodes = 1;
  std::uint32_t window = 4;
};
/// Nobody looks on: what is accepted and acknowledged, in the closed loop.
DrawingPlan ingest(const IngestCase& wanted);

}  // namespace inkmesh::bench
