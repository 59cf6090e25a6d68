// inkmesh_mutants: the core with one mistake at a time, under the same random runs as ever. The checker must notice
// each.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "core/mutation.h"
#include "history.h"
#include "options.h"
#include "parse_number.h"
#include "run.h"
#include "shrink.h"

namespace {

using inkmesh::core::Mutation;

struct Mutant {
  Mutation mutation;
  const char* name;
  const char* text;
};

#define INKMESH_MUTANT(name, text) {Mutation::name, #name, text},
constexpr Mutant kMutants[] = {INKMESH_EACH_MUTATION(INKMESH_MUTANT)};
#undef INKMESH_MUTANT

/// What a run of seeds came to; written by the child as one block.
struct Verdict {
  bool caught = false;
  std::uint64_t seeds = 0;
  char text[160] = {};
};

struct Arguments {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds_max = 8000;
  std::size_t lines = inkmesh::sim::View{}.lines_max;
  bool show = false;
  bool list = false;
  bool help = false;
  std::vector<std::string> wanted;
};

void show(std::uint64_t seed, std::size_t lines) {
  const auto shrunk = inkmesh::sim::shrink(inkmesh::sim::draw_options(seed), 1000);
  const std::string text = inkmesh::sim::history(inkmesh::sim::run(shrunk.options, true), {lines, false});
  std::printf("seed %llu %s\n%s\n%s", static_cast<unsigned long long>(seed), inkmesh::sim::describe(shrunk).c_str(),
              inkmesh::sim::describe(shrunk.options).c_str(), text.c_str());
  std::fflush(stdout);
}

Verdict sweep(Mutation mutation, const Arguments& arguments, int progress) {
  inkmesh::core::active_mutation = mutation;
  Verdict verdict;
  while (!verdict.caught && verdict.seeds < arguments.seeds_max) {
    ++verdict.seeds;
    // An invariant that trips ends the process: the parent must know how far it came.
    if (write(progress, &verdict, sizeof verdict) != sizeof verdict) std::_Exit(2);
    const std::uint64_t seed = arguments.first_seed + verdict.seeds - 1;
    const auto result = inkmesh::sim::run(inkmesh::sim::draw_options(seed));
    if (!result.violation) continue;
    verdict.caught = true;
    std::snprintf(verdict.text, sizeof verdict.text, "%s", result.violation->text.c_str());
    if (arguments.show) show(seed, arguments.lines);
  }
  return verdict;
}

/// In a process of its own: a broken core may well abort.
Verdict try_out(Mutation mutation, const Arguments& arguments) {
  int ends[2];
  if (pipe(ends) != 0) {
    std::perror("pipe");
    std::exit(2);
  }
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) {
    std::perror("fork");
    std::exit(2);
  }
  if (child == 0) {
    close(ends[0]);
    // What an invariant says as it ends the process is a part of what is shown.
    if (!arguments.show && std::freopen("/dev/null", "w", stderr) == nullptr) std::_Exit(2);
    const Verdict verdict = sweep(mutation, arguments, ends[1]);
    std::_Exit(write(ends[1], &verdict, sizeof verdict) == sizeof verdict ? 0 : 2);
  }
  close(ends[1]);
  Verdict verdict;
  for (Verdict next; read(ends[0], &next, sizeof next) == sizeof next;)
    verdict = next;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
    verdict.caught = true;
    std::snprintf(verdict.text, sizeof verdict.text, "an invariant of the core ended the process");
  } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::fprintf(stderr, "inkmesh_mutants: a child ended with status %d\n", status);
    std::exit(2);
  }
  return verdict;
}

