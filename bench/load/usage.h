// What processes and the machine spent: sampled by the load generator itself, at the very edges of the measured window.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "load/result.h"

namespace inkmesh::bench {

/// CPU time and memory of all processes with one label.
struct Usage {
  std::uint64_t cpu_ns = 0;    ///< user and system, of all threads since the processes began
  std::uint64_t rss_kib = 0;   ///< resident, with what is mapped from files (a store's pages)
  std::uint64_t anon_kib = 0;  ///< resident and its own
};

using UsageByLabel = std::map<std::string, Usage>;

class Processes {
 public:
  /// "label=PID"; several may share a label. Throws std::runtime_error when there is no such process.
  void add(std::string_view text);
  bool empty() const {
    return processes_.empty();
  }

  UsageByLabel sample() const;

 private:
  struct Process {
    std::string label;
    pid_t pid = 0;
    clockid_t clock = 0;
  };
  std::vector<Process> processes_;
};

/// All of that, this process and the whole machine at one moment.
struct Moment {
  std::uint64_t at_ns = 0;
  std::uint64_t own_cpu_ns = 0;
  UsageByLabel usage;
  std::uint64_t machine_busy_ns = 0;  ///< of all cores, to a tick's precision
  std::uint64_t machine_stolen_ns = 0;
};

Moment sample_moment(const Processes& processes);

/// Adds to a result what was spent between two moments: by label, by this process (`generator_busy`, of one core), and
/// by others on this machine (`others_busy`, of one core), who disturb a measurement. Fails it when this process was
/// over 80 % busy: it could be what was measured.
void add_usage(const Moment& begin, const Moment& end, Result& outcome);

/// All labels' CPU time between two moments.
std::uint64_t servers_cpu_ns(const Moment& begin, const Moment& end);

}  // namespace inkmesh::bench
