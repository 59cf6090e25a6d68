// The subcommands. Each adds itself to the program: its options, its help, and what it does.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <stdexcept>

namespace inkmesh::cli {

constexpr int kOk = 0;
constexpr int kFailed = 1;  ///< it was asked rightly and did not work
constexpr int kUsage = 2;   ///< a wrong command line or cluster file

/// A mistake in what was asked for; what() is for the operator. Ends the program with kUsage.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What the chosen subcommand does; returns the exit code. May throw: UsageError and ConfigError mean kUsage, any other
/// exception kFailed.
using Run = std::function<int()>;

void add_node_command(CLI::App& program, Run& run);
void add_dev_command(CLI::App& program, Run& run);
void add_check_command(CLI::App& program, Run& run);
void add_status_command(CLI::App& program, Run& run);
void add_tail_command(CLI::App& program, Run& run);
void add_draw_command(CLI::App& program, Run& run);

}  // namespace inkmesh::cli
