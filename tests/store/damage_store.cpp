// Flips bytes in a store's pages by a seed, and sees what the node would see. Not a test: docs/storage_format.md has
// its figures from it. `ninja damage_store && build/release/damage_store [TRIALS [SEED]]`.
#include <lmdb.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "disk.h"

namespace inkmesh::store {
namespace {

constexpr std::size_t kPage = 4096;
constexpr Seq kStrokes = 1'000;  // of each log
constexpr int kChannels = 6;
constexpr unsigned kHangS = 20;
const std::array<Origin, 2> kOrigins = {"ws1~00000000", "ws2~00000000"};

enum Verdict { untouched, named, refused, crashed, silent, hung, wrong, verdicts };
constexpr std::array<const char*, verdicts> kVerdicts = {"untouched", "named", "refused", "crashed, told",
                                                         "no word",   "hung",  "WRONG"};

Channel channel_of(int n) {
  return "drawing_" + std::to_string(n);
}

std::string data_of(int channel, Seq seq) {
  // One in fifty is long enough for pages of its own.
  const std::size_t size = seq % 50 == 0 ? 9'000 : 60 + static_cast<std::size_t>(seq * 7 % 300);
  return "\"" + std::to_string(channel) + "." + std::to_string(seq) + std::string(size, 'x') + "\"";
}

/// A few MB, as a node writes it: many groups, drawings interleaved. Without free pages, so that each flip may matter.
std::string make_file() {
  const TemporaryFolder folder;
  const TemporaryFolder compact;
  {
    const auto store = open_store(folder);
    std::map<std::pair<int, Origin>, std::uint64_t> chains;
    for (Seq first = 1; first <= kStrokes; first += 20) {
      for (int channel = 0; channel < kChannels; ++channel) {
        for (const Origin& origin : kOrigins) {
          Append append;
          std::uint64_t& chain = chains[{channel, origin}];
          for (Seq seq = first; seq < first + 20; ++seq) {
            append.items.push_back({make_stroke(channel_of(channel), origin, seq, data_of(channel, seq)), 0});
            chain = append.items.back().chain = chain_hash(chain, *append.items.back().stroke);
          }
          if (write(*store, append).result != WriteResult::ok) std::abort();
        }
      }
    }
    // Logs enough that the heads have pages above their leaves.
    for (int i = 0; i < 2'000; ++i) {
      if (write(*store, make_append("small_" + std::to_string(i), kOrigins[0], 1, 1)).result != WriteResult::ok)
        std::abort();
    }
  }
  MDB_env* env = nullptr;
  if (mdb_env_create(&env) != 0 || mdb_env_open(env, folder.path().c_str(), MDB_RDONLY, 0640) != 0 ||
      mdb_env_copy2(env, compact.path().c_str(), MDB_CP_COMPACT) != 0) {
    std::abort();
  }
  mdb_env_close(env);
  return file_bytes(compact.file());
}

/// Everything that a node does with a store after a start. Ends the process with a verdict.
[[noreturn]] void look_through(const TemporaryFolder& folder) {
  alarm(kHangS);
  bool is_named = false;
  try {
    const auto store = open_store(folder);
    if (store->heads().size() != kChannels * kOrigins.size() + 2'000) _exit(wrong);
    for (int channel = 0; channel < kChannels; ++channel) {
      const ReadDone done = store->read(read_of(channel_of(channel)));
      std::map<Origin, Seq> next;
      for (const StrokePtr& stroke : done.strokes) {
        const Seq seq = ++next[stroke->origin];
        const auto truth = make_stroke(channel_of(channel), stroke->origin, seq, data_of(channel, seq));
        if (!same_content(*stroke, *truth)) _exit(wrong);
      }
      for (const auto& damage : done.damaged) {
        is_named = true;
        if (damage.seq != next[damage.origin] + 1) _exit(wrong);
        next[damage.origin] = kStrokes;
      }
      for (const Origin& origin : kOrigins)
        if (next[origin] != kStrokes) _exit(wrong);
      for (Seq seq = 1; seq <= kStrokes; ++seq) {
        // Both origins wrote it; the index has the first.
        const auto known = store->find_op(channel_of(channel), "client-of-ws1", seq);
        if (!known) is_named = true;
        if (known && (known->seq != seq || known->origin != kOrigins[0])) _exit(wrong);
      }
      const Append more = make_append(channel_of(channel), "ws3~00000000", 1, 40);
      if (const WriteOutcome outcome = write(*store, more); outcome.result != WriteResult::ok) {
        std::fprintf(stderr, "%s\n", outcome.detail.c_str());
        _exit(refused);
      }
    }
    _exit(is_named ? named : untouched);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    _exit(refused);
  }
}

Verdict try_one(const std::string& bytes) {
  const TemporaryFolder folder;
  std::ofstream(folder.file(), std::ios::binary) << bytes;
  const std::string told = folder.path() + "/told";
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen(told.c_str(), "w", stderr) == nullptr || std::setvbuf(stderr, nullptr, _IONBF, 0) != 0)
      std::abort();
    look_through(folder);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const bool has_way_out = file_bytes(told).find("Move the folder away") != std::string::npos;
  if (WIFEXITED(status) && (WEXITSTATUS(status) != refused || has_way_out)) {
    return static_cast<Verdict>(WEXITSTATUS(status));
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return hung;
  if (!has_way_out) std::printf("\n  said: %s", file_bytes(told).c_str());
  return has_way_out ? crashed : silent;
}

/// The pages of each kind, by the flags in their headers.
std::map<std::string, std::vector<std::size_t>> pages_of(const std::string& bytes) {
  std::map<std::string, std::vector<std::size_t>> pages;
  for (std::size_t page = 0; page < bytes.size() / kPage; ++page) {
    std::uint64_t number = 0;
    std::uint16_t flags = 0;
    std::uint32_t long_pages = 0;
    std::memcpy(&number, &bytes[page * kPage], 8);
    std::memcpy(&flags, &bytes[page * kPage + 10], 2);
    std::memcpy(&long_pages, &bytes[page * kPage + 12], 4);
    if (number != page) std::abort();
    const char* kind = flags == 8 ? "meta" : flags == 1 ? "branch" : flags == 2 ? "leaf" : "long value";
    pages[kind].push_back(page);
    for (std::uint32_t i = 1; flags == 4 && i < long_pages; ++i)
      pages[kind].push_back(++page);
  }
  return pages;
}

int run(int trials, unsigned seed) {
  std::mt19937 random(seed);
  const std::string whole = make_file();
  std::printf("%zu bytes, %d flips of a byte in a page of each kind, seed %u\n%-12s %6s", whole.size(), trials, seed,
              "page", "pages");
  for (const char* verdict : kVerdicts)
    std::printf(" %13s", verdict);
  int wrongs = 0;
  for (const auto& [kind, pages] : pages_of(whole)) {
    std::array<int, verdicts> counts{};
    for (int trial = 0; trial < trials; ++trial) {
      std::string bytes = whole;
      const std::size_t at = pages[random() % pages.size()] * kPage + random() % kPage;
      bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1U + random() % 255U));
      const Verdict verdict = try_one(bytes);
      ++counts[verdict];
      if (verdict == silent || verdict == hung || verdict == wrong) {
        std::printf("\n  %s: byte %zu of page %zu, trial %d", kVerdicts[verdict], at % kPage, at / kPage, trial);
      }
    }
    std::printf("\n%-12s %6zu", kind.c_str(), pages.size());
    for (const int count : counts)
      std::printf(" %13d", count);
    std::fflush(stdout);
    wrongs += counts[wrong] + counts[silent] + counts[hung];
  }
  std::printf("\n");
  return wrongs == 0 ? 0 : 1;
}

}  // namespace
}  // namespace inkmesh::store

int main(int argc, char** argv) {
  return inkmesh::store::run(argc > 1 ? std::atoi(argv[1]) : 300,
                             argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 1);
}
