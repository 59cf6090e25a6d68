// The command line of inkmesh.
#pragma once

namespace inkmesh::cli {

/// Parses the command line, runs the subcommand and returns the process's exit code: 0, 1 (it failed) or 2 (usage).
int run_program(int argc, char** argv);

}  // namespace inkmesh::cli
