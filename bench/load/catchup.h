// Somebody opens a drawing that has much in it, or comes back with a cursor and lacks the end of it: how soon it is all
// there. For servers that keep a history.
#pragma once

#include <cstdint>

#include "load/fleet.h"
#include "load/ledger.h"
#include "load/workload.h"

namespace inkmesh::bench {

struct CatchupCase {
  std::uint32_t held = 0;         ///< strokes that the readers have; 0: they open the drawing for the first time
  std::uint32_t strokes = 20000;  ///< that they lack
  std::uint32_t readers = 20;     ///< one after the other
  std::uint32_t window = 64;      ///< strokes under way while the drawing is filled
  std::uint32_t fill_at = 0;      ///< the node
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
  bool message(Connection& connection, std::string_view text, std::uint64_t now) override;

 private:
  void publish_next(Connection& author);
  void fill(std::uint32_t until);
  void open_readers();
  std::uint64_t read_once(Connection& reader);
  void look_on(double seconds);

  const Setting& setting_;
  const CatchupCase wanted_;
  Fleet fleet_;
  Ledger ledger_;
  std::string channel_;
  std::string cursor_;  // JSON; empty before anything is held
  std::uint32_t fill_until_ = 0;
  std::uint32_t sent_ = 0;
  std::uint32_t acked_ = 0;
  bool live_ = false;       // the reader whose turn it is
  std::uint64_t came_ = 0;  // to it
  std::string stroke_;
};

}  // namespace inkmesh::bench
