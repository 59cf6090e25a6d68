// What a run is: drawn from its seed, so that some runs are all partitions and others all full disks (swarm testing:
// Groce et al., 2012). A fault whose `every` is 0 does not happen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agenda.h"
#include "inkmesh/config.h"
#include "inkmesh/core.h"

namespace inkmesh::sim {

/// What of the cluster file changes while nodes run: its list of nodes, or `replicas` and `ack`.
enum class ListChange { none, join, leave, copies };

struct Options {
  std::uint64_t seed = 1;

  unsigned nodes = 3;
  unsigned replicas = 2;
  unsigned ack = 2;
  Durability durability = Durability::sync;
  SimUs commit_interval_us = 100_ms;  ///< with Durability::async

  unsigned channels = 1;
  unsigned clients = 3;
  unsigned ops = 100;  ///< publishes, over all clients
  unsigned pages = 0;  ///< histories that are read; 0: as many as there are clients
  unsigned data_bytes_max = 40;
  std::size_t outbox_bytes = std::size_t{1} << 20;
  unsigned slow_readers = 0;  ///< so many of the clients
  SimUs slow_us_per_kib = 20_ms;

  SimUs faults_us = 5_s;  ///< the first phase: clients work, faults happen
  /// What was acknowledged so shortly before a subscription began may still be on its way to a node that calls itself
  /// complete: links carry it, or their loss is noticed and the word withdrawn.
  SimUs complete_grace_us = 3_s;
  SimUs converge_us = 30_s;  ///< the second phase's bound: no faults, and all must come together
  SimUs prompt_us = 8_s;     ///< after that: a new stroke must be everywhere; a refused author waits up to 5 s

  /// How soon a node must answer a publish where AckWatch says so; 0: whenever. It and its helpers must have been well
  /// for `ack_calm_us` before.
  SimUs ack_us = 1_s;
  SimUs ack_calm_us = 2_s;

  // The machine.
  SimUs link_us_min = 100;
  SimUs link_us_max = 2_ms;
  SimUs client_us_max = 5_ms;
  SimUs commit_us_min = 200;
  SimUs commit_us_max = 3_ms;
  unsigned slow_commit_per_mille = 0;  ///< commits that take up to slow_commit_us
  SimUs slow_commit_us = 600_ms;
  SimUs read_us_max = 1_ms;
  unsigned appends_per_commit_max = 64;
  unsigned events_per_turn_max = 64;
  SimUs turn_us_max = 200;
  SimUs detect_us_max = 2_s;  ///< until a cut link is noticed
  SimUs reconnect_us_max = 500_ms;

  // Faults.
  unsigned gossip_loss_per_mille = 0;
  SimUs crash_every_us = 0;
  SimUs down_us_max = 3_s;
  unsigned disk_loss_per_mille = 0;  ///< of crashes, where the promises allow it
  /// Of refills of lost disks: soon after its start another machine goes, and one that was away is there instead.
  unsigned swap_per_mille = 0;
  bool lose_one_for_good = false;  ///< one machine does not come back in the second phase
  SimUs partition_every_us = 0;    ///< two groups that do not hear each other
  SimUs one_way_every_us = 0;      ///< one direction of one link
  SimUs cut_us_max = 4_s;
  SimUs reset_every_us = 0;  ///< a link loses what is under way
  SimUs choke_every_us = 0;  ///< a link's queue is full
  SimUs pause_every_us = 0;  ///< a node stands still
  SimUs pause_us_max = 1500_ms;
  SimUs client_cut_every_us = 0;  ///< a client loses its connection
  SimUs full_every_us = 0;        ///< a node's store is full for a while
  SimUs refuse_every_us = 0;      ///< a node's next write is refused as full
  SimUs damage_every_us = 0;      ///< a record that has an intact copy elsewhere is damaged
  std::int64_t clock_skew_ms_max = 0;
  SimUs clock_jump_every_us = 0;
  SimUs backup_every_us = 0;  ///< a node's store is copied; a lost disk may come back as it was then
  ListChange list_change = ListChange::none;
  unsigned next_replicas = 2;  ///< with ListChange::copies
  unsigned next_ack = 2;

  CoreLimits limits;  ///< small ones are full now and then
};

/// What is asked for whatever the seed; 0 leaves it to the seed.
struct Asked {
  unsigned nodes = 0;
  unsigned ops = 0;
  unsigned clients = 0;
  /// Quick machines, and links that are cut now and then, between long enough that nodes are well in the AckWatch's
  /// eyes.
  bool partitions = false;
};
Options draw_options(std::uint64_t seed, const Asked& asked = {});

/// A healthy, quick cluster: for scenes that bring their own faults.
Options calm(unsigned nodes, unsigned replicas, unsigned ack);

/// One line that names what the options are.
std::string describe(const Options& options);

/// Simpler runs than this one, each with one thing less: for making a failure's history short.
std::vector<Options> simpler(const Options& options);

}  // namespace inkmesh::sim
