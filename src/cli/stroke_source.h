// Where `inkmesh draw` gets its strokes from: a file or standard input, as lines of JSON, a JSON array, or characters.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "cli/hanzi.h"

namespace inkmesh::cli {

/// Reads on as strokes are taken, so that a pipe may go on for ever; never blocks in next().
class StrokeSource {
 public:
  /// `path` "-" is standard input. Throws UsageError when the file cannot be opened.
  StrokeSource(const std::string& path, PageLayout page);
  ~StrokeSource();
  StrokeSource(const StrokeSource&) = delete;
  StrokeSource& operator=(const StrokeSource&) = delete;

  /// The next stroke's data; nothing when none is there yet or ended(). Throws UsageError with the line's number at
  /// what is no JSON or over 64 KiB.
  std::optional<std::string> next();

  /// Every stroke was taken.
  bool ended() const {
    return at_end_ && ready_.empty();
  }

  /// How far it has come, 0 to 1; negative where that cannot be known (a pipe).
  double done() const;

 private:
  void read_some();
  void take_lines();
  void take_value(std::string_view json);
  [[noreturn]] void refuse(const std::string& what) const;

  std::string name_;
  PageLayout page_;
  int fd_ = -1;
  std::size_t size_bytes_ = 0;  ///< 0: not known
  std::size_t read_bytes_ = 0;
  std::string text_;  ///< read and not yet taken apart
  std::size_t line_ = 0;
  std::size_t characters_ = 0;
  std::deque<std::string> ready_;
  bool input_ended_ = false;
  bool at_end_ = false;
};

}  // namespace inkmesh::cli
