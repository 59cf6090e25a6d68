#include "list_change.h"

#include <string>
#include <utility>

namespace inkmesh::sim {

RollingChange::RollingChange(World& world, Random random) : world_(world), random_(random) {
  const ListChange change = world_.options().list_change;
  if (change == ListChange::none) return;
  if (change == ListChange::copies) {
    for (NodeIndex node = 0; node < world_.size(); ++node)
      waiting_.push_back(node);
  } else {
    choose_subject(change == ListChange::join);
  }
  const SimUs span = world_.options().faults_us;
  world_.agenda().at(random_.between(span / 8, span / 2), [this] { begin(); });
}

void RollingChange::choose_subject(bool joins) {
  const NodeIndex subject =
      joins ? static_cast<NodeIndex>(world_.size() - 1) : static_cast<NodeIndex>(random_.below(world_.size()));
  std::vector<NodeId> all;
  std::vector<NodeId> without;
  for (NodeIndex node = 0; node < world_.size(); ++node) {
    all.push_back(world_.node(node).id());
    if (node != subject) without.push_back(all.back());
    if (node != subject || joins) waiting_.push_back(node);
  }
  for (NodeIndex node = 0; node < world_.size(); ++node)
    world_.node(node).set_list(joins ? without : all);
  world_.node(subject).set_absent(joins);
  list_ = joins ? all : without;
  subject_ = subject;
}

void RollingChange::begin() {
  if (over_) return;
  const Options& options = world_.options();
  if (options.list_change == ListChange::leave) return remove();
  if (subject_) {
    world_.note(world_.node(*subject_).id() + " is to join");
  } else {
    world_.note("replicas and ack are to be " + std::to_string(options.next_replicas) + " and " +
                std::to_string(options.next_ack));
  }
  begun_ = true;
  roll();
}

void RollingChange::remove() {
  if (over_) return;
  const NodeIndex subject = *subject_;
  if (!world_.checker().expendable(subject)) {
    world_.agenda().after(50'000, [this] { remove(); });
    return;
  }
  world_.note(world_.node(subject).id() + " leaves for good");
  begun_ = true;
  world_.node(subject).set_absent(true);
  world_.node(subject).crash(false);
  world_.lose_disk(subject);
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
  const Options& options = world_.options();
  if (subject_) {
    each.set_list(list_);
  } else {
    each.set_copies(options.next_replicas, options.next_ack);
  }
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
