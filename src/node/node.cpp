#include "node/node.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "edge/ws_edge.h"
#include "inkmesh/core.h"
#include "mesh/mesh.h"
#include "node/config/config_values.h"
#include "node/files.h"
#include "node/inbox.h"
#include "node/logging.h"
#include "node/loop.h"
#include "node/process.h"
#include "node/stop_signals.h"
#include "node/version.h"
#include "store/committer.h"
#include "store/journaled_store.h"

namespace inkmesh::node {
namespace {

constexpr std::uint32_t kGoodbyeMs = 2'000;
/// Clients come back after a time of their own choosing in about this, not all at once.
constexpr std::uint32_t kRetryMinMs = 100;
constexpr std::uint32_t kRetryMaxMs = 500;

const NodeSettings& settings_of(const ClusterConfig& config, const NodeId& self) {
  const auto found =
      std::find_if(config.nodes.begin(), config.nodes.end(), [&](const NodeSettings& node) { return node.id == self; });
  if (found == config.nodes.end()) throw std::runtime_error("node '" + self + "' is not in the cluster file");
  return *found;
}

std::string store_path(const ClusterConfig& config, const NodeId& self) {
  constexpr std::string_view kPlaceholder = "{node}";
  std::string path = config.storage.path;
  for (std::size_t at = path.find(kPlaceholder); at != std::string::npos; at = path.find(kPlaceholder, at)) {
    path.replace(at, kPlaceholder.size(), self);
    at += self.size();
  }
  return path;
}

CoreSettings core_settings(const ClusterConfig& config, const NodeId& self) {
  CoreSettings settings;
  settings.self = self;
  settings.epoch = epoch_from_bits(random_bits());
  for (const NodeSettings& node : config.nodes)
    settings.nodes.push_back(node.id);
  settings.replicas = config.replicas;
  settings.ack = config.ack;
  settings.durability = config.storage.durability;
  settings.channels_per_connection = config.limits.channels_per_connection;
  settings.outbox_bytes = config.limits.outbox_bytes;
  settings.seed = random_bits();
  return settings;
}

LimitSettings checked_limits(const ClusterConfig& config) {
  const std::uint64_t descriptors = raise_descriptor_limit();
  const auto limits = limits_within(descriptors, config.limits, config.nodes.size());
  const std::string needed = std::to_string(descriptors_needed(config.limits, config.nodes.size()));
  const std::string how =
      "LimitNOFILE=" + needed + " in the systemd unit, or ulimit -n " + needed + " before the start";
  if (!limits) {
    throw std::runtime_error("the limit of file descriptors is " + std::to_string(descriptors) +
                             ", too few for a node; the cluster file's limits take " + needed + ": " + how);
  }
  if (limits->connections < config.limits.connections) {
    log(Severity::warning,
        "fewer connections than limits.connections: those take " + needed + " file descriptors (" + how +
            "; or lower limits.connections)",
        {{"descriptors", descriptors}, {"wanted", config.limits.connections}, {"connections", limits->connections}});
  }
  return *limits;
}

unsigned edge_threads(unsigned wanted) {
  if (wanted != 0) return std::min(wanted, 64U);
  // The loop and the store have a thread each, and are as busy. Where cores are few, handing over costs more than it
  // gains: the loop serves the clients as well.
  const unsigned suits = std::min(std::thread::hardware_concurrency() / 2, 64U);
  return suits < 2 ? 0 : suits;
}

edge::EdgeSettings edge_settings(const ClusterConfig& config, const NodeSettings& self, const RunOptions& options) {
  edge::EdgeSettings settings;
  settings.node = self.id;
  settings.listen = self.client.listen;
  settings.shards = edge_threads(options.threads);
  settings.limits = checked_limits(config);
  settings.trusted_proxies = config.trusted_proxies;
  return settings;
}

void tell_ready(int fd) {
  if (fd < 0) return;
  constexpr std::string_view kReady = "ready\n";
  while (write(fd, kReady.data(), kReady.size()) < 0 && errno == EINTR) {
  }
  close(fd);
}

std::uint32_t retry_ms() {
  return kRetryMinMs + static_cast<std::uint32_t>(random_bits() % (kRetryMaxMs - kRetryMinMs + 1));
}

/// In the store, not only for this life: it counts until the node has compared itself with every other.
void note_restored(store::Store& store) {
  const store::WriteOutcome outcome = store.note(Note{kWholeNote, std::string(name_of(HollowBecause::restored))});
  if (outcome.result != store::WriteResult::ok) {
    throw std::runtime_error("cannot note that the store was restored: " + outcome.detail);
  }
}

void run_loop(Loop& loop) {
  try {
    loop.run();
  } catch (const std::exception& error) {
    end_process(kExitHalted, std::string("the loop failed: ") + error.what());
  }
}

void run_until_signal(const ClusterConfig& config, const NodeId& self, const RunOptions& options,
                      const StopSignals& signals) {
  const NodeSettings& own = settings_of(config, self);
  const edge::EdgeSettings edge_options = edge_settings(config, own, options);

  const std::string path = store_path(config, self);
  const auto store = store::open_store({path, config.storage.map_size_bytes, self});
  CoreSettings settings = core_settings(config, self);
  if (options.restored) note_restored(*store);
  if (store->journal_damaged()) {
    log(Severity::warning, "the store's journal has lost records: what it lacks is refilled from the peers",
        {{"store", path}});
  }
  settings.notes = store->notes();
  const Epoch epoch = settings.epoch;
  Core core(settings, store->heads());

  Inbox inbox;
  store::Committer committer(
      *store, config.storage.durability, config.storage.commit_interval_ms,
      [&inbox](Event&& event) { inbox.answer(std::move(event)); },
      [](const std::string& reason) { end_process(kExitHalted, "the store failed: " + reason); });
  mesh::Mesh mesh(config, self);
  const edge::HttpFiles files = embedded_files();
  edge::Edge edge(edge_options, inbox.sink(edge_options.shards > 0 ? Woken::yes : Woken::no), files);
  Loop loop({config, inbox, core, mesh, *store, committer, edge, files});
  std::thread loop_thread([&loop] { run_loop(loop); });

  log(Severity::info, "node started",
      {{"version", version()},
       {"epoch", epoch},
       {"client", config::format_address(own.client.listen)},
       {"gossip", config::format_address(own.gossip.listen)},
       {"mesh", config::format_address(own.mesh.listen)},
       {"store", path},
       {"threads", edge_options.shards},
       {"nodes", config.nodes.size()}});
  tell_ready(options.ready_fd);

  const int signal = signals.wait();
  log(Severity::info, "stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  inbox.put(Event{Drain{}});
  edge.stop(kGoodbyeMs, retry_ms());
  inbox.put(StopLoop{});
  loop_thread.join();
}

}  // namespace

int run_node(const ClusterConfig& config, const NodeId& self, const RunOptions& options) {
  // Before the first thread: one that does not block them would let a signal end the process.
  const StopSignals signals;
  start_logging(options.log_level, options.log_json, self);
  try {
    run_until_signal(config, self, options, signals);
  } catch (const std::exception& error) {
    end_process(kExitCannotStart, error.what());
  }
  log(Severity::info, "stopped");
  finish_logging();
  return kExitStopped;
}

}  // namespace inkmesh::node
