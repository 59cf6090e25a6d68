#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "node/stop_signals.h"

namespace inkmesh::node {
namespace {

/// A process that waits for the first signal, tells which it was, and then only for its end.
class Child {
 public:
  Child() {
    int told[2];
    int blocked[2];
    if (pipe(told) != 0 || pipe(blocked) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ == 0) {
      const StopSignals signals;
      write_one(blocked[1], 0);
      write_one(told[1], static_cast<char>(signals.wait()));
      for (;;)
        pause();
    }
    told_ = told[0];
    close(told[1]);
    close(blocked[1]);
    char ready = 0;
    while (read(blocked[0], &ready, 1) < 0) {
    }
    close(blocked[0]);
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    close(told_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void send(int signal) const {
    kill(pid_, signal);
  }
  /// The first signal as the process saw it.
  int told() const {
    char signal = 0;
    return read(told_, &signal, 1) == 1 ? signal : 0;
  }
  /// The signal that ended it.
  int ended_by() const {
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
    return info.si_code == CLD_KILLED ? info.si_status : 0;
  }

 private:
  static void write_one(int fd, char byte) {
    while (write(fd, &byte, 1) < 0) {
    }
  }

  pid_t pid_ = -1;
  int told_ = -1;
};

TEST(StopSignals, TellTheFirst) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const Child child;
    child.send(signal);
    EXPECT_EQ(child.told(), signal);
  }
}

TEST(StopSignals, TheSameAgainEndsTheProcess) {
  const Child child;
  child.send(SIGTERM);
  ASSERT_EQ(child.told(), SIGTERM);
  child.send(SIGTERM);
  EXPECT_EQ(child.ended_by(), SIGTERM);
}

TEST(StopSignals, TheOtherOneDoesNot) {
  const Child child;
  child.send(SIGINT);
  ASSERT_EQ(child.told(), SIGINT);
  child.send(SIGTERM);
  child.send(SIGINT);
  EXPECT_EQ(child.ended_by(), SIGINT);
}

}  // namespace
}  // namespace inkmesh::node
