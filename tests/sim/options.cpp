#include "options.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "random.h"

namespace inkmesh::sim {
namespace {

constexpr std::uint64_t kLimitsStream = 0x6c696d6974730000;
constexpr std::uint64_t kSwapsStream = 0x7377617073000001;
constexpr unsigned kManyNodes = 20;
constexpr std::uint64_t kCopiesStream = 0x636f706965730001;

/// A fault's mean interval: often none, else somewhere between frequent and rare.
SimUs draw_every(Random& random, unsigned per_mille) {
  if (!random.chance(per_mille)) return 0;
  return random.between(300, 3000) * 1000;
}

void draw_shape(Random& random, Options& options, const Asked& asked) {
  const std::vector<unsigned> sizes{1, 2, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7, 9};
  options.nodes = asked.nodes != 0 ? asked.nodes : random.pick(sizes);
  options.replicas = static_cast<unsigned>(random.pick(std::vector<unsigned>{0, 1, 2, 2, 2, 2, 3, 3}));
  const unsigned ack_max = std::min(std::max(options.replicas, 1U), options.nodes);
  options.ack = random.chance(700) ? ack_max : static_cast<unsigned>(random.between(1, ack_max));
  options.durability = random.chance(250) ? Durability::async : Durability::sync;
  options.commit_interval_us = random.between(10, 150) * 1000;
  options.channels = static_cast<unsigned>(random.between(1, 4));
  const auto drawn_clients = static_cast<unsigned>(random.between(2, 3 + 2 * options.nodes));
  options.clients = asked.clients != 0 ? asked.clients : drawn_clients;
  const auto drawn_ops = static_cast<unsigned>(random.between(20, 200));
  options.ops = asked.ops != 0 ? asked.ops : drawn_ops;
  options.data_bytes_max = random.chance(100) ? 4000 : 40;
  // Some strokes fit into the smallest window: one alone would take a slow reader a whole read's time.
  const std::size_t small_bytes = std::size_t{options.data_bytes_max > 1000 ? 64U : 4U} << 10U;
  options.outbox_bytes = random.chance(300) ? small_bytes : std::size_t{1} << 20U;
  options.faults_us = random.between(2, random.chance(200) ? 20 : 8) * 1'000'000;
}

void draw_machine(Random& random, Options& options) {
  options.link_us_min = random.between(20, 500);
  options.link_us_max = options.link_us_min + random.pick(std::vector<SimUs>{100, 2000, 20'000, 80'000});
  options.commit_us_max = options.commit_us_min + random.pick(std::vector<SimUs>{500, 3000, 20'000});
  options.slow_commit_per_mille = random.chance(200) ? 20 : 0;
  options.read_us_max = random.pick(std::vector<SimUs>{200, 1000, 20'000});
  options.appends_per_commit_max = static_cast<unsigned>(random.pick(std::vector<SimUs>{1, 3, 64}));
  // One append in each interval is slower than the slowest disk: what it is given would take minutes to store.
  if (options.durability == Durability::async)
    options.appends_per_commit_max = std::max(options.appends_per_commit_max, 8U);
  options.events_per_turn_max = static_cast<unsigned>(random.pick(std::vector<SimUs>{1, 4, 64}));
  options.turn_us_max = random.pick(std::vector<SimUs>{20, 200, 5000});
  options.detect_us_max = random.pick(std::vector<SimUs>{200'000, 2'000'000});
  options.reconnect_us_max = random.pick(std::vector<SimUs>{50'000, 500'000});
}

void draw_faults(Random& random, Options& options) {
  options.gossip_loss_per_mille = random.chance(300) ? static_cast<unsigned>(random.between(10, 400)) : 0;
  options.crash_every_us = draw_every(random, 550);
  options.down_us_max = random.pick(std::vector<SimUs>{3'000'000, 8'000'000});
  options.disk_loss_per_mille = random.chance(450) ? 500 : 0;
  options.lose_one_for_good = options.nodes > options.ack && random.chance(120);
  options.partition_every_us = draw_every(random, 350);
  options.one_way_every_us = draw_every(random, 250);
  options.cut_us_max = random.pick(std::vector<SimUs>{500'000, 4'000'000});
  options.reset_every_us = draw_every(random, 350);
  options.choke_every_us = draw_every(random, 200);
  options.pause_every_us = draw_every(random, 250);
  options.client_cut_every_us = draw_every(random, 500);
  options.slow_readers = random.chance(300) ? options.clients / 3 : 0;
  // However much is drawn, a slow reader can be done with it in a few seconds.
  options.slow_us_per_kib = options.slow_us_per_kib * 200 / std::max(options.ops, 200U);
  options.full_every_us = draw_every(random, 150);
  options.refuse_every_us = draw_every(random, 150);
  options.damage_every_us = draw_every(random, 150);
  options.clock_skew_ms_max = random.chance(400) ? 5000 : 0;
  options.clock_jump_every_us = draw_every(random, 150);
  options.backup_every_us = options.disk_loss_per_mille != 0 ? draw_every(random, 800) : 0;
  const bool spare = options.nodes > std::max(options.ack, 1U) && !options.lose_one_for_good;
  if (spare && random.chance(250)) options.list_change = random.chance(500) ? ListChange::join : ListChange::leave;
}

/// A small cluster over a longer time, in which machines are away for long, lose their disks, join and leave: what one
/// loss leaves in a single copy shows only when the next one comes.
void draw_long_absences(Random& random, Options& options, unsigned nodes) {
  if (nodes == 0) options.nodes = static_cast<unsigned>(random.between(3, 4));
  options.replicas = 2;
  options.ack = 2;
  options.faults_us = random.between(15, 30) * 1'000'000;
  options.crash_every_us = random.between(1500, 3000) * 1000;
  options.down_us_max = 12'000'000;
  options.disk_loss_per_mille = 500;
  options.lose_one_for_good = false;
  options.list_change = random.pick(std::vector<ListChange>{ListChange::none, ListChange::join, ListChange::leave});
  options.partition_every_us = options.one_way_every_us = options.pause_every_us = 0;
  options.full_every_us = options.refuse_every_us = 0;
}

/// While a lost disk is refilled another machine goes, and one that was away for long comes back. Few draw, and go
/// elsewhere only when they must: nobody has the drawings open where the disk is refilled. Who has seen a stroke never
/// misses it: others must look.
void draw_swaps(Random& random, Options& options, unsigned nodes) {
  draw_long_absences(random, options, nodes);
  if (nodes == 0) options.nodes = 3;
  options.swap_per_mille = 900;
  options.disk_loss_per_mille = 600;
  options.list_change = ListChange::none;
  options.backup_every_us = options.clock_jump_every_us = options.client_cut_every_us = 0;
  options.clients = std::min(options.clients, 3U);
  options.channels = std::max(options.channels, 3U);
  options.pages = static_cast<unsigned>(options.faults_us / 500_ms);
}

/// `replicas` and `ack` become others while nodes run. Drawn apart from all else: what other seeds do is not changed.
void draw_copies(Random random, Options& options) {
  const bool other = options.list_change != ListChange::none || options.swap_per_mille != 0;
  if (other || options.lose_one_for_good || options.nodes < 2 || !random.chance(200)) return;
  options.list_change = ListChange::copies;
  options.next_replicas = static_cast<unsigned>(random.below(4));
  const unsigned ack_max = std::min(std::max(options.next_replicas, 1U), options.nodes);
  options.next_ack = static_cast<unsigned>(random.between(1, ack_max));
}

/// Bounds that a few clients fill. Drawn apart from all else: what a seed does otherwise is not changed by it.
void draw_limits(Random random, CoreLimits& limits) {
  const auto draw = [&random](auto& limit, std::uint64_t from, std::uint64_t to) {
    const std::uint64_t small = random.between(from, to);
    if (random.chance(500)) limit = small;
  };
  draw(limits.authors_waiting, 2, 12);
  draw(limits.retries_held, 6, 12);
  draw(limits.pulls, 1, 4);
  draw(limits.pulls_of_channel, 1, 3);
  draw(limits.pulls_waiting, 1, 4);
  draw(limits.hints_of_peer, 0, 2);
  draw(limits.damaged_records, 1, 2);
  draw(limits.pages_asked, 1, 3);
  draw(limits.window_bytes, 300, 3000);
  // Publishes are refused first.
  draw(limits.publish_bytes, 2000, 6000);
  draw(limits.run_bytes, 2 * limits.publish_bytes, 4 * limits.publish_bytes);
}

/// Machines that are well, in a mesh that falls apart now and then.
void draw_partitions(Random& random, Options& options, const Asked& asked) {
  if (asked.nodes == 0) options.nodes = static_cast<unsigned>(random.between(3, 9));
  options.replicas = static_cast<unsigned>(random.between(1, 3));
  options.ack = static_cast<unsigned>(random.between(1, options.replicas));
  options.faults_us = random.between(15, 25) * 1'000'000;
  const Options well;
  options.link_us_min = well.link_us_min;
  options.link_us_max = random.pick(std::vector<SimUs>{300, 2000, 20'000});
  options.commit_us_max = random.pick(std::vector<SimUs>{500, 3000, 20'000});
  options.commit_interval_us = std::min<SimUs>(options.commit_interval_us, 50_ms);
  options.slow_commit_per_mille = 0;
  options.read_us_max = well.read_us_max;
  options.appends_per_commit_max = well.appends_per_commit_max;
  options.events_per_turn_max = well.events_per_turn_max;
  options.turn_us_max = well.turn_us_max;
  options.detect_us_max = random.pick(std::vector<SimUs>{200'000, 2'000'000, 20'000'000});
  options.gossip_loss_per_mille = 0;
  options.crash_every_us = random.chance(300) ? random.between(4, 8) * 1'000'000 : 0;
  options.disk_loss_per_mille = options.swap_per_mille = 0;
  options.lose_one_for_good = false;
  options.partition_every_us = random.between(3, 6) * 1'000'000;
  options.one_way_every_us = random.chance(400) ? random.between(3, 6) * 1'000'000 : 0;
  options.reset_every_us = options.choke_every_us = options.pause_every_us = 0;
  options.full_every_us = options.refuse_every_us = options.damage_every_us = 0;
  options.clock_jump_every_us = options.backup_every_us = 0;
  options.list_change = ListChange::none;
}

}  // namespace

Options draw_options(std::uint64_t seed, const Asked& asked) {
  Random random(seed);
  Options options;
  options.seed = seed;
  draw_shape(random, options, asked);
  draw_machine(random, options);
  draw_faults(random, options);
  if (random.chance(150) && (asked.nodes == 0 || asked.nodes >= 3)) draw_long_absences(random, options, asked.nodes);
  // Drawn apart from all else: what other seeds do is not changed by it.
  Random swaps(seed ^ kSwapsStream);
  const bool swap = swaps.chance(80) && asked.clients == 0;  // it needs few clients
  if (swap && (asked.nodes == 0 || asked.nodes >= 3)) draw_swaps(swaps, options, asked.nodes);
  if (asked.partitions) draw_partitions(random, options, asked);
  if (!asked.partitions) draw_copies(Random(seed ^ kCopiesStream), options);
  Random limits(seed ^ kLimitsStream);
  if (limits.chance(250)) {
    draw_limits(limits, options.limits);
    // Whoever has to come again for want of room takes his time.
    options.converge_us *= 2;
  }
  // Each node hands over to every other one, where all of them begin anew under another list.
  if (options.nodes > kManyNodes) options.converge_us *= 2;
  // A disk that is behind after a few strokes, or a link that is full of them, is a slow one, however quick it is:
  // nobody who needs it is owed an answer.
  const bool slow =
      options.limits.run_bytes < CoreLimits{}.run_bytes || options.limits.window_bytes < CoreLimits{}.window_bytes;
  if (slow) options.ack_us = 0;
  // Each client's socket reports what it has written: a node that takes them one a turn would fall ever further behind.
  options.events_per_turn_max = std::max(options.events_per_turn_max, 2 * asked.clients / options.nodes);
  const bool links_break = options.crash_every_us + options.partition_every_us + options.one_way_every_us +
                                   options.reset_every_us + options.choke_every_us + options.pause_every_us !=
                               0 ||
                           options.list_change != ListChange::none;
  // In up to nine nodes everyone is asked, and who does not answer shows a partition at once.
  const SimUs noticed_us = options.nodes <= 9 ? 1_s : 3_s;
  options.complete_grace_us = links_break ? noticed_us : 1_s;
  return options;
}

Options calm(unsigned nodes, unsigned replicas, unsigned ack) {
  Options options;
  options.seed = 7;
  options.nodes = nodes;
  options.replicas = replicas;
  options.ack = ack;
  options.link_us_max = 300;
  options.client_us_max = 300;
  options.commit_us_max = 500;
  options.read_us_max = 300;
  options.reconnect_us_max = 50_ms;
  options.complete_grace_us = 100_ms;
  return options;
}

namespace {

template <typename Visit>
void for_each_limit(Visit visit) {
  visit("authors", &CoreLimits::authors_waiting);
  visit("retries", &CoreLimits::retries_held);
  visit("pulls", &CoreLimits::pulls);
  visit("pulls-of-channel", &CoreLimits::pulls_of_channel);
  visit("pulls-waiting", &CoreLimits::pulls_waiting);
  visit("hints", &CoreLimits::hints_of_peer);
  visit("damaged-records", &CoreLimits::damaged_records);
  visit("pages", &CoreLimits::pages_asked);
  visit("window-bytes", &CoreLimits::window_bytes);
  visit("publish-bytes", &CoreLimits::publish_bytes);
  visit("run-bytes", &CoreLimits::run_bytes);
}

}  // namespace

std::string describe(const Options& options) {
  std::ostringstream out;
  out << "seed " << options.seed << ": " << options.nodes << " nodes, replicas " << options.replicas << ", ack "
      << options.ack << (options.durability == Durability::async ? ", async" : ", sync") << ", " << options.clients
      << " clients, " << options.channels << " channels, " << options.ops << " ops in " << options.faults_us / 1000
      << " ms;";
  const auto every = [&out](const char* name, SimUs us) {
    if (us != 0) out << ' ' << name << '/' << us / 1000 << "ms";
  };
  every("crash", options.crash_every_us);
  every("partition", options.partition_every_us);
  every("one-way", options.one_way_every_us);
  every("reset", options.reset_every_us);
  every("choke", options.choke_every_us);
  every("pause", options.pause_every_us);
  every("client-cut", options.client_cut_every_us);
  every("full", options.full_every_us);
  every("refuse", options.refuse_every_us);
  every("damage", options.damage_every_us);
  every("clock-jump", options.clock_jump_every_us);
  every("backup", options.backup_every_us);
  if (options.list_change == ListChange::join) out << " node-joins";
  if (options.list_change == ListChange::leave) out << " node-leaves";
  if (options.list_change == ListChange::copies) {
    out << " becomes replicas " << options.next_replicas << ", ack " << options.next_ack;
  }
  if (options.disk_loss_per_mille != 0) out << " disk-loss";
  if (options.swap_per_mille != 0) out << " swap-while-refilling";
  if (options.lose_one_for_good) out << " lose-for-good";
  if (options.gossip_loss_per_mille != 0) out << " gossip-loss " << options.gossip_loss_per_mille << "/1000";
  if (options.slow_readers != 0) out << " slow-readers " << options.slow_readers;
  if (options.clock_skew_ms_max != 0) out << " skew " << options.clock_skew_ms_max << "ms";
  for_each_limit([&](const char* name, auto limit) {
    if (options.limits.*limit != CoreLimits{}.*limit) out << " at-most " << options.limits.*limit << ' ' << name;
  });
  return out.str();
}

std::vector<Options> simpler(const Options& options) {
  std::vector<Options> all;
  const auto add = [&](auto change) {
    Options next = options;
    change(next);
    all.push_back(next);
  };
  const auto drop = [&](auto member) {
    if (options.*member != 0) add([member](Options& next) { next.*member = 0; });
  };
  constexpr std::array<SimUs Options::*, 12> faults{
      &Options::crash_every_us,      &Options::partition_every_us,  &Options::one_way_every_us,
      &Options::reset_every_us,      &Options::choke_every_us,      &Options::pause_every_us,
      &Options::client_cut_every_us, &Options::full_every_us,       &Options::refuse_every_us,
      &Options::damage_every_us,     &Options::clock_jump_every_us, &Options::backup_every_us};
  const auto happens = [&](const auto every) { return options.*every != 0; };
  if (std::count_if(faults.begin(), faults.end(), happens) > 1) {
    add([&](Options& next) {
      for (const auto every : faults)
        next.*every = 0;
    });
  }
  for (const auto every : faults)
    drop(every);
  for (const auto rate : {&Options::disk_loss_per_mille, &Options::swap_per_mille, &Options::gossip_loss_per_mille,
                          &Options::slow_readers, &Options::slow_commit_per_mille}) {
    drop(rate);
  }
  drop(&Options::clock_skew_ms_max);
  if (options.list_change != ListChange::none) add([](Options& next) { next.list_change = ListChange::none; });
  if (options.lose_one_for_good) add([](Options& next) { next.lose_one_for_good = false; });
  if (options.durability == Durability::async) add([](Options& next) { next.durability = Durability::sync; });
  for_each_limit([&](const char*, auto limit) {
    if (options.limits.*limit == CoreLimits{}.*limit) return;
    add([limit](Options& next) { next.limits.*limit = CoreLimits{}.*limit; });
  });
  if (options.channels > 1) add([](Options& next) { --next.channels; });
  if (options.clients > 1) add([](Options& next) { next.clients -= (next.clients + 3) / 4; });
  if (options.clients > 2) add([](Options& next) { --next.clients; });
  if (options.pages > 1) add([](Options& next) { next.pages /= 2; });
  if (options.ops > 1) add([](Options& next) { next.ops /= 2; });
  if (options.ops > 1) add([](Options& next) { next.ops -= (next.ops + 7) / 8; });
  if (options.faults_us > 4_s) add([](Options& next) { next.faults_us /= 2; });
  if (options.faults_us > 1_s) add([](Options& next) { next.faults_us -= next.faults_us / 4; });
  const unsigned ack_most = std::max(options.ack, options.list_change == ListChange::copies ? options.next_ack : 0U);
  if (options.nodes > 2 && options.nodes - 1 > ack_most) add([](Options& next) { --next.nodes; });
  if (options.turn_us_max > 20) add([](Options& next) { next.turn_us_max = 20; });
  if (options.data_bytes_max > 40) add([](Options& next) { next.data_bytes_max = 40; });
  return all;
}

}  // namespace inkmesh::sim
