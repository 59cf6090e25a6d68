#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace inkmesh::cli {

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::show(double done, const std::string& words) {
  constexpr auto kPause = std::chrono::milliseconds(100);
  constexpr std::size_t kWidth = 30;
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || (drawn_ && now - shown_ < kPause)) return;
  shown_ = now;
  drawn_ = true;
  std::string line = "\r\x1b[K";
  if (done >= 0) {
    const auto filled = static_cast<std::size_t>(std::clamp(done, 0.0, 1.0) * static_cast<double>(kWidth));
    line += "[" + std::string(filled, '#') + std::string(kWidth - filled, ' ') + "] ";
  }
  std::cerr << line << words << std::flush;
}

void Progress::note(const std::string& line) {
  clear();
  std::cerr << line << std::endl;
}

void Progress::clear() {
  if (drawn_) std::cerr << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

}  // namespace inkmesh::cli
