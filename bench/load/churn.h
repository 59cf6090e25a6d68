// People who open one drawing after another: what it takes until a drawing that was never open is there.
#pragma once

#include <cstdint>

#include "load/fleet.h"
#include "load/workload.h"

namespace inkmesh::bench {

struct ChurnCase {
  std::uint32_t people = 50;    ///< each opens the next drawing as soon as one is there
  std::uint32_t drawings = 20;  ///< that each opens on one connection, before a new one
};

class Churn final : public Listener {
 public:
  Churn(const Setting& setting, const ChurnCase& wanted);
  Result run();

  void ready(Connection& connection) override;
  void subscribed(Connection& connection, std::uint64_t now) override;
  void acked(Connection&, std::uint64_t) override {}
  void delivered(Connection& connection, const Mark& mark, std::uint64_t now) override;

 private:
  struct Person {
    std::uint32_t open = 0;  ///< on this connection
    std::uint64_t asked_ns = 0;
    bool waits = false;
  };
  void ask(Connection& connection, std::uint64_t now);
  void pass(double seconds);

  const Setting& setting_;
  const ChurnCase wanted_;
  Fleet fleet_;
  std::vector<Person> people_;
  std::vector<std::uint32_t> finished_;  // connections that have opened all they are to
  std::uint64_t drawings_ = 0;
  std::uint64_t opened_ = 0;
  bool measuring_ = false;
  Histogram until_open_;
};

}  // namespace inkmesh::bench
