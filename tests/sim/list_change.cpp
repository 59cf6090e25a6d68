#include "list_change.h"

#include <utility>

namespace inkmesh::sim {

RollingChange::RollingChange(World& world, Random random) : world_(world), random_(random) {
  const ListChange change = world_.options().list_change;
  if (change == ListChange::none) return;
  const bool joins = change == ListChange::join;
  subject_ = joins ? static_cast<NodeIndex>(world_.size() - 1) : static_cast<NodeIndex>(random_.below(world_.size()));
  std::vector<NodeId> all;
  std::vector<NodeId> without;
  for (NodeIndex node = 0; node < world_.size(); ++node) {
    all.push_back(world_.node(node).id());
    if (node != subject_) without.push_back(all.back());
    if (node != subject_ || joins) waiting_.push_back(node);
  }
  for (NodeIndex node = 0; node < world_.size(); ++node)
    world_.node(node).set_list(joins ? without : all);
  world_.node(subject_).set_absent(joins);
  list_ = joins ? all : without;
  const SimUs span = world_.options().faults_us;
  world_.agenda().at(random_.between(span / 8, span / 2), [this] { begin(); });
}

void RollingChange::begin() {
  if (over_) return;
  if (world_.options().list_change == ListChange::leave) {
    remove();
  } else {
    world_.note(world_.node(subject_).id() + " is to join");
    begun_ = true;
    roll();
  }
}

void RollingChange::remove() {
  if (over_) return;
  if (!world_.checker().expendable(subject_)) {
    world_.agenda().after(50'000, [this] { remove(); });
    return;
  }
  world_.note(world_.node(subject_).id() + " leaves for good");
  begun_ = true;
  world_.node(subject_).set_absent(true);
  world_.node(subject_).crash(false);
  world_.lose_disk(subject_);
  roll();
}

void RollingChange::roll() {
  if (over_ || waiting_.empty()) return;
  const auto next = waiting_.begin() + static_cast<std::ptrdiff_t>(random_.below(waiting_.size()));
  const NodeIndex node = *next;
  waiting_.erase(next);
  restart(node);
  world_.agenda().after(random_.below(1'000'000), [this] { roll(); });
}

void RollingChange::restart(NodeIndex node) {
  SimNode& each = world_.node(node);
  each.set_list(list_);
  if (node == subject_) {
    each.set_absent(false);
    each.start();
  } else {
    // Whoever watches crashes starts it again.
    each.crash(false);
  }
}

void RollingChange::end() {
  over_ = true;
  for (const NodeIndex node : std::exchange(waiting_, {})) {
    if (begun_) restart(node);
  }
}

}  // namespace inkmesh::sim
