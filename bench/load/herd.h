// A node is killed, and all of its clients come back at once, at the others.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "load/fleet.h"
#include "load/workload.h"

namespace inkmesh::bench {

struct HerdCase {
  std::uint32_t clients = 1000;
  std::uint32_t people = 3;  ///< of each drawing
  pid_t victim = 0;          ///< the first node's process
  double within_s = 30;
};

class Herd final : public Listener {
 public:
  Herd(const Setting& setting, const HerdCase& wanted);
  Result run();

  void ready(Connection& connection) override;
  void subscribed(Connection& connection, std::uint64_t now) override;
  void acked(Connection&, std::uint64_t) override {}
  void delivered(Connection& connection, const Mark& mark, std::uint64_t now) override;
  void lost(Connection& connection, const std::string& why) override;

 private:
  void wait_for_all(double seconds, const char* what);

  const Setting& setting_;
  const HerdCase wanted_;
  Fleet fleet_;
  std::vector<bool> live_;  // by connection
  std::size_t missing_ = 0;
  std::uint64_t killed_ns_ = 0;
  std::uint64_t attempts_ = 0;
  Histogram until_live_;
};

}  // namespace inkmesh::bench
