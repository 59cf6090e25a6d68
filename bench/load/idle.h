// Connections that do nothing: what each takes of the servers' memory and time.
#pragma once

#include <cstdint>

#include "load/fleet.h"
#include "load/workload.h"

namespace inkmesh::bench {

struct IdleCase {
  std::uint32_t connections = 5000;
  std::uint32_t first = 200;  ///< opened before the first sample: what a server sets up once is not counted
  std::uint32_t people = 0;   ///< of each drawing that they have open; 0: they subscribe to nothing
};

class Idle final : public Listener {
 public:
  Idle(const Setting& setting, const IdleCase& wanted);
  Result run();

  void ready(Connection& connection) override;
  void subscribed(Connection& connection, std::uint64_t now) override;
  void acked(Connection&, std::uint64_t) override {}
  void delivered(Connection& connection, const Mark& mark, std::uint64_t now) override;

 private:
  void open(std::uint32_t count);
  void rest(double seconds);

  const Setting& setting_;
  const IdleCase wanted_;
  Fleet fleet_;
  std::vector<bool> subscribed_;  // by connection
  std::size_t unsubscribed_ = 0;
};

}  // namespace inkmesh::bench
