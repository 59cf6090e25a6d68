#include "node/stop_signals.h"

#include <pthread.h>

namespace inkmesh::node {

StopSignals::StopSignals() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int StopSignals::wait() const {
  int signal = 0;
  while (sigwait(&set_, &signal) != 0) {
  }
  std::signal(signal, SIG_DFL);
  sigset_t again;
  sigemptyset(&again);
  sigaddset(&again, signal);
  pthread_sigmask(SIG_UNBLOCK, &again, nullptr);
  return signal;
}

}  // namespace inkmesh::node
