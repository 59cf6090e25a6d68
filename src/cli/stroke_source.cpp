#include "cli/stroke_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cli/commands.h"
#include "cli/json_slice.h"
#include "inkmesh/types.h"

namespace inkmesh::cli {
namespace {

/// A character with its outlines has some 10 KiB, an array may hold a drawing.
constexpr std::size_t kValueBytesMax = std::size_t{64} << 20;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

StrokeSource::StrokeSource(const std::string& path, PageLayout page)
    : name_(path == "-" ? "standard input" : path), page_(std::move(page)) {
  fd_ = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd_ < 0 || ::fstat(fd_, &info) != 0) throw UsageError(name_ + ": " + std::strerror(errno));
  if (S_ISDIR(info.st_mode)) throw UsageError(name_ + ": is a folder");
  if (S_ISREG(info.st_mode)) size_bytes_ = static_cast<std::size_t>(info.st_size);
}

StrokeSource::~StrokeSource() {
  if (fd_ > STDIN_FILENO) ::close(fd_);
}

std::optional<std::string> StrokeSource::next() {
  if (ready_.empty() && !at_end_) {
    if (!input_ended_) read_some();
    take_lines();
  }
  if (ready_.empty()) return std::nullopt;
  std::string stroke = std::move(ready_.front());
  ready_.pop_front();
  return stroke;
}

double StrokeSource::done() const {
  if (size_bytes_ == 0) return -1;
  return static_cast<double>(read_bytes_ - text_.size()) / static_cast<double>(size_bytes_);
}

void StrokeSource::read_some() {
  pollfd entry{fd_, POLLIN, 0};
  if (::poll(&entry, 1, 0) <= 0) return;
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(fd_, buffer.data(), buffer.size());
  if (got < 0 && errno != EINTR && errno != EAGAIN) throw std::runtime_error(name_ + ": " + std::strerror(errno));
  if (got == 0) input_ended_ = true;
  if (got <= 0) return;
  text_.append(buffer.data(), static_cast<std::size_t>(got));
  read_bytes_ += static_cast<std::size_t>(got);
  if (text_.size() > kValueBytesMax) refuse("a value over 64 MiB");
}

void StrokeSource::take_lines() {
  while (ready_.empty()) {
    const std::size_t end = text_.find('\n');
    if (end == std::string::npos && !input_ended_) return;
    std::string line = text_.substr(0, end);
    const std::size_t taken = end == std::string::npos ? text_.size() : end + 1;
    if (line_ == 0 && !is_blank(line) && !json_mistake(line).empty()) {
      // The first line alone is no JSON: one value that is laid out over many lines, or nothing that we know.
      if (!input_ended_) return;
      if (json_mistake(text_).empty()) {
        line_ = 1;
        take_value(std::exchange(text_, {}));
        at_end_ = true;
        return;
      }
    }
    text_.erase(0, taken);
    if (taken == 0) {
      at_end_ = true;
      return;
    }
    ++line_;
    if (!is_blank(line)) take_value(line);
  }
}

void StrokeSource::take_value(std::string_view json) {
  if (const std::string mistake = json_mistake(json); !mistake.empty()) refuse("not JSON: " + mistake);
  const auto add = [this](std::string_view data) {
    if (data.size() > kDataBytesMax) refuse("a stroke of " + std::to_string(data.size()) + " bytes; at most 65536");
    ready_.emplace_back(data);
  };
  if (const auto elements = slice_array(json)) {
    for (const std::string_view element : *elements)
      add(element);
  } else if (const auto strokes = strokes_of_character(json, page_, characters_)) {
    ++characters_;
    for (const std::string& stroke : *strokes)
      add(stroke);
  } else {
    json.remove_prefix(json.find_first_not_of(" \t\r\n"));
    json.remove_suffix(json.size() - 1 - json.find_last_not_of(" \t\r\n"));
    add(json);
  }
}

void StrokeSource::refuse(const std::string& what) const {
  throw UsageError(name_ + ":" + std::to_string(line_) + ": " + what);
}

}  // namespace inkmesh::cli
