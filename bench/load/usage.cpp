#include "load/usage.h"

#include <unistd.h>
#include <ctime>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "common/clock.h"

namespace inkmesh::bench {
namespace {

/// Of its core: past that the generator could be what is measured.
constexpr double kBusyMax = 0.8;

void add_memory(pid_t pid, Usage& usage) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string line;
  while (std::getline(status, line)) {
    std::istringstream words(line);
    std::string key;
    std::uint64_t kib = 0;
    words >> key >> kib;
    if (key == "VmRSS:") usage.rss_kib += kib;
    if (key == "RssAnon:") usage.anon_kib += kib;
  }
}

void sample_machine(Moment& moment) {
  std::ifstream stat("/proc/stat");
  std::string cpu;
  std::uint64_t user = 0;
  std::uint64_t nice = 0;
  std::uint64_t system = 0;
  std::uint64_t idle = 0;
  std::uint64_t waiting = 0;
  std::uint64_t irq = 0;
  std::uint64_t softirq = 0;
  std::uint64_t stolen = 0;
  stat >> cpu >> user >> nice >> system >> idle >> waiting >> irq >> softirq >> stolen;
  const std::uint64_t tick = kSecond / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  moment.machine_busy_ns = (user + nice + system + irq + softirq) * tick;
  moment.machine_stolen_ns = stolen * tick;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void Processes::add(std::string_view text) {
  const auto equals = text.find('=');
  Process process;
  process.label = text.substr(0, equals);
  const auto* const end = text.data() + text.size();
  const auto* const number = equals == std::string_view::npos ? end : text.data() + equals + 1;
  if (const auto [rest, error] = std::from_chars(number, end, process.pid); error != std::errc{} || rest != end) {
    throw std::runtime_error("--pid " + std::string(text) + ": expected label=PID");
  }
  if (clock_getcpuclockid(process.pid, &process.clock) != 0) {
    throw std::runtime_error("--pid " + std::string(text) + ": there is no such process");
  }
  processes_.push_back(process);
}

UsageByLabel Processes::sample() const {
  UsageByLabel usage;
  for (const auto& process : processes_) {
    Usage& sum = usage[process.label];
    sum.cpu_ns += read_clock(process.clock);
    add_memory(process.pid, sum);
  }
  return usage;
}

Moment sample_moment(const Processes& processes) {
  Moment moment;
  moment.at_ns = now_ns();
  moment.own_cpu_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID);
  moment.usage = processes.sample();
  sample_machine(moment);
  return moment;
}

std::uint64_t servers_cpu_ns(const Moment& begin, const Moment& end) {
  std::uint64_t sum = 0;
  for (const auto& [label, usage] : end.usage) {
    const auto before = begin.usage.find(label);
    const std::uint64_t start = before == begin.usage.end() ? 0 : before->second.cpu_ns;
    // A process that has died reads as 0.
    if (usage.cpu_ns > start) sum += usage.cpu_ns - start;
  }
  return sum;
}

void add_usage(const Moment& begin, const Moment& end, Result& outcome) {
  JsonObject& result = outcome.figures;
  const std::uint64_t wall = end.at_ns - begin.at_ns;
  JsonObject servers;
  for (const auto& [label, usage] : end.usage) {
    const auto before = begin.usage.find(label);
    const Usage start = before == begin.usage.end() ? Usage{} : before->second;
    JsonObject one;
    one.add("cpu_us", (usage.cpu_ns - std::min(usage.cpu_ns, start.cpu_ns)) / kMicrosecond);
    one.add("rss_kib_begin", start.rss_kib).add("rss_kib", usage.rss_kib);
    one.add("anon_kib_begin", start.anon_kib).add("anon_kib", usage.anon_kib);
    servers.add(label, one);
  }
  result.add("servers", servers);
  const std::uint64_t spent = servers_cpu_ns(begin, end);
  const std::uint64_t own = end.own_cpu_ns - begin.own_cpu_ns;
  result.add("servers_busy", share(spent, wall));
  const double busy_share = share(own, wall);
  result.add("generator_busy", busy_share);
  if (busy_share > kBusyMax) {
    outcome.failures.push_back("the generator was " + std::to_string(std::lround(100 * busy_share)) +
                               " % busy: it may be the limit");
  }
  const std::uint64_t busy = end.machine_busy_ns - begin.machine_busy_ns;
  result.add("others_busy", share(busy - std::min(busy, spent + own), wall));
  result.add("stolen", share(end.machine_stolen_ns - begin.machine_stolen_ns, wall));
}

}  // namespace inkmesh::bench
