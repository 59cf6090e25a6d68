#include "history.h"

#include <cctype>
#include <deque>
#include <map>
#include <sstream>
#include <vector>

#include "concern.h"

namespace inkmesh::sim {
namespace {

/// How far apart two lines that are alike may be to be taken for one that goes on.
constexpr std::size_t kAlikeWithin = 48;
/// So few more of them are shown as they are.
constexpr std::size_t kShownAgain = 2;

std::string time_text(SimUs at) {
  return "  " + std::to_string(at / 1000) + "." + std::to_string(at % 1000 / 100) + " ms  ";
}

bool is_word(char each) {
  return std::isalnum(static_cast<unsigned char>(each)) != 0 || each == '_' || each == '~';
}

/// A line without the numbers of its requests, rounds, frames and versions; `loosely`: without any number that is not a
/// part of a name.
std::string shape(const std::string& text, bool loosely) {
  std::string shape;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    const char before = i == 0 ? ' ' : text[i - 1];
    const bool version = before == 'v' && i > 1 && text[i - 2] == ' ';
    const bool counts = before == '#' || version || (loosely && !is_word(before));
    shape += digit && counts ? '0' : text[i];
    if (!digit || !counts) continue;
    const auto more = [&text](std::size_t at) {
      return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0;
    };
    while (more(i + 1) || (loosely && text.compare(i + 1, 2, "..") == 0 && more(i + 3)))
      i += more(i + 1) ? 1 : 3;
  }
  return shape;
}

/// Lines as they are, but for those that are like one of the last few: of these the number is said.
class Folded {
 public:
  void add(const Concern::Chosen& chosen) {
    const Trace::Line& line = *chosen.line;
    const std::string shape = sim::shape(line.text, !chosen.itself);
    if (recent_[shape]++ != 0) {
      again_.push_back(&line);
      return;
    }
    end();
    say(line, shape);
  }
  /// All of them.
  std::vector<std::string> take() {
    end();
    return std::move(lines_);
  }

 private:
  void say(const Trace::Line& line, const std::string& shape) {
    lines_.push_back(time_text(line.at) + line.text);
    order_.push_back(shape);
    if (order_.size() <= kAlikeWithin) return;
    recent_.erase(order_.front());
    order_.pop_front();
  }
  void end() {
    if (again_.size() > kShownAgain) {
      lines_.push_back("      ... " + std::to_string(again_.size() - 1) + " more like these ...");
      again_.erase(again_.begin(), again_.end() - 1);
    }
    // The last one shows how long it went on.
    for (const Trace::Line* line : again_)
      lines_.push_back(time_text(line->at) + line->text);
    again_.clear();
  }

  std::vector<std::string> lines_;
  std::map<std::string, unsigned> recent_;
  std::deque<std::string> order_;
  std::vector<const Trace::Line*> again_;
};

std::vector<std::string> concise(const Result& result) {
  const Concern concern(result);
  Folded folded;
  for (const Concern::Chosen& chosen : concern.choose(result.history))
    folded.add(chosen);
  return folded.take();
}

std::vector<std::string> whole(const Result& result) {
  std::vector<std::string> lines;
  for (const Trace::Line& line : result.history)
    lines.push_back(time_text(line.at) + line.text);
  return lines;
}

}  // namespace

std::string history(const Result& result, const View& view) {
  const std::vector<std::string> kept = view.all ? whole(result) : concise(result);
  const std::size_t first = view.all || kept.size() <= view.lines_max ? 0 : kept.size() - view.lines_max;
  std::ostringstream out;
  if (first != 0) out << "  ... " << first << " lines before ...\n";
  for (std::size_t i = first; i < kept.size(); ++i)
    out << kept[i] << '\n';
  if (result.violation) {
    out << time_text(result.violation->at) << "BROKEN: " << result.violation->channel
        << (result.violation->channel.empty() ? "" : ": ") << result.violation->text << '\n';
  }
  return out.str();
}

}  // namespace inkmesh::sim
