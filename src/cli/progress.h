// A progress bar on standard error, where that is a terminal.
#pragma once

#include <chrono>
#include <string>

namespace inkmesh::cli {

class Progress {
 public:
  Progress();

  /// `done` from 0 to 1; negative: no bar, only the words. Drawn ten times a second at most.
  void show(double done, const std::string& words);

  /// A line that stays, above the bar.
  void note(const std::string& line);

  /// Takes the bar away.
  void clear();

 private:
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point shown_;
};

}  // namespace inkmesh::cli
