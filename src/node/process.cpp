#include "node/process.h"

#include <dirent.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <system_error>

namespace inkmesh::node {
namespace {

constexpr std::uint64_t kDescriptorsOfOurOwn = 128;
/// Each peer: a link out, four in (dying ones beside the next), two for gossip that may be dying as well, and a name
/// being looked up.
constexpr std::uint64_t kDescriptorsOfPeer = 12;
constexpr std::uint64_t kConnectionsMin = 32;

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::uint64_t resident_bytes() {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/statm", "re"), std::fclose);
  unsigned long pages = 0;
  unsigned long resident = 0;
  if (!file || std::fscanf(file.get(), "%lu %lu", &pages, &resident) != 2) return 0;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t open_descriptors() {
  // Newer kernels tell the number as the folder's size; counting 20,000 entries would hold the loop up.
  struct stat folder {};
  if (stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0) return static_cast<std::uint64_t>(folder.st_size);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir("/proc/self/fd"), closedir);
  if (!entries) return 0;
  std::uint64_t count = 0;
  while (readdir(entries.get()) != nullptr)
    ++count;
  return count - std::min<std::uint64_t>(count, 3);  // ".", "..", and the folder itself
}

double start_time_s() {
  static const double started =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return started;
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage usage;
  usage.resident_bytes = resident_bytes();
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0) usage.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
  usage.descriptors = open_descriptors();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.descriptors_max = limit.rlim_cur;
  usage.start_time_s = start_time_s();
  return usage;
}

std::uint64_t raise_descriptor_limit() {
  start_time_s();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

std::uint64_t descriptors_needed(const LimitSettings& limits, std::size_t nodes) {
  return kDescriptorsOfOurOwn + kDescriptorsOfPeer * nodes + limits.connections + limits.handshakes;
}

std::optional<LimitSettings> limits_within(std::uint64_t descriptors_max, const LimitSettings& wanted,
                                           std::size_t nodes) {
  LimitSettings none;
  none.connections = none.handshakes = 0;
  const std::uint64_t ours = descriptors_needed(none, nodes);
  if (descriptors_max < ours + kConnectionsMin) return std::nullopt;
  const std::uint64_t left = descriptors_max - ours;
  LimitSettings fitting = wanted;
  if (left < std::uint64_t{wanted.connections} + wanted.handshakes) {
    fitting.handshakes = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted.handshakes, left / 8));
    fitting.connections =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted.connections, left - fitting.handshakes));
  }
  return fitting;
}

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  ssize_t got = 0;
  do {
    got = getrandom(&bits, sizeof bits, 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof bits)) {
    throw std::system_error(errno, std::generic_category(), "no random bits from the kernel");
  }
  return bits;
}

}  // namespace inkmesh::node
