#include "store/map_in_use.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace inkmesh::store {
namespace {

constexpr std::array<int, 2> kSignals = {SIGBUS, SIGSEGV};

thread_local const char* folder_in_use = nullptr;
std::array<struct sigaction, kSignals.size()> handled_before;

// Both are called while anything may be broken: no allocation, no lock.
void say(const char* text) {
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

void say_damaged(const char* folder, const char* what) {
  for (const char* part : {"inkmesh: store folder ", folder, ": reading data.mdb failed (", what,
                           "): the file is damaged or cut short, or its disk cannot be read. ", kWayOut, "\n"}) {
    say(part);
  }
}

void on_signal(int signal, siginfo_t* info, void* /*context*/) {
  const bool bus = signal == kSignals[0];
  if (const char* folder = folder_in_use; folder != nullptr && info->si_code > 0) {
    say_damaged(folder, bus ? "SIGBUS" : "SIGSEGV");
  }
  // Whoever was there before does the rest: the same instruction fails again.
  sigaction(signal, &handled_before[bus ? 0 : 1], nullptr);
  if (info->si_code <= 0) raise(signal);
}

void watch_signals() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < kSignals.size(); ++i)
      sigaction(kSignals[i], &action, &handled_before[i]);
  });
}

}  // namespace

MapInUse::MapInUse(const std::string& folder) : outer_(folder_in_use) {
  watch_signals();
  folder_in_use = folder.c_str();
}

MapInUse::~MapInUse() {
  folder_in_use = outer_;
}

void map_is_broken(const char* what) {
  say_damaged(folder_in_use != nullptr ? folder_in_use : "(unknown)", what);
  std::abort();
}

}  // namespace inkmesh::store
