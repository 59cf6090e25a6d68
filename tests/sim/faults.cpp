#include "faults.h"

#include <string>
#include <vector>

#include "describe.h"

namespace inkmesh::sim {

Faults::Faults(World& world, Random random)
    : world_(world), options_(world.options()), random_(random), backups_(world.size()) {
  repeat(options_.crash_every_us, &Faults::crash);
  repeat(options_.damage_every_us, &Faults::damage);
  repeat(options_.client_cut_every_us, &Faults::cut_client);
  repeat(options_.pause_every_us, &Faults::pause);
  repeat(options_.full_every_us, &Faults::fill_store);
  repeat(options_.refuse_every_us, &Faults::refuse_write);
  repeat(options_.clock_jump_every_us, &Faults::jump_clock);
  repeat(options_.backup_every_us, &Faults::back_up);
  for (NodeIndex node = 0; node < world_.size(); ++node) {
    const auto skew = static_cast<std::uint64_t>(options_.clock_skew_ms_max);
    world_.node(node).set_clock_offset(static_cast<std::int64_t>(random_.below(2 * skew + 1)) -
                                       options_.clock_skew_ms_max);
    world_.node(node).on_crash = [this, node] { restart_later(node); };
  }
  if (world_.size() < 2) return;
  repeat(options_.partition_every_us, &Faults::partition);
  repeat(options_.one_way_every_us, &Faults::cut_one_way);
  repeat(options_.reset_every_us, &Faults::reset);
  repeat(options_.choke_every_us, &Faults::choke);
}

void Faults::repeat(SimUs every_us, Fault fault) {
  if (every_us == 0) return;
  world_.agenda().after(random_.between(1, 2 * every_us), [this, every_us, fault] {
    if (over_) return;
    (this->*fault)();
    repeat(every_us, fault);
  });
}

NodeIndex Faults::any_node() {
  return static_cast<NodeIndex>(random_.below(world_.size()));
}

// ---- nodes
// ------------------------------------------------------------------------------------------------------------

void Faults::crash() {
  SimNode& node = world_.node(any_node());
  if (!node.up()) return;
  switch (random_.below(4)) {
    case 0:
      node.crash_at_commit();
      break;
    case 1:
      node.crash_after_effects(random_.below(30));
      break;
    default:
      node.crash(random_.chance(300));
  }
}

void Faults::restart_later(NodeIndex index) {
  SimUs down_us = random_.chance(500) ? random_.below(200'000) : random_.below(options_.down_us_max);
  const bool loses = !over_ && random_.chance(options_.disk_loss_per_mille) && world_.checker().expendable(index);
  if (loses) {
    world_.lose_disk(index);
    if (backups_[index] && random_.chance(750)) world_.restore(index, *backups_[index]);
  }
  if (options_.swap_per_mille != 0) {
    down_us = loses ? random_.below(400'000) : random_.between(1'000'000, options_.down_us_max);
  }
  world_.agenda().after(down_us, [this, index] {
    if (!over_) world_.node(index).start();
  });
  if (!loses || options_.swap_per_mille == 0 || !random_.chance(options_.swap_per_mille)) return;
  world_.agenda().after(down_us + random_.between(200'000, 1'500'000), [this, index] { swap(index); });
}

void Faults::swap(NodeIndex refilled) {
  std::vector<NodeIndex> up;
  std::vector<NodeIndex> down;
  for (NodeIndex node = 0; node < world_.size(); ++node) {
    if (node != refilled) (world_.node(node).up() ? up : down).push_back(node);
  }
  if (over_ || up.empty() || down.empty()) return;
  const NodeIndex back = random_.pick(down);
  world_.node(random_.pick(up)).crash(false);
  world_.node(back).start();
}

void Faults::pause() {
  const NodeIndex node = any_node();
  const SimUs pause_us = random_.between(10'000, options_.pause_us_max);
  world_.note(world_.node(node).id() + " stands still for " + std::to_string(pause_us / 1000) + " ms");
  world_.node(node).pause(world_.now() + pause_us);
}

void Faults::jump_clock() {
  const NodeIndex node = any_node();
  // Mostly bearable; at times past the minute that a node may be off.
  const std::int64_t bound_ms = random_.chance(200) ? 90'000 : 5'000;
  constexpr std::int64_t year_ms = std::int64_t{365} * 86'400'000;
  const bool far = random_.chance(50);
  const std::int64_t offset_ms =
      far ? year_ms : static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(2 * bound_ms))) - bound_ms;
  world_.note(world_.node(node).id() + "'s clock jumps to " + std::to_string(offset_ms) + " ms");
  world_.node(node).set_clock_offset(offset_ms);
}

// ---- disks
// ------------------------------------------------------------------------------------------------------------

void Faults::fill_store() {
  const NodeIndex node = any_node();
  store::MemoryStore& store = world_.node(node).store();
  const std::uint64_t used = store.usage().used_bytes;
  store.set_map_bytes(used + random_.below(used / 5 + 1000));
  world_.note(world_.node(node).id() + "'s store is nearly full");
  world_.node(node).check_fill();
  world_.agenda().after(random_.between(100'000, 2'000'000), [this, node] {
    world_.node(node).store().set_map_bytes(UINT64_MAX);
    world_.node(node).check_fill();
  });
}

void Faults::back_up() {
  const NodeIndex node = any_node();
  world_.note(world_.node(node).id() + "'s store is copied");
  backups_[node] = world_.node(node).store().backup();
}

void Faults::refuse_write() {
  const NodeIndex node = any_node();
  world_.note(world_.node(node).id() + "'s next write is refused");
  world_.node(node).store().refuse_next(store::WriteResult::full, static_cast<unsigned>(random_.between(1, 3)));
}

void Faults::damage() {
  const NodeIndex node = any_node();
  std::vector<StoredHead> heads = world_.node(node).store().heads();
  if (heads.empty()) return;
  const StoredHead& head = random_.pick(heads);
  const Seq seq = random_.between(1, head.seq);
  if (!world_.checker().elsewhere(node, head.channel, head.origin, seq)) return;
  world_.note(world_.node(node).id() + "'s record of " + head.channel + " " + head.origin + ":" + std::to_string(seq) +
              " is damaged");
  world_.node(node).store().damage(head.channel, head.origin, seq);
}

// ---- links
// ------------------------------------------------------------------------------------------------------------

void Faults::partition() {
  std::vector<bool> side(world_.size());
  for (std::size_t i = 0; i < side.size(); ++i)
    side[i] = random_.chance(500);
  std::string text = "partition:";
  for (NodeIndex from = 0; from < side.size(); ++from) {
    if (side[from]) text += " " + world_.node(from).id();
    for (NodeIndex to = 0; to < side.size(); ++to) {
      if (side[from] != side[to]) world_.network().cut(from, to);
    }
  }
  world_.note(text);
  world_.agenda().after(random_.between(20'000, options_.cut_us_max), [this, side] {
    if (over_) return;
    world_.note("partition heals");
    for (NodeIndex from = 0; from < side.size(); ++from) {
      for (NodeIndex to = 0; to < side.size(); ++to) {
        if (side[from] != side[to]) world_.network().heal(from, to);
      }
    }
  });
}

void Faults::cut_one_way() {
  const NodeIndex from = any_node();
  const auto to = static_cast<NodeIndex>((from + 1 + random_.below(world_.size() - 1)) % world_.size());
  world_.note("cut " + world_.node(from).id() + " to " + world_.node(to).id());
  world_.network().cut(from, to);
  world_.agenda().after(random_.between(20'000, options_.cut_us_max), [this, from, to] {
    if (over_) return;
    world_.note("heal " + world_.node(from).id() + " to " + world_.node(to).id());
    world_.network().heal(from, to);
  });
}

void Faults::reset() {
  const NodeIndex from = any_node();
  const auto to = static_cast<NodeIndex>((from + 1 + random_.below(world_.size() - 1)) % world_.size());
  world_.note("reset " + world_.node(from).id() + " to " + world_.node(to).id());
  world_.network().reset(from, to);
}

void Faults::choke() {
  const NodeIndex from = any_node();
  const auto to = static_cast<NodeIndex>((from + 1 + random_.below(world_.size() - 1)) % world_.size());
  world_.note("full queue " + world_.node(from).id() + " to " + world_.node(to).id());
  world_.network().choke(from, to);
}

// ---- clients
// ----------------------------------------------------------------------------------------------------------

void Faults::cut_client() {
  if (world_.clients().empty()) return;
  random_.pick(world_.clients())->reconnect();
}

// ---- the end
// ----------------------------------------------------------------------------------------------------------

void Faults::lose_one_for_good() {
  const NodeIndex first = any_node();
  for (NodeIndex i = 0; i < world_.size(); ++i) {
    const auto node = static_cast<NodeIndex>((first + i) % world_.size());
    if (!world_.checker().expendable(node)) continue;
    world_.node(node).on_crash = nullptr;
    world_.node(node).crash(true);
    world_.lose_disk(node);
    for (NodeIndex other = 0; other < world_.size(); ++other) {
      if (other != node) world_.node(other).start();
    }
    return;
  }
}

void Faults::end() {
  over_ = true;
  world_.note("all faults end");
  world_.network().heal_all();
  world_.network().set_gossip_loss(0);
  for (NodeIndex node = 0; node < world_.size(); ++node) {
    world_.node(node).set_clock_offset(0);
    world_.node(node).store().refuse_next(store::WriteResult::full, 0);
    world_.node(node).store().set_map_bytes(UINT64_MAX);
    world_.node(node).check_fill();
  }
  if (options_.lose_one_for_good && world_.size() > 1) lose_one_for_good();
  const bool lost = options_.lose_one_for_good;
  for (NodeIndex node = 0; node < world_.size(); ++node) {
    SimNode& each = world_.node(node);
    const bool gone = lost && !each.on_crash;
    if (!gone) each.start();

    each.disarm();
    each.on_crash = [this, node, gone] {
      if (!gone) world_.agenda().after(10'000, [this, node] { world_.node(node).start(); });
    };
  }
}

}  // namespace inkmesh::sim
