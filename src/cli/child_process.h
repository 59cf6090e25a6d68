// A process that must not outlive its parent.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace inkmesh::cli {

/// How a process ended, in words: "ended with exit code 1", "was killed by signal 9 (Killed)".
std::string ending_in_words(int wait_status);

/// A child of this process, not yet waited for, so that its pid is its own. The kernel kills it (SIGKILL) when the
/// thread that started it ends, however that happens: start it from the main thread.
class ChildProcess {
 public:
  /// Runs this very program with `arguments`, its output and errors appended to `log_path`, in a process group of its
  /// own: a terminal's Ctrl-C reaches the parent alone. Throws std::runtime_error.
  ChildProcess(const std::vector<std::string>& arguments, const std::string& log_path);

  pid_t pid() const {
    return pid_;
  }

  /// The wait status once it has ended; without waiting.
  std::optional<int> ended();

  /// Sends a signal, unless it has ended.
  void signal(int number);

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

}  // namespace inkmesh::cli
