#include "history.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>
#include <vector>

namespace inkmesh::sim {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool number_at(const std::string& text, std::size_t& at, Seq& number) {
  const std::size_t begin = at;
  number = 0;
  while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0)
    number = number * 10 + static_cast<Seq>(text[at++] - '0');
  return at != begin;
}

/// `text` has `origin:seq`, or a run of that origin with it in between, or offers or confirms all up to it.
bool has_stroke(const std::string& text, const Origin& origin, Seq seq) {
  for (std::size_t at = text.find(origin + ":"); at != std::string::npos; at = text.find(origin + ":", at)) {
    at += origin.size() + 1;
    Seq first = 0;
    if (!number_at(text, at, first)) continue;
    Seq last = first;
    if (text.compare(at, 2, "..") == 0) {
      at += 2;
      number_at(text, at, last);
    }
    const bool up_to = (has(text, "[offer ") || has(text, "[stored ")) && first == last;
    if ((first <= seq || up_to) && seq <= last) return true;
  }
  return false;
}

/// What a violation's words name.
class Concern {
 public:
  explicit Concern(const Result& result) {
    if (!result.violation) return;
    channel_ = result.violation->channel;
    std::string text = result.violation->text;
    for (char& each : text) {
      if (std::string("(),;").find(each) != std::string::npos) each = ' ';
    }
    std::istringstream words(text);
    for (std::string word; words >> word;)
      take(word);
    strokes_ = result.concerned;
  }

  bool concerns(const Trace::Line& line) const {
    const std::string& text = line.text;
    const bool fault = text.rfind("==", 0) == 0 || has(text, " crashes") || has(text, " starts as ");
    if (fault) return nodes_.empty() || !names_a_node(text) || names(text, nodes_);
    if (!channel_.empty() && line.channel != channel_ && !(line.channel.empty() && has(text, channel_))) return false;
    if (channel_.empty() && line.channel.empty()) return false;
    if (ops_.empty() && strokes_.empty() && clients_.empty()) return true;
    if (names(text, clients_)) return true;
    const bool op =
        std::any_of(ops_.begin(), ops_.end(), [&](const std::string& each) { return has(text + " ", each); });
    return op || std::any_of(strokes_.begin(), strokes_.end(),
                             [&](const auto& stroke) { return has_stroke(text, stroke.first, stroke.second); });
  }

 private:
  void take(const std::string& word) {
    if (has(word, "~")) {
      nodes_.insert(word.substr(0, word.find('~')));
    } else if (has(word, "/")) {
      ops_.insert(" " + word + " ");
      clients_.insert(word.substr(0, word.find('/')));
    } else if (is_name(word, "ws")) {
      nodes_.insert(word);
    } else if (is_name(word, "c")) {
      clients_.insert(word);
    }
  }

  static bool is_name(const std::string& word, const std::string& prefix) {
    return word.size() > prefix.size() && word.rfind(prefix, 0) == 0 &&
           std::all_of(word.begin() + static_cast<std::ptrdiff_t>(prefix.size()), word.end(),
                       [](unsigned char each) { return std::isdigit(each) != 0; });
  }
  static bool names_a_node(const std::string& text) {
    std::istringstream words(text);
    for (std::string word; words >> word;) {
      if (is_name(word.substr(0, word.find('~')), "ws")) return true;
    }
    return false;
  }
  /// Of a client's line the speaker alone counts: connections have such names, too.
  static bool names(const std::string& text, const std::set<std::string>& names) {
    std::istringstream words(text);
    std::string word;
    words >> word;
    if (names.count(word) != 0) return true;
    while (words >> word) {
      const std::string node = word.substr(0, std::min(word.find('~'), word.find('\'')));
      if (is_name(node, "ws") && names.count(node) != 0) return true;
    }
    return false;
  }

  Channel channel_;
  std::set<std::string> nodes_;
  std::set<std::string> clients_;
  std::set<std::string> ops_;
  std::vector<std::pair<Origin, Seq>> strokes_;
};

std::string time_text(SimUs at) {
  return "  " + std::to_string(at / 1000) + "." + std::to_string(at % 1000 / 100) + " ms  ";
}

}  // namespace

std::string history(const Result& result, const View& view) {
  const Concern concern(result);
  std::vector<const Trace::Line*> kept;
  for (const Trace::Line& line : result.history) {
    if (view.all || concern.concerns(line)) kept.push_back(&line);
  }
  const std::size_t first = view.all || kept.size() <= view.lines_max ? 0 : kept.size() - view.lines_max;
  std::ostringstream out;
  if (first != 0) out << "  ... " << first << " lines before ...\n";
  for (std::size_t i = first; i < kept.size(); ++i)
    out << time_text(kept[i]->at) << kept[i]->text << '\n';
  if (result.violation) {
    out << time_text(result.violation->at) << "BROKEN: " << result.violation->channel
        << (result.violation->channel.empty() ? "" : ": ") << result.violation->text << '\n';
  }
  return out.str();
}

}  // namespace inkmesh::sim
