// inkmesh dev: a whole cluster on this machine under one supervisor.
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <fcntl.h>
#include <poll.h>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/dev_cluster.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "node/config/config_values.h"
#include "node/config/config_yaml.h"

namespace inkmesh::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{100};
constexpr milliseconds kReadySlow{30'000};
constexpr milliseconds kStopWithin{10'000};

struct DevArguments {
  DevPlan plan;
  std::string folder = "data/dev";
  std::string durability;
  std::string map_size;
  std::string log_level = "info";
  unsigned ack = 0;
};

/// SIGINT, SIGTERM, SIGHUP and SIGCHLD as something to wait for, instead of interruptions.
class Signals {
 public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD})
      sigaddset(&set, number);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    // A closed terminal or pipe must not end the supervisor before it has stopped its nodes.
    ::signal(SIGPIPE, SIG_IGN);
    fd_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd_ < 0) throw std::runtime_error(std::string("signalfd: ") + std::strerror(errno));
  }
  ~Signals() {
    ::close(fd_);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Waits for a signal, `timeout` at most. True once one of those that mean "stop" has come.
  bool wait(milliseconds timeout) {
    pollfd entry{fd_, POLLIN, 0};
    ::poll(&entry, 1, static_cast<int>(timeout.count()));
    signalfd_siginfo info{};
    while (::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo != SIGCHLD) stop_ = true;
    }
    return stop_;
  }

 private:
  int fd_ = -1;
  bool stop_ = false;
};

/// Held while a cluster runs in a folder.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw std::runtime_error(folder + ": " + error.message());
    const std::string path = folder + "/dev.lock";
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) throw std::runtime_error(path + ": " + std::strerror(errno));
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      ::close(fd_);
      throw std::runtime_error(folder + " is in use by another inkmesh dev; choose another --data");
    }
  }
  ~FolderLock() {
    ::close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_ = -1;
};

class Supervisor {
 public:
  Supervisor(ClusterConfig cluster, std::string folder, std::vector<std::string> node_options)
      : cluster_(std::move(cluster)),
        config_path_(folder + "/cluster.yaml"),
        folder_(std::move(folder)),
        node_options_(std::move(node_options)) {}

