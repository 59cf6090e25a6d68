// Which lines of a history concern a broken promise: those on what the violation's words name.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "run.h"

namespace inkmesh::sim {

class Concern {
 public:
  explicit Concern(const Result& result);

  struct Chosen {
    const Trace::Line* line = nullptr;
    /// It carries a stroke that the violation names, or is a fault. Of others that are alike any is as good.
    bool itself = false;
  };
  /// In order; of the faults those of nodes that the other lines are about.
  std::vector<Chosen> choose(const std::vector<Trace::Line>& lines) const;

 private:
  bool of_no_stroke() const {
    return ops_.empty() && strokes_.empty();
  }
  void take(const std::string& word);
  bool concerns(const Trace::Line& line) const;
  bool concerns_stroke(const std::string& text) const;

  Channel channel_;
  std::string topic_;
  std::set<std::string> nodes_;
  std::set<std::string> clients_;
  std::set<std::string> authors_;  ///< of the ops
  std::set<std::string> ops_;
  std::vector<std::pair<Origin, Seq>> strokes_;
};

}  // namespace inkmesh::sim
