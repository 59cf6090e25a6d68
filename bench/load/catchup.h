// Somebody opens a drawing that has much in it: how soon it is there. For servers that keep a history.
#pragma once

#include <cstdint>

#include "load/fleet.h"
#include "load/ledger.h"
#include "load/workload.h"

namespace inkmesh::bench {

struct CatchupCase {
  std::uint32_t strokes = 20000;
  std::uint32_t readers = 20;  ///< one after the other
  std::uint32_t window = 64;   ///< strokes under way while the drawing is filled
  std::uint32_t fill_at = 0;   ///< the node
  std::uint32_t read_at = 0;
};

class Catchup final : public Listener {
 public:
  Catchup(const Setting& setting, const CatchupCase& wanted);
  Result run();

  void ready(Connection& connection) override;
  void subscribed(Connection& connection, std::uint64_t now) override;
  void acked(Connection& connection, std::uint64_t now) override;
  void delivered(Connection& connection, const Mark& mark, std::uint64_t now) override;

 private:
  void publish_next(Connection& author);
  void fill();
  std::uint64_t read_once();

  const Setting& setting_;
  const CatchupCase wanted_;
  Fleet fleet_;
  Ledger ledger_;
  std::string channel_;
  std::uint32_t sent_ = 0;
  std::uint32_t acked_ = 0;
  bool ready_ = false;  // the newest connection is
  bool live_ = false;
  std::uint64_t came_ = 0;
  std::string stroke_;
};

}  // namespace inkmesh::bench
