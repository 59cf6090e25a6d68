// What goes wrong in the first phase, when and where, as the options and the seed have it.
#pragma once

#include <memory>
#include <vector>

#include "options.h"
#include "random.h"
#include "world.h"

namespace inkmesh::sim {

class Faults {
 public:
  /// Sets the first of each kind; they go on until the phase's end.
  Faults(World& world, Random random);

  /// Everything is whole again: links, stores, clocks, nodes; but the one that is lost for good.
  void end();

 private:
  using Fault = void (Faults::*)();
  void repeat(SimUs every_us, Fault fault);
  void crash();
  void partition();
  void cut_one_way();
  void reset();
  void choke();
  void pause();
  void cut_client();
  void fill_store();
  void refuse_write();
  void damage();
  void jump_clock();
  void back_up();
  NodeIndex any_node();
  void restart_later(NodeIndex node);
  void swap(NodeIndex refilled);
  void lose_one_for_good();

  World& world_;
  const Options& options_;
  Random random_;
  std::vector<std::shared_ptr<const store::MemoryStore::Backup>> backups_;  ///< the last one of each node
  bool over_ = false;
};

}  // namespace inkmesh::sim
