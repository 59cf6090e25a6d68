#include "load/plans.h"

namespace inkmesh::bench {

DrawingPlan fanout(const FanoutCase& wanted) {
  DrawingPlan plan;
  plan.rate = wanted.rate;
  plan.window = wanted.window;
  for (std::uint32_t i = 0; i < wanted.subscribers + wanted.silent; ++i) {
    Member reader{.node = wanted.subscribe_at, .reads = true};
    // Spread among the others, as they are in a server's lists. The last one reads: it paces the closed loop.
    reader.silent = wanted.silent != 0 && i % ((wanted.subscribers + wanted.silent) / wanted.silent) == 0 &&
                    i / ((wanted.subscribers + wanted.silent) / wanted.silent) < wanted.silent;
    plan.members.push_back(reader);
  }
  for (std::uint32_t i = 0; i < wanted.publishers; ++i) {
    plan.members.push_back({.node = wanted.publish_at, .draws = true});
  }
  return plan;
}

DrawingPlan mesh(const MeshCase& wanted) {
  DrawingPlan plan;
  plan.channels = wanted.drawings;
  plan.rate = wanted.rate * wanted.drawings * wanted.people;
  plan.window = wanted.window;
  // Person by person, so that the authors who take turns draw in drawing after drawing.
  for (std::uint32_t person = 0; person < wanted.people; ++person) {
    for (std::uint32_t drawing = 0; drawing < wanted.drawings; ++drawing) {
      plan.members.push_back({.node = (drawing + (wanted.together ? 0 : person)) % wanted.nodes,
                              .channel = drawing,
                              .reads = true,
                              .draws = true});
    }
  }
  return plan;
}

DrawingPlan ingest(const IngestCase& wanted) {
  DrawingPlan plan;
  plan.channels = wanted.channels;
  plan.window = wanted.window;
  for (std::uint32_t i = 0; i < wanted.publishers; ++i) {
    plan.members.push_back({.node = i % wanted.nodes, .channel = i % wanted.channels, .draws = true});
  }
  return plan;
}

}  // namespace inkmesh::bench
