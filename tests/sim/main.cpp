// inkmesh_sim: runs of the simulated cluster by seed. Exit 0 when all promises held, 1 when one was broken.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "history.h"
#include "options.h"
#include "parse_number.h"
#include "run.h"
#include "shrink.h"

namespace {

using inkmesh::sim::Options;
using inkmesh::sim::Result;

/// For the word on an invariant that ends the process.
std::uint64_t g_seed = 0;

/// Some seconds of them.
constexpr unsigned kShrinkRuns = 1000;

/// A run of hours says once a minute how far it is.
constexpr auto kSayEvery = std::chrono::minutes(1);

/// Set by SIGINT and SIGTERM: the present seed is the last one.
volatile std::sig_atomic_t g_stop = 0;

void stop_soon(int) {
  g_stop = 1;
}

void say_seed_and_end(int) {
  std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(g_seed));
  std::_Exit(1);
}

struct Arguments {
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  inkmesh::sim::Asked asked;
  std::size_t lines = inkmesh::sim::View{}.lines_max;
  bool verbose = false;
  bool shrink = false;
  bool keep_going = false;
  bool help = false;
};

constexpr std::string_view kHelp =
    "usage: inkmesh_sim [--seed N] [--seeds K] [--nodes N] [--ops N] [--clients N] [--partitions] [--verbose] "
    "[--shrink] [--keep-going] [--lines "
    "N]\n"
    "  --seed N      the first seed (1)\n"
    "  --seeds K     how many seeds, one after the other (1)\n"
    "  --nodes N     so many nodes, 1 to 200; the seed decides otherwise\n"
    "  --ops N       so many publishes; the seed decides otherwise\n"
    "  --clients N   so many clients; the seed decides otherwise: 2 to 3 + 2 for each node\n"
    "  --partitions  healthy machines in a mesh that falls apart now and then: how soon publishes are answered\n"
    "  --verbose     the whole history of each run\n"
    "  --shrink      leave out what a failing run does not need before its history is shown\n"
    "  --keep-going  do not stop at the first failing seed; one line for each\n"
    "  --lines N     the last lines of a failing run's history that concern what was broken (60); all: --verbose\n";

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const auto number = [&](auto& into) { return ++i < argc && inkmesh::sim::parse_number(argv[i], into); };
    bool ok = true;
    if (name == "--seed") {
      ok = number(arguments.seed);
    } else if (name == "--seeds") {
      ok = number(arguments.seeds);
    } else if (name == "--nodes") {
      ok = number(arguments.asked.nodes) && arguments.asked.nodes >= 1 && arguments.asked.nodes <= 200;
    } else if (name == "--ops") {
      ok = number(arguments.asked.ops);
    } else if (name == "--clients") {
      ok = number(arguments.asked.clients) && arguments.asked.clients <= 100'000;
    } else if (name == "--lines") {
      ok = number(arguments.lines);
    } else if (name == "--partitions") {
      arguments.asked.partitions = true;
    } else if (name == "--verbose") {
      arguments.verbose = true;
    } else if (name == "--shrink") {
      arguments.shrink = true;
    } else if (name == "--keep-going") {
      arguments.keep_going = true;
    } else if (name == "--help") {
      arguments.help = true;
    } else {
      ok = false;
    }
    if (!ok) {
      std::cerr << "inkmesh_sim: cannot use " << name << "\n" << kHelp;
      return false;
    }
  }
  return true;
}

/// The command that runs that seed again.
std::string again(std::uint64_t seed, const inkmesh::sim::Asked& asked) {
  std::string command = "inkmesh_sim --seed " + std::to_string(seed);
  if (asked.nodes != 0) command += " --nodes " + std::to_string(asked.nodes);
  if (asked.ops != 0) command += " --ops " + std::to_string(asked.ops);
  if (asked.clients != 0) command += " --clients " + std::to_string(asked.clients);
  if (asked.partitions) command += " --partitions";
  return command;
}

std::uint64_t per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<std::uint64_t>(static_cast<double>(count) / seconds) : 0;
}

void explain(const Options& options, const Arguments& arguments) {
  Options shown = options;
  if (arguments.shrink) {
    const inkmesh::sim::Shrunk shrunk = inkmesh::sim::shrink(options, kShrinkRuns);
    std::cout << "seed " << options.seed << " " << inkmesh::sim::describe(shrunk) << '\n';
    shown = shrunk.options;
  }
  const Result result = inkmesh::sim::run(shown, true);
  if (!result.violation) std::cout << "the same options keep every promise when they are run again: that is a bug\n";
  std::cout << inkmesh::sim::describe(shown) << '\n'
            << inkmesh::sim::history(result, {arguments.lines, arguments.verbose});
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) return 2;
  if (arguments.help) {
    std::cout << kHelp;
    return 0;
  }
  std::signal(SIGABRT, say_seed_and_end);
  std::signal(SIGINT, stop_soon);
  std::signal(SIGTERM, stop_soon);
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t ran = 0;
  std::uint64_t failed = 0;
  std::uint64_t steps = 0;
  std::uint64_t acks = 0;
  std::uint64_t owed = 0;
  inkmesh::sim::SimUs slowest_us = 0;
  auto said = begin;
  for (std::uint64_t seed = arguments.seed; seed < arguments.seed + arguments.seeds && g_stop == 0; ++seed) {
    if (const auto now = std::chrono::steady_clock::now(); now >= said + kSayEvery) {
      said = now;
      std::cerr << ran << " of " << arguments.seeds << " seeds, " << failed << " failed\n";
    }
    g_seed = seed;
    const Options options = inkmesh::sim::draw_options(seed, arguments.asked);
    const Result result = inkmesh::sim::run(options, arguments.verbose && arguments.seeds == 1);
    ++ran;
    steps += result.steps;
    acks += result.acks;
    owed += result.owed_acks;
    slowest_us = std::max(slowest_us, result.converged_us);
    if (arguments.seeds == 1) {
      std::cout << inkmesh::sim::describe(options) << "\n"
                << result.acks << " acks, " << result.steps << " events, " << result.virtual_us / 1000
                << " ms, together after " << result.converged_us / 1000 << " ms, trace " << std::hex
                << result.trace_hash << std::dec << '\n';
      if (arguments.verbose && !result.violation) std::cout << inkmesh::sim::history(result, {0, true});
    }
    if (!result.violation) continue;
    ++failed;
    std::cout << "seed " << seed << " FAILED: " << result.violation->channel
              << (result.violation->channel.empty() ? "" : ": ") << result.violation->text << std::endl;
    if (arguments.keep_going) {
      std::cout << "  its history: " << again(seed, arguments.asked) << std::endl;
      continue;
    }
    explain(options, arguments);
    break;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (arguments.shrink && failed == 0) std::cout << "no promise was broken: there is nothing to make simpler\n";
  if (g_stop != 0) std::cout << "stopped before the last seed\n";
  std::cout << ran << " seeds, " << failed << " failed; " << acks << " acks, " << owed
            << " of them owed within a second, " << steps << " events, " << seconds << " s; slowest to come together "
            << slowest_us / 1000 << " ms; " << per_second(ran, seconds) << " seeds and " << per_second(steps, seconds)
            << " events a second\n";
  return failed == 0 ? 0 : 1;
}
