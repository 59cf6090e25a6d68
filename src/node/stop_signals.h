// SIGTERM and SIGINT: the wish that the node ends.
#pragma once

#include <csignal>

namespace inkmesh::node {

/// Blocks both signals, for the calling thread and all that it starts from then on; a broken pipe is an error of the
/// write, not a signal.
class StopSignals {
 public:
  StopSignals();

  /// The next of the two, SIGTERM or SIGINT. From then on the same one ends the process at once. The other one does
  /// not: a terminal's SIGINT goes to a supervisor too, which passes its own wish on. Main thread only.
  int wait() const;

 private:
  sigset_t set_{};
};

}  // namespace inkmesh::node
