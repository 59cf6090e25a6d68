#include "cli/stop_signal.h"

#include <csignal>

namespace inkmesh::cli {
namespace {

volatile std::sig_atomic_t asked = 0;

void ask(int) {
  asked = 1;
}

}  // namespace

void watch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = &ask;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_asked() {
  return asked != 0;
}

}  // namespace inkmesh::cli
