// A number of strokes drawn into many drawings, nobody looking on, as fast as they are acknowledged.
#pragma once

#include <cstdint>
#include <vector>

#include "load/fleet.h"
#include "load/workload.h"

namespace inkmesh::bench {

struct FillCase {
  std::uint32_t strokes = 100'000;
  std::uint32_t drawings = 100;  ///< one author each, at one node after the other
  std::uint32_t window = 32;     ///< an author's strokes under way
  double within_s = 180;
};

class Fill final : public Listener {
 public:
  Fill(const Setting& setting, const FillCase& wanted);
  Result run();

  void ready(Connection& connection) override;
  void subscribed(Connection&, std::uint64_t) override {}
  void acked(Connection& connection, std::uint64_t now) override;
  void delivered(Connection& connection, const Mark& mark, std::uint64_t now) override;

 private:
  void publish_next(Connection& author);

  const Setting& setting_;
  const FillCase wanted_;
  Fleet fleet_;
  std::vector<std::uint32_t> sent_;  // by author
  std::uint32_t acked_ = 0;
  std::string stroke_;
};

}  // namespace inkmesh::bench