  int run() {
    write_config();
    for (const NodeSettings& settings : cluster_.nodes) {
      const std::string log_path = folder_ + "/" + settings.id + ".log";
      std::error_code none_yet;
      const std::uintmax_t size = std::filesystem::file_size(log_path, none_yet);
      nodes_.push_back({settings, log_path, none_yet ? 0 : size,
                        ChildProcess(node_arguments(config_path_, settings.id, node_options_), log_path)});
    }
    print_table();
    if (!wait_until_ready()) return stop_all();
    if (!anyone_lives()) {
      std::cout << "No node came up." << std::endl;
      return kFailed;
    }
    std::cout << ready_in_words() << " Ctrl-C stops the nodes; a node that you start again by hand is yours to stop."
              << std::endl;
    while (!signals_.wait(milliseconds(60'000)))
      report_dead();
    return stop_all();
  }

 private:
  void write_config() const {
    const std::string fresh = config_path_ + ".new";
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    out << "# Written by inkmesh dev at every start. A node of it is started again by hand with\n"
        << "#     " << shell_command(node_arguments(config_path_, "ws2", {})) << "\n"
        << config::to_yaml(cluster_);
    out.close();
    std::error_code error;
    if (out) std::filesystem::rename(fresh, config_path_, error);
    if (!out || error) throw std::runtime_error(config_path_ + ": cannot be written");
  }

  void print_table() const {
    Table table({{"NODE"}, {"PID", true}, {"WHITEBOARD"}, {"LOG"}});
    for (const DevNode& node : nodes_) {
      table.add({node.settings.id, std::to_string(node.process.pid()),
                 "http://" + config::format_address(node.settings.client.advertise) + "/?board=demo", node.log_path});
    }
    std::cout << table.text() << "The cluster file is " << config_path_ << std::endl;
  }

  /// False when it was told to stop. A node that dies counts as seen to.
  bool wait_until_ready() {
    Progress progress;
    const auto begin = Clock::now();
    bool said_slow = false;
    for (;;) {
      report_dead();
      std::size_t waiting = 0;
      std::string reasons;
      for (DevNode& node : nodes_) {
        if (node.ready || node.reported_dead) continue;
        std::string why;
        node.ready = node.ask_ready(why);
        if (node.ready) continue;
        ++waiting;
        reasons += "  " + node.settings.id + ": " + why + "\n";
      }
      if (waiting == 0) return true;
      progress.show(static_cast<double>(nodes_.size() - waiting) / static_cast<double>(nodes_.size()),
                    std::to_string(nodes_.size() - waiting) + " of " + std::to_string(nodes_.size()) + " nodes ready");
      if (!said_slow && Clock::now() - begin >= kReadySlow) {
        said_slow = true;
        progress.clear();
        std::cout << "Not ready yet:\n" << reasons << std::flush;
      }
      if (signals_.wait(kLookEvery)) return false;
    }
  }

  void report_dead() {
    for (DevNode& node : nodes_) {
      if (node.reported_dead) continue;
      const auto status = node.process.ended();
      if (!status) continue;
      node.reported_dead = true;
      std::cout << "\n"
                << node.settings.id << " (pid " << node.process.pid() << ") " << ending_in_words(*status)
                << ". Its last words in " << node.log_path << ":\n"
                << last_lines(node.log_path, 5, node.log_begin) << "Start it again with\n    "
                << shell_command(node_arguments(config_path_, node.settings.id, node_options_)) << std::endl;
    }
  }

  std::string ready_in_words() const {
    const auto ready = std::count_if(nodes_.begin(), nodes_.end(), [](const DevNode& node) { return node.ready; });
    if (static_cast<std::size_t>(ready) == nodes_.size()) return "Ready.";
    return std::to_string(ready) + " of " + std::to_string(nodes_.size()) + " nodes are ready.";
  }

  bool anyone_lives() {
    bool any = false;
    for (DevNode& node : nodes_)
      any = any || !node.process.ended();
    return any;
  }

  /// SIGTERM to all, SIGKILL to those that have not ended in time.
  int stop_all() {
    std::cout << "Stopping." << std::endl;
    for (DevNode& node : nodes_)
      node.process.signal(SIGTERM);
    const auto deadline = Clock::now() + kStopWithin;
    while (anyone_lives() && Clock::now() < deadline)
      signals_.wait(kLookEvery);
    int code = kOk;
    for (DevNode& node : nodes_) {
      if (node.process.ended()) continue;
      std::cout << node.settings.id << " did not stop within " << kStopWithin.count() / 1000 << " s and was killed."
                << std::endl;
      node.process.signal(SIGKILL);
      code = kFailed;
    }
    while (anyone_lives())
      signals_.wait(kLookEvery);
    std::cout << "Stopped. The data stay in " << folder_ << std::endl;
    return code;
  }

  ClusterConfig cluster_;
  std::string config_path_;
  std::string folder_;
  std::vector<std::string> node_options_;
  Signals signals_;
  std::vector<DevNode> nodes_;
};

int run_dev(DevArguments arguments) {
  std::error_code error;
  DevPlan& plan = arguments.plan;
  plan.folder = std::filesystem::weakly_canonical(std::filesystem::absolute(arguments.folder), error).string();
  if (error) throw UsageError("--data " + arguments.folder + ": " + error.message());
  if (plan.folder.find_first_of("{}\n") != std::string::npos) {
    throw UsageError("--data " + arguments.folder + ": expected a path without braces and line ends");
  }
  plan.settings.storage.durability = arguments.durability == "async" ? Durability::async : Durability::sync;
  if (!arguments.map_size.empty()) {
    const auto bytes = config::parse_size(arguments.map_size);
    if (!bytes) throw UsageError("--map-size: expected a size such as 64GiB, found " + arguments.map_size);
    plan.settings.storage.map_size_bytes = *bytes;
  }
  const unsigned allowed = std::min(std::max(plan.settings.replicas, 1U), plan.nodes);
  if (arguments.ack > allowed) {
    throw UsageError("--ack " + std::to_string(arguments.ack) + ": expected 1 to " + std::to_string(allowed) +
                     ", the nodes that store a channel (--replicas, at most --nodes)");
  }
  plan.settings.ack = arguments.ack != 0 ? arguments.ack : std::min(2U, allowed);
  const ClusterConfig cluster = plan_cluster(plan);
  const FolderLock lock(plan.folder);
  if (const auto used = ports_in_use(cluster); !used.empty()) {
    std::string text = "in use already:";
    for (const std::string& address : used)
      text += "\n  " + address;
    throw std::runtime_error(text + "\nStop what listens there, or choose other ports with --port.");
  }
  return Supervisor(cluster, plan.folder, {"--log-level", arguments.log_level}).run();
}

}  // namespace

void add_dev_command(CLI::App& program, Run& run) {
  auto arguments = std::make_shared<DevArguments>();
  DevPlan& plan = arguments->plan;
  CLI::App* command = program.add_subcommand("dev");
  command->description(
      "Run a whole cluster on this machine\n"
      "\n"
      "Each node ws1, ws2, … is a process with a store of its own, and a whiteboard at its own address on loopback.\n"
      "What was drawn stays in DIR for the next time, beside cluster.yaml and a log of each node.\n"
      "\n"
      "  inkmesh dev --nodes 3\n"
      "  inkmesh dev --nodes 5 --port 9001 --data /tmp/five --replicas 3\n"
      "\n"
      "A node that dies is reported and not restarted: kill one, watch, and start it again with the command that is\n"
      "printed. Such a node is yours: Ctrl-C stops only those that this program started. They never outlive it, even\n"
      "when it is killed.\n");
  command->add_option("--nodes", plan.nodes, "How many, 1 to 100")
      ->take_last()
      ->type_name("N")
      ->check(CLI::Range(1U, 100U))
      ->capture_default_str();
  command->add_option("--port", plan.port, "Client port of ws1; ws2 has the next one")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  command->add_option("--gossip-port", plan.gossip_port, "Gossip port of ws1 [port + 1000]")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65535));
  command->add_option("--mesh-port", plan.mesh_port, "Mesh port of ws1 [port + 2000]")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65535));
  command->add_option("--data", arguments->folder, "Where the cluster lives")->capture_default_str()->type_name("DIR");
  command->add_option("--replicas", plan.settings.replicas, "How many nodes store a channel, 0 to 16")
      ->type_name("N")
      ->check(CLI::Range(0U, 16U))
      ->capture_default_str();
  command
      ->add_option("--ack", arguments->ack,
                   "Nodes that have a stroke on disk before its author is told [2, or what there is]")
      ->type_name("N")
      ->check(CLI::Range(1U, 16U));
  command->add_option("--durability", arguments->durability, "sync: on disk before it is seen; async: seen at once")
      ->type_name("MODE")
      ->check(CLI::IsMember({"sync", "async"}))
      ->default_str("sync");
  command->add_option("--map-size", arguments->map_size, "The most that a store grows to")
      ->type_name("SIZE")
      ->default_str("64GiB");
  command->add_option("--log-level", arguments->log_level, "trace, debug, info, warning or error")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error"}))
      ->capture_default_str();
  command->callback([arguments, &run] { run = [arguments] { return run_dev(*arguments); }; });
}

}  // namespace inkmesh::cli
