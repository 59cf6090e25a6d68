// Measures the store on this machine's disk: strokes committed in groups, delta reads, look-ups. Not a test:
// `ninja measure_store && build/release/measure_store [FOLDER]`.
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fixture.h"
#include "store/committer.h"

namespace inkmesh::store {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Seq kStrokes = 500'000;
constexpr Seq kGroup = 256;
constexpr std::size_t kDataBytes = 180;
constexpr int kChannels = 8;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// What the process used of processors: says what the store costs where the machine is shared.
double cpu_seconds() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

void say(const char* what, std::size_t strokes, Clock::time_point begin, double cpu_begin) {
  std::printf("%-32s %9.0f strokes/s, %5.2f us of processor a stroke\n", what,
              static_cast<double>(strokes) / seconds_since(begin),
              (cpu_seconds() - cpu_begin) / static_cast<double>(strokes) * 1e6);
}

Channel channel_of(Seq group) {
  return "drawing_abc12" + std::to_string(group % kChannels);
}

/// Appends of 256 strokes, on eight channels in turn.
std::vector<Append> groups() {
  std::vector<Append> all;
  const std::string data(kDataBytes, 'x');
  for (Seq group = 0; group < kStrokes / kGroup; ++group) {
    const Seq first = group / kChannels * kGroup + 1;
    all.push_back(make_append(channel_of(group), "ws1~00000000", first, first + kGroup - 1, data));
    all.back().ticket = group;
  }
  return all;
}

void measure_commits(Store& store, std::size_t appends_in_a_transaction, std::vector<Append>& all, std::size_t from,
                     std::size_t to) {
  const auto begin = Clock::now();
  const double cpu = cpu_seconds();
  std::vector<double> times;
  for (std::size_t i = from; i < to; i += appends_in_a_transaction) {
    std::vector<const Append*> group;
    for (std::size_t j = i; j < std::min(to, i + appends_in_a_transaction); ++j)
      group.push_back(&all[j]);
    const auto one = Clock::now();
    if (store.append(group).result != WriteResult::ok) std::abort();
    times.push_back(seconds_since(one));
  }
  std::sort(times.begin(), times.end());
  say(("commits of " + std::to_string(appends_in_a_transaction * kGroup) + " strokes").c_str(), (to - from) * kGroup,
      begin, cpu);
  std::printf("%-32s %.2f ms (median), %.2f ms (worst)\n", "  one takes", times[times.size() / 2] * 1e3,
              times.back() * 1e3);
}

/// As in a cluster where many draw a little: strokes of eight drawings out of 300 in each commit, with a pause after
/// it.
void measure_small_commits(Store& store) {
  constexpr Seq drawings = 300;
  constexpr int commits = 500;
  const std::string data(kDataBytes, 'x');
  std::vector<std::uint64_t> chains(drawings);
  double cpu = 0;
  std::vector<double> times;
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  for (Seq next = 0; next < Seq{commits} * 8;) {
    std::vector<Append> appends;
    for (int i = 0; i < 8; ++i, ++next) {
      const Seq seq = next / drawings + 1;
      appends.push_back(make_append("quiet_" + std::to_string(next % drawings), "ws1~00000000", seq, seq, data,
                                    chains[next % drawings]));
      chains[next % drawings] = appends.back().items.back().chain;
    }
    std::vector<const Append*> group;
    for (const Append& append : appends)
      group.push_back(&append);
    const auto one = Clock::now();
    const double one_cpu = cpu_seconds();
    if (store.append(group).result != WriteResult::ok) std::abort();
    cpu += cpu_seconds() - one_cpu;
    times.push_back(seconds_since(one));
    std::this_thread::sleep_for(std::chrono::milliseconds(4));
  }
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  std::sort(times.begin(), times.end());
  std::printf("%-32s %9.0f us of processor, %.2f ms (median), %.1f switches\n", "a commit of 8 drawings' strokes",
              cpu / commits * 1e6, times[times.size() / 2] * 1e3,
              static_cast<double>(after.ru_nvcsw - before.ru_nvcsw) / commits - 1);
}

void measure_committer(Store& store, std::vector<Append>& all, std::size_t from, std::size_t to) {
  std::mutex mutex;
  std::condition_variable done;
  std::size_t answered = 0;
  const auto begin = Clock::now();
  const double cpu = cpu_seconds();
  Committer committer(
      store, Durability::sync, 100,
      [&](Event&&) {
        const std::lock_guard lock(mutex);
        if (++answered == to - from) done.notify_one();
      },
      [](const std::string&) { std::abort(); });
  for (std::size_t i = from; i < to; ++i)
    committer.submit(std::move(all[i]));
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return answered == to - from; });
  say("committer, all waiting", (to - from) * kGroup, begin, cpu);
  std::printf("%-32s %llu\n", "  commits", static_cast<unsigned long long>(committer.stats().commits));
}

void measure_reads(Store& store) {
  for (const std::size_t page : {std::size_t{1'000}, std::size_t{1'000'000}}) {
    std::size_t strokes = 0;
    const auto begin = Clock::now();
    const double cpu = cpu_seconds();
    for (int round = 0; round < 3; ++round) {
      for (Seq i = 0; i < kChannels; ++i) {
        Read read = read_of(channel_of(i), {}, page);
        for (ReadDone done;;) {
          done = store.read(read);
          strokes += done.strokes.size();
          if (!done.more) break;
          read.after.set(done.strokes.back()->origin, done.strokes.back()->seq);
        }
      }
    }
    say(("delta reads, pages of " + std::to_string(page)).c_str(), strokes, begin, cpu);
  }
}

void measure_lookups(Store& store) {
  constexpr int times = 200'000;
  auto begin = Clock::now();
  for (int i = 0; i < times; ++i) {
    if (!store.find_op(channel_of(0), "client-of-ws1", 1 + static_cast<Op>(i) * 7 % 50'000)) std::abort();
  }
  std::printf("find_op: %.2f us\n", seconds_since(begin) / times * 1e6);
  begin = Clock::now();
  for (int i = 0; i < times; ++i)
    store.find_since({1, channel_of(0), 1'000'000 + static_cast<TimeUs>(i)});
  std::printf("find_since: %.2f us\n", seconds_since(begin) / times * 1e6);
  begin = Clock::now();
  for (int i = 0; i < 10'000; ++i)
    store.usage();
  std::printf("usage: %.2f us\n", seconds_since(begin) / 10'000 * 1e6);
}

void measure(const std::string& path) {
  const auto store = open_lmdb_store({path, std::uint64_t{16} << 30});
  auto all = groups();
  const std::size_t quarter = all.size() / 32 * 8;
  measure_small_commits(*store);
  measure_commits(*store, 1, all, 0, quarter);
  measure_commits(*store, 16, all, quarter, 2 * quarter);
  measure_commits(*store, 64, all, 2 * quarter, 3 * quarter);
  measure_committer(*store, all, 3 * quarter, all.size());
  const StoreUsage usage = store->usage();
  std::printf("%llu strokes of %zu bytes take %.0f bytes each\n", static_cast<unsigned long long>(usage.strokes),
              kDataBytes, static_cast<double>(usage.used_bytes) / static_cast<double>(usage.strokes));
  measure_reads(*store);
  measure_lookups(*store);
}

}  // namespace
}  // namespace inkmesh::store

int main(int argc, char** argv) {
  if (argc > 1) {
    inkmesh::store::measure(argv[1]);
    return 0;
  }
  const inkmesh::store::TemporaryFolder folder;
  inkmesh::store::measure(folder.path());
}
