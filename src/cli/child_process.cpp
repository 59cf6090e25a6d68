#include "cli/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace inkmesh::cli {
namespace {

constexpr int kExecFailed = 127;

/// Between fork and exec: only what is safe there.
[[noreturn]] void become(char* const* arguments, int log_fd, pid_t parent) {
  // Should the parent be gone already, then nobody would send the signal any more.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) ::_exit(kExecFailed);
  ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  const int null_fd = ::open("/dev/null", O_RDONLY);
  if (null_fd < 0 || ::dup2(null_fd, STDIN_FILENO) < 0 || ::dup2(log_fd, STDOUT_FILENO) < 0 ||
      ::dup2(log_fd, STDERR_FILENO) < 0) {
    ::_exit(kExecFailed);
  }
  if (null_fd > STDERR_FILENO) ::close(null_fd);
  ::execv("/proc/self/exe", arguments);
  ::_exit(kExecFailed);
}

}  // namespace

std::string ending_in_words(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int number = WTERMSIG(wait_status);
    return "was killed by signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
  }
  return "ended with exit code " + std::to_string(WEXITSTATUS(wait_status));
}

ChildProcess::ChildProcess(const std::vector<std::string>& arguments, const std::string& log_path) {
  std::vector<std::string> texts = arguments;
  texts.insert(texts.begin(), "inkmesh");
  std::vector<char*> argv;
  for (std::string& text : texts)
    argv.push_back(text.data());
  argv.push_back(nullptr);
  const int log_fd = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log_fd < 0) throw std::runtime_error(log_path + ": " + std::strerror(errno));
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(argv.data(), log_fd, parent);
  const int error = errno;
  ::close(log_fd);
  if (pid_ < 0) throw std::runtime_error(std::string("no new process: ") + std::strerror(error));
}

std::optional<int> ChildProcess::ended() {
  if (!status_) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  }
  return status_;
}

void ChildProcess::signal(int number) {
  if (!ended()) ::kill(pid_, number);
}

}  // namespace inkmesh::cli