constexpr const char* kHelp =
    "usage: inkmesh_mutants [--seed N] [--seeds N] [--show [--lines N]] [NAME...]\n"
    "       inkmesh_mutants --list\n"
    "  Breaks the core on purpose, in one way after the other, and runs random seeds until the checker notices.\n"
    "  --list     the names, with what the broken core does\n"
    "  --seed N   the first seed (1)\n"
    "  --seeds N  how many seeds each one has at most (8000)\n"
    "  --show     print the history of the seed that caught it, made as simple as it can be, before the table\n"
    "  --lines N  so many lines of it (60)\n"
    "  NAME       only these; all when none is given\n"
    "SEED is the seed that caught it: that one alone, with its history, is\n"
    "  inkmesh_mutants --seed SEED --seeds 1 --show NAME\n"
    "What is made simpler runs under a seed of its own, which means nothing without it.\n"
    "Exit 0 when each was caught.\n";

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const auto number = [&](auto& into) { return ++i < argc && inkmesh::sim::parse_number(argv[i], into); };
    bool ok = true;
    if (name == "--seed") {
      ok = number(arguments.first_seed);
    } else if (name == "--seeds") {
      ok = number(arguments.seeds_max);
    } else if (name == "--lines") {
      ok = number(arguments.lines);
    } else if (name == "--show") {
      arguments.show = true;
    } else if (name == "--list") {
      arguments.list = true;
    } else if (name == "--help") {
      arguments.help = true;
    } else if (std::any_of(std::begin(kMutants), std::end(kMutants),
                           [&](const Mutant& mutant) { return name == mutant.name; })) {
      arguments.wanted.emplace_back(name);
    } else {
      ok = false;
    }
    if (!ok) {
      std::fprintf(stderr, "inkmesh_mutants: cannot use %s; --list names the mutations\n%s", name.data(), kHelp);
      return false;
    }
  }
  return true;
}

/// The command that runs that seed alone again.
std::string again(const Mutant& mutant, std::uint64_t seed, const Arguments& arguments) {
  std::string command = "inkmesh_mutants --seed " + std::to_string(seed) + " --seeds 1 --show ";
  if (arguments.lines != Arguments{}.lines) command += "--lines " + std::to_string(arguments.lines) + " ";
  return command + mutant.name;
}

std::string head() {
  char line[160];
  std::snprintf(line, sizeof line, "%-28s %8s %10s %8s  %s\n", "MUTATION", "SEEDS", "SEED", "SECONDS", "CAUGHT BY");
  return line;
}

std::string row(const Mutant& mutant, const Verdict& verdict, const std::string& seed, double seconds) {
  char line[320];
  std::snprintf(line, sizeof line, "%-28s %8llu %10s %8.1f  %s\n", mutant.name,
                static_cast<unsigned long long>(verdict.seeds), verdict.caught ? seed.c_str() : "-", seconds,
                verdict.caught ? verdict.text : "NOTHING");
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) return 2;
  if (arguments.help) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (arguments.list) {
    for (const Mutant& mutant : kMutants)
      std::printf("%-28s %s\n", mutant.name, mutant.text);
    return 0;
  }
  const std::vector<std::string>& wanted = arguments.wanted;
  // Histories are long: the table is one piece after them.
  std::string table = head();
  const auto flush = [&table] {
    std::fputs(table.c_str(), stdout);
    std::fflush(stdout);
    table.clear();
  };
  unsigned tried = 0;
  unsigned caught = 0;
  for (const Mutant& mutant : kMutants) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), mutant.name) == wanted.end()) continue;
    if (arguments.show) {
      std::printf("%s: the core %s\n", mutant.name, mutant.text);
    } else {
      flush();
    }
    const auto begin = std::chrono::steady_clock::now();
    const Verdict verdict = try_out(mutant.mutation, arguments);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const std::uint64_t seed = arguments.first_seed + verdict.seeds - 1;
    if (arguments.show && verdict.caught) std::printf("again: %s\n\n", again(mutant, seed, arguments).c_str());
    ++tried;
    caught += verdict.caught ? 1 : 0;
    table += row(mutant, verdict, std::to_string(seed), seconds);
  }
  flush();
  std::printf("%u of %u caught\n", caught, tried);
  return caught == tried ? 0 : 1;
}
