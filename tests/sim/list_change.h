// A node joins the list or leaves it, or `replicas` and `ack` change, as an operator does it: the new cluster.yaml
// everywhere, one restart after the other. The node that leaves takes its disk with it.
#pragma once

#include <optional>
#include <vector>

#include "random.h"
#include "world.h"

namespace inkmesh::sim {

class RollingChange {
 public:
  /// Before the nodes start. Nothing where the options have no change of the list.
  RollingChange(World& world, Random random);

  /// The change is over: who has not been restarted yet is now. What did not begin never will.
  void end();

 private:
  void choose_subject(bool joins);
  void begin();
  void remove();
  void roll();
  void restart(NodeIndex node);

  World& world_;
  Random random_;
  std::optional<NodeIndex> subject_;  ///< joins or leaves; none: replicas and ack change
  std::vector<NodeId> list_;          ///< where one does
  std::vector<NodeIndex> waiting_;    ///< to be restarted
  bool begun_ = false;
  bool over_ = false;
};

}  // namespace inkmesh::sim
