// inkmesh_mutants: the core with one mistake at a time, under the same random runs as ever. The checker must notice
// each.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include "core/mutation.h"
#include "history.h"
#include "options.h"
#include "run.h"
#include "shrink.h"

namespace {

using inkmesh::core::Mutation;

struct Mutant {
  Mutation mutation;
  const char* name;
};

constexpr Mutant kMutants[] = {
    {Mutation::ack_at_own_commit, "ack_at_own_commit"},
    {Mutation::ack_before_commit, "ack_before_commit"},
    {Mutation::ack_retry_at_once, "ack_retry_at_once"},
    {Mutation::count_dead_copies, "count_dead_copies"},
    {Mutation::confirm_before_commit, "confirm_before_commit"},
    {Mutation::keep_number_after_failure, "keep_number_after_failure"},
    {Mutation::keep_shown_after_failure, "keep_shown_after_failure"},
    {Mutation::reuse_epoch, "reuse_epoch"},
    {Mutation::show_past_gap, "show_past_gap"},
    {Mutation::show_twice, "show_twice"},
    {Mutation::forget_interest_delta, "forget_interest_delta"},
    {Mutation::settled_at_once, "settled_at_once"},
    {Mutation::forget_lost_disk, "forget_lost_disk"},
    {Mutation::keep_mark_of_old_list, "keep_mark_of_old_list"},
    {Mutation::settle_hollow_alone, "settle_hollow_alone"},
    {Mutation::whole_without_answers, "whole_without_answers"},
    {Mutation::skip_read, "skip_read"},
    {Mutation::skip_first_of_page, "skip_first_of_page"},
    {Mutation::demote_too_far, "demote_too_far"},
    {Mutation::live_while_ahead, "live_while_ahead"},
    {Mutation::forget_cursor, "forget_cursor"},
    {Mutation::forget_unconfirmed, "forget_unconfirmed"},
    {Mutation::push_past_window, "push_past_window"},
    {Mutation::keep_tail, "keep_tail"},
    {Mutation::keep_window, "keep_window"},
    {Mutation::forget_presence_delta, "forget_presence_delta"},
    {Mutation::forget_returned_homes, "forget_returned_homes"},
};

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
    "  Breaks the core on purpose, in one way after the other, and runs random seeds until the checker notices.\n"
    "  --seed N   the first seed (1)\n"
    "  --seeds N  how many seeds each one has at most (8000)\n"
    "  --show     print the history of the seed that caught it, made as simple as it can be\n"
    "  --lines N  so many lines of it (60)\n"
    "  NAME       only these; all when none is given\n"
    "Exit 0 when each was caught.\n";

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--help") {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (argument == "--seed" && i + 1 < argc) {
      arguments.first_seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--seeds" && i + 1 < argc) {
      arguments.seeds_max = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--lines" && i + 1 < argc) {
      arguments.lines = std::strtoul(argv[++i], nullptr, 10);
    } else if (argument == "--show") {
      arguments.show = true;
    } else {
      arguments.wanted.push_back(argument);
    }
  }
  const std::vector<std::string>& wanted = arguments.wanted;
  for (const std::string& name : wanted) {
    const bool known = std::any_of(std::begin(kMutants), std::end(kMutants),
                                   [&](const Mutant& mutant) { return name == mutant.name; });
    if (known) continue;
    std::fprintf(stderr, "inkmesh_mutants: there is no mutation %s\n%s", name.c_str(), kHelp);
    return 2;
  }
  std::printf("%-28s %8s %8s  %s\n", "MUTATION", "SEEDS", "SECONDS", "CAUGHT BY");
  unsigned tried = 0;
  unsigned caught = 0;
  for (const Mutant& mutant : kMutants) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), mutant.name) == wanted.end()) continue;
    const auto begin = std::chrono::steady_clock::now();
    const Verdict verdict = try_out(mutant.mutation, arguments);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    ++tried;
    caught += verdict.caught ? 1 : 0;
    std::printf("%-28s %8llu %8.1f  %s\n", mutant.name, static_cast<unsigned long long>(verdict.seeds), seconds,
                verdict.caught ? verdict.text : "NOTHING");
    std::fflush(stdout);
  }
  std::printf("%u of %u caught\n", caught, tried);
  return caught == tried ? 0 : 1;
}
