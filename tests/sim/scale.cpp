#include "scale.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/cluster_map.h"
#include "heap.h"
#include "inkmesh/stroke.h"
#include "scale_meter.h"
#include "wire/mesh_codec.h"
#include "world.h"

namespace inkmesh::sim {
namespace {

/// One person at each node, who draws, and turns from one drawing to another.
class Load {
 public:
  Load(World& world, const ScaleOptions& options, Meter& meter)
      : world_(world), options_(options), meter_(meter), random_(world.random().split()), open_(world.size()) {
    const unsigned shared = options.nodes * options.channels / options.nodes_per_channel;
    // In a small cluster too there is something to turn to.
    for (unsigned i = 0; i < std::max(shared, options.channels * 3 / 2); ++i)
      channels_.push_back("drawing_" + std::to_string(i + 1));
  }

  void begin(SimUs within) {
    for (NodeIndex node = 0; node < world_.size(); ++node)
      world_.agenda().after(random_.below(within), [this, node] { come(node); });
  }
  void end() {
    ended_ = true;
  }

 private:
  void come(NodeIndex node) {
    SimClient& client = world_.client("c" + std::to_string(node + 1), node);
    client.set_stay(true);
    client.on_hear = [this, node](const Effect& effect) {
      if (const auto* live = std::get_if<SendLive>(&effect)) meter_.heard(node, *live);
    };
    while (open_[node].size() < options_.channels)
      open_another(node, client);
    every(options_.turnover_per_s, [this, node, &client] { turn(node, client); });
    every(options_.strokes_per_s, [this, node, &client] { client.publish(random_.pick(open_[node]), kDataBytes); });
  }

  void open_another(NodeIndex node, SimClient& client) {
    std::vector<Channel>& open = open_[node];
    const Channel* channel = nullptr;
    do {
      channel = &random_.pick(channels_);
    } while (std::find(open.begin(), open.end(), *channel) != open.end());
    open.push_back(*channel);
    meter_.asked(node, *channel);
    client.subscribe(*channel);
  }

  void turn(NodeIndex node, SimClient& client) {
    std::vector<Channel>& open = open_[node];
    std::swap(open[random_.below(open.size())], open.back());
    meter_.given_up(node, open.back());
    client.unsubscribe(open.back());
    const Channel closed = std::move(open.back());
    open.pop_back();
    open_another(node, client);
  }

  /// So often, evenly spread by half.
  template <typename Action>
  void every(double per_s, Action action) {
    if (per_s <= 0) return;
    const auto mean_us = static_cast<SimUs>(1e6 / per_s);
    world_.agenda().after(random_.between(mean_us / 2, mean_us + mean_us / 2), [this, per_s, action] {
      if (ended_) return;
      action();
      every(per_s, action);
    });
  }

  World& world_;
  const ScaleOptions& options_;
  Meter& meter_;
  Random random_;
  std::vector<Channel> channels_;
  std::vector<std::vector<Channel>> open_;
  bool ended_ = false;
};

Options options_of(const ScaleOptions& scale) {
  const unsigned ack = std::max(1U, std::min({scale.replicas, scale.nodes, 2U}));
  Options options = calm(scale.nodes, scale.replicas, ack);
  options.seed = scale.seed;
  options.gossip_loss_per_mille = scale.gossip_loss_per_mille;
  options.turn_us_max = kTurnUsMax;
  options.events_per_turn_max = 100'000;
  options.complete_grace_us = 1_s;
  return options;
}

/// As a node leaves its store that has compared itself with all others.
void make_whole(World& world) {
  std::vector<NodeId> ids;
  for (NodeIndex node = 0; node < world.size(); ++node)
    ids.push_back(world.node(node).id());
  const core::ClusterMap cluster(ids, ids.front(), world.options().replicas, world.options().ack);
  for (NodeIndex node = 0; node < world.size(); ++node)
    world.node(node).store().note(Note{kWholeNote, std::to_string(cluster.generation())});
}

double memory_kib(World& world) {
  std::int64_t bytes = 0;
  for (NodeIndex node = 0; node < world.size(); ++node) {
    std::unique_ptr<Core> core = world.node(node).take_core();
    const std::int64_t before = heap_bytes();
    core.reset();
    bytes += before - heap_bytes();
  }
  return static_cast<double>(bytes) / 1024 / static_cast<double>(world.size());
}

}  // namespace

ScaleFigures measure_scale(const ScaleOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  World world(options_of(options));
  Meter meter(world);
  Load load(world, options, meter);
  if (!options.first_start) make_whole(world);
  world.start();
  world.run_until(options.warm_us / 2);
  load.begin(options.warm_us / 4);
  world.run_until(options.warm_us);
  meter.begin_window();
  world.run_for(options.window_us);
  meter.end_window();
  load.end();
  world.run_for(kQuietUs);
  meter.sum_up();
  ScaleFigures figures = meter.figures;
  for (const auto& client : world.clients())
    figures.unacknowledged += client->outbox();
  if (const auto& violation = world.checker().first_violation()) {
    figures.broken = violation->channel + ": " + violation->text;
  }
  figures.events = world.agenda().steps();
  figures.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  figures.memory_kib = memory_kib(world);
  return figures;
}

}  // namespace inkmesh::sim
