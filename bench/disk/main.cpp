// bench_disk: what LMDB alone does on a disk with the strokes that the benchmark draws: one table, nothing else kept,
// each commit flushed before the next begins. A node's rate of stored strokes is held against it.
#include <lmdb.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include "common/clock.h"
#include "load/json.h"
#include "load/strokes.h"

namespace inkmesh::bench {
namespace {

constexpr std::size_t kMapBytes = std::size_t{16} << 30;
constexpr mdb_mode_t kFileMode = 0640;

void check(int code, const char* doing) {
  if (code != MDB_SUCCESS) throw std::runtime_error(std::string(doing) + ": " + mdb_strerror(code));
}

struct CloseEnv {
  void operator()(MDB_env* env) const {
    mdb_env_close(env);
  }
};

struct Rate {
  std::uint64_t strokes = 0;
  std::uint64_t commits = 0;
  double seconds = 0;

  double strokes_per_s() const {
    return static_cast<double>(strokes) / seconds;
  }
  double commits_per_s() const {
    return static_cast<double>(commits) / seconds;
  }
};

/// A fresh store in a folder of its own, opened as a node opens its own.
class Table {
 public:
  explicit Table(const std::filesystem::path& folder) : folder_(folder) {
    std::filesystem::create_directories(folder_);
    MDB_env* env = nullptr;
    check(mdb_env_create(&env), "mdb_env_create");
    env_.reset(env);
    check(mdb_env_set_mapsize(env, kMapBytes), "mdb_env_set_mapsize");
    check(mdb_env_set_maxdbs(env, 1), "mdb_env_set_maxdbs");
    check(mdb_env_open(env, folder_.c_str(), MDB_NOTLS, kFileMode), "mdb_env_open");
    MDB_txn* txn = begin();
    check(mdb_dbi_open(txn, "strokes", MDB_CREATE, &table_), "mdb_dbi_open");
    check(mdb_txn_commit(txn), "mdb_txn_commit");
  }
  ~Table() {
    env_.reset();
    std::error_code gone;  // what is left is in the harness' folder, and goes with it
    std::filesystem::remove_all(folder_, gone);
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  /// Commits of `group` strokes, into one drawing after the other, for that long.
  Rate fill(std::uint32_t group, std::uint32_t drawings, double seconds) {
    Rate rate;
    const auto begun = now_ns();
    const auto end = begun + nanoseconds(seconds);
    while (now_ns() < end) {
      MDB_txn* txn = begin();
      for (std::uint32_t i = 0; i < group; ++i, ++rate.strokes)
        put(txn, static_cast<std::uint32_t>(rate.strokes % drawings),
            static_cast<std::uint32_t>(rate.strokes / drawings + 1));
      check(mdb_txn_commit(txn), "mdb_txn_commit");
      ++rate.commits;
    }
    rate.seconds = static_cast<double>(now_ns() - begun) / static_cast<double>(kSecond);
    return rate;
  }

 private:
  MDB_txn* begin() {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_.get(), nullptr, 0, &txn), "mdb_txn_begin");
    return txn;
  }

  void put(MDB_txn* txn, std::uint32_t drawing, std::uint32_t seq) {
    key_.clear();
    for (const std::uint32_t number : {drawing, seq}) {
      for (unsigned shift = 32; shift > 0; shift -= 8)
        key_.push_back(static_cast<char>(number >> (shift - 8)));
    }
    stroke_.clear();
    append_stroke({.publisher = drawing, .seq = seq, .due_ns = 0}, stroke_);
    MDB_val key{key_.size(), key_.data()};
    MDB_val value{stroke_.size(), stroke_.data()};
    check(mdb_put(txn, table_, &key, &value, 0), "mdb_put");
  }

  const std::filesystem::path folder_;
  std::unique_ptr<MDB_env, CloseEnv> env_;
  MDB_dbi table_ = 0;
  std::string key_;
  std::string stroke_;
};

struct Wanted {
  std::filesystem::path folder;
  double seconds = 1;
  std::uint32_t group = 256;
  std::uint32_t drawings = 200;
};

JsonObject measure(const Wanted& wanted) {
  const auto inside = wanted.folder / "bench-disk";
  const Rate single = Table(inside).fill(1, 1, wanted.seconds);
  const Rate grouped = Table(inside).fill(wanted.group, 1, wanted.seconds);
  const Rate scattered = Table(inside).fill(wanted.group, wanted.drawings, wanted.seconds);
  JsonObject figures;
  figures.add("group", wanted.group).add("drawings", wanted.drawings);
  figures.add("single_commits_per_s", single.commits_per_s());
  figures.add("grouped_strokes_per_s", grouped.strokes_per_s());
  figures.add("scattered_strokes_per_s", scattered.strokes_per_s());
  return figures;
}

}  // namespace
}  // namespace inkmesh::bench

int main(int argc, char** argv) {
  inkmesh::bench::Wanted wanted;
  CLI::App app(
      "Measures what LMDB alone does on a disk: commits of one stroke, and strokes in groups, into one drawing and "
      "into\n"
      "many. Prints one line of JSON. Exit codes: 0 measured, 1 failed, 2 the command line is wrong.",
      "bench_disk");
  app.add_option("folder", wanted.folder, "On the disk to measure; holds a store meanwhile")->required();
  app.add_option("--seconds", wanted.seconds, "For each of the three")->capture_default_str();
  app.add_option("--group", wanted.group, "Strokes of a commit")->capture_default_str()->check(CLI::Range(1, 100'000));
  app.add_option("--drawings", wanted.drawings, "That many")->capture_default_str()->check(CLI::Range(1, 100'000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    std::cout << inkmesh::bench::measure(wanted).text() << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "bench_disk: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
