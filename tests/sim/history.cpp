#include "history.h"

#include <algorithm>
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

bool has_digit(const std::string& word) {
  return std::any_of(word.begin(), word.end(), [](unsigned char each) { return std::isdigit(each) != 0; });
}

/// What lines that are alike share. Of a line on a stroke that is looked for: all but the numbers of requests, rounds
/// and frames. Of any other: who speaks, and of what kind of thing.
std::string shape(const Concern::Chosen& chosen) {
  std::istringstream words(chosen.line->text);
  std::string shape;
  words >> shape;
  for (std::string word; words >> word;) {
    const bool counts = chosen.itself ? word[0] == '#' : has_digit(word);
    if (!counts) shape += ' ' + word;
  }
  return shape;
}

/// Lines as they are, but for those that are like one of the last few: of these the number is said.
class Folded {
 public:
  void add(const Concern::Chosen& chosen) {
    const Trace::Line& line = *chosen.line;
    const std::string shape = sim::shape(chosen);
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
