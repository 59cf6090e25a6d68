// The store on this disk: commits, flushed, and what lies past a cursor; as a node opens it, and the replica without
// its journal. It makes its folder where it is started.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "micro/samples.h"
#include "store/journaled_store.h"
#include "store/lmdb_store.h"

namespace inkmesh::bench {
namespace {

constexpr std::uint32_t kDrawings = 300;
constexpr std::uint32_t kScattered = 64;
constexpr Seq kHeld = 20'000;
constexpr std::uint64_t kMapBytes = std::uint64_t{4} << 30;

using Open = std::unique_ptr<store::Store> (*)(const store::LmdbSettings&);

/// As a node does.
std::unique_ptr<store::Store> open_with_journal(const store::LmdbSettings& settings) {
  return store::open_store(settings);
}

class Folder {
 public:
  explicit Folder(Open open) : path_(std::filesystem::current_path() / "bench-micro-store") {
    std::filesystem::remove_all(path_);
    store = open({.path = path_.string(), .map_size_bytes = kMapBytes});
  }
  ~Folder() {
    store.reset();
    std::error_code gone;  // what is left is removed by the next one
    std::filesystem::remove_all(path_, gone);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::unique_ptr<store::Store> store;

 private:
  std::filesystem::path path_;
};

/// The next strokes of drawings, each an append of its own.
class Writer {
 public:
  explicit Writer(store::Store& store) : store_(store), seqs_(kDrawings), chains_(kDrawings) {}

  void prepare(std::uint32_t drawing, std::uint32_t strokes) {
    Append append;
    append.ticket = ++tickets_;
    for (std::uint32_t i = 0; i < strokes; ++i) {
      auto stroke = sample_stroke(drawing, kSampleOrigin, ++seqs_[drawing]);
      chains_[drawing] = chain_hash(chains_[drawing], *stroke);
      append.items.push_back({std::move(stroke), chains_[drawing]});
    }
    appends_.push_back(std::move(append));
  }

  bool commit() {
    std::vector<const Append*> group;
    for (const Append& append : appends_)
      group.push_back(&append);
    return store_.append(group).result == store::WriteResult::ok;
  }
  void forget() {
    appends_.clear();
  }

 private:
  store::Store& store_;
  std::vector<Seq> seqs_;
  std::vector<std::uint64_t> chains_;
  std::vector<Append> appends_;
  Ticket tickets_ = 0;
};

void append_scattered(benchmark::State& state, Open open) {
  Folder folder(open);
  Writer writer(*folder.store);
  std::uint32_t next = 0;
  for (auto _ : state) {
    state.PauseTiming();
    writer.forget();
    for (std::uint32_t i = 0; i < kScattered; ++i)
      writer.prepare(next++ % kDrawings, 1);
    state.ResumeTiming();
    if (!writer.commit()) state.SkipWithError("the store refused it");
  }
  state.SetItemsProcessed(state.iterations() * kScattered);
}
// What other threads do of it meanwhile, and later, is in its CPU.
BENCHMARK_CAPTURE(append_scattered, node, open_with_journal)
    ->Name("store: a commit of 64 strokes in 64 drawings of 300")
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(append_scattered, replica, store::open_lmdb_store)
    ->Name("replica alone: a commit of 64 strokes in 64 drawings of 300")
    ->MeasureProcessCPUTime();

void read_delta(benchmark::State& state, Open open) {
  Folder folder(open);
  Writer writer(*folder.store);
  for (Seq held = 0; held < kHeld; held += 500) {
    writer.forget();
    writer.prepare(0, 500);
    if (!writer.commit()) state.SkipWithError("the store refused it");
  }
  Read read;
  read.channel = sample_channel(0);
  read.after.set(kSampleOrigin, kHeld - static_cast<Seq>(state.range(0)));
  read.limit_bytes = std::size_t{64} << 20;
  read.limit_strokes = kHeld;
  for (auto _ : state) {
    const ReadDone done = folder.store->read(read);
    if (done.strokes.size() != static_cast<std::size_t>(state.range(0))) state.SkipWithError("it is another number");
    benchmark::DoNotOptimize(done.strokes.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(read_delta, node, open_with_journal)
    ->Name("store: strokes past a cursor, of 20,000 just written")
    ->Arg(1)
    ->Arg(100)
    ->Arg(1000);
BENCHMARK_CAPTURE(read_delta, replica, store::open_lmdb_store)
    ->Name("replica alone: strokes past a cursor, of 20,000")
    ->Arg(1)
    ->Arg(100)
    ->Arg(1000);

}  // namespace
}  // namespace inkmesh::bench
