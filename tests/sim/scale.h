// What a mesh of a given size costs each of its nodes: the shipped core under a steady load, in virtual time.
#pragma once

#include <cstdint>
#include <string>

#include "agenda.h"

namespace inkmesh::sim {

struct ScaleOptions {
  std::uint64_t seed = 1;
  unsigned nodes = 3;
  unsigned replicas = 2;
  unsigned gossip_loss_per_mille = 0;
  unsigned channels = 20;          ///< open at each node
  unsigned nodes_per_channel = 3;  ///< that have a channel open, on average
  double turnover_per_s = 1;       ///< each node closes a channel and opens another so often
  double strokes_per_s = 5;        ///< of each node
  bool first_start = false;   ///< all stores are new, and all nodes ask each other for all; else they were whole before
  SimUs warm_us = 4'000'000;  ///< from the start of all nodes; people come after half of it
  SimUs window_us = 10'000'000;
};

/// All rates are for a node and a second of virtual time, within the window.
struct ScaleFigures {
  double gossip_messages = 0;  ///< received
  double gossip_bytes = 0;     ///< received, as encoded
  double frames = 0;           ///< sent
  double link_bytes = 0;       ///< sent, as encoded
  double repair_messages = 0;  ///< of anti-entropy, sent: digests, replies, offers, questions whether all is there
  double pulls = 0;            ///< sent
  double turns = 0;
  double cpu_us = 0;        ///< of the core
  double start_cpu_ms = 0;  ///< of a node's core from its start to the window
  double ready_ms = 0;      ///< until the last node was ready
  double memory_kib = 0;    ///< of a node's core, at the end

  std::uint64_t openings = 0;
  /// From the opening of a channel until all nodes that have it open, and draw, would forward to the opener.
  double known_p50_ms = 0;
  double known_p99_ms = 0;
  /// From asking for a channel until its subscriber is live; and until it is told that the history is complete.
  double live_p50_ms = 0;
  double live_p99_ms = 0;
  double complete_p50_ms = 0;
  double complete_p99_ms = 0;

  std::uint64_t forwarded = 0;     ///< strokes sent from node to node
  std::uint64_t for_interest = 0;  ///< of these: the receiver had the channel open, or closed it moments before
  std::uint64_t for_copies = 0;    ///< of the others: the receiver is a home
  std::uint64_t for_nothing = 0;   ///< the rest

  std::uint64_t unacknowledged = 0;  ///< half a second after the last was drawn
  double wall_s = 0;                 ///< real time that the whole run took
  std::uint64_t events = 0;          ///< of the simulation, over the whole run
  std::string broken;                ///< the first promise that did not hold; empty: all held
};

ScaleFigures measure_scale(const ScaleOptions& options);

}  // namespace inkmesh::sim
