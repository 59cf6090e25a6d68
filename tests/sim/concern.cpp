#include "concern.h"

#include <algorithm>
#include <cctype>
#include <sstream>

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

bool is_name(const std::string& word, const std::string& prefix) {
  return word.size() > prefix.size() && word.rfind(prefix, 0) == 0 &&
         std::all_of(word.begin() + static_cast<std::ptrdiff_t>(prefix.size()), word.end(),
                     [](unsigned char each) { return std::isdigit(each) != 0; });
}

/// The words of a text without what surrounds them; `ws1` for `ws1~abc:3` and `ws1's`, too.
std::vector<std::string> names_in(std::string text) {
  for (char& each : text) {
    if (std::string("(),;:[]").find(each) != std::string::npos) each = ' ';
  }
  std::istringstream words(text);
  std::vector<std::string> names;
  for (std::string word; words >> word;) {
    const std::string name = word.substr(0, word.find_first_of("~'"));
    if (is_name(name, "ws") || is_name(name, "c")) names.push_back(name);
  }
  return names;
}

bool names_any(const std::string& text, const std::set<std::string>& names) {
  if (names.empty()) return false;
  const std::vector<std::string> all = names_in(text);
  return std::any_of(all.begin(), all.end(), [&](const std::string& each) { return names.count(each) != 0; });
}

/// A node that it names, or none: concerns all.
bool names_a_node(const std::string& text) {
  const std::vector<std::string> all = names_in(text);
  return std::any_of(all.begin(), all.end(), [](const std::string& each) { return is_name(each, "ws"); });
}

bool is_fault(const std::string& text) {
  return text.rfind("==", 0) == 0 || has(text, " crashes") || has(text, " starts as ");
}

/// Strokes themselves, and not only how far somebody has come.
bool carries(const std::string& text) {
  if (has(text, "[run ") || has(text, "[repair ")) return true;
  return !has(text, " -> to ") && !has(text, " <- read-done ") && !has(text, " -> read ") && !has(text, " history ");
}

/// A client comes or goes.
bool is_connection(const std::string& text) {
  return has(text, " connects to ") || has(text, " loses its connection") || has(text, " is disconnected") ||
         has(text, " <- opened ") || has(text, " <- closed ");
}

}  // namespace

Concern::Concern(const Result& result) {
  if (!result.violation) return;
  channel_ = result.violation->channel;
  topic_ = result.violation->topic;
  std::string text = result.violation->text;
  for (char& each : text) {
    if (std::string("(),;").find(each) != std::string::npos) each = ' ';
  }
  std::istringstream words(text);
  for (std::string word; words >> word;)
    take(word);
  strokes_ = result.concerned;
}

void Concern::take(const std::string& word) {
  if (has(word, "~")) {
    nodes_.insert(word.substr(0, word.find('~')));
  } else if (has(word, "/")) {
    ops_.insert(" " + word + " ");
    authors_.insert(word.substr(0, word.find('/')));
  } else {
    const std::string name = word.substr(0, word.find('\''));
    if (is_name(name, "ws")) nodes_.insert(name);
    if (is_name(name, "c")) clients_.insert(name);
  }
}

bool Concern::concerns_stroke(const std::string& text) const {
  const bool op = std::any_of(ops_.begin(), ops_.end(), [&](const std::string& each) { return has(text + " ", each); });
  return op || std::any_of(strokes_.begin(), strokes_.end(),
                           [&](const auto& stroke) { return has_stroke(text, stroke.first, stroke.second); });
}

bool Concern::concerns(const Trace::Line& line) const {
  const std::string& text = line.text;
  if (is_connection(text)) return names_any(text, clients_) || names_any(text, authors_);
  const bool here = channel_.empty() || line.channel == channel_ || (line.channel.empty() && has(text, channel_));
  if (!here || (channel_.empty() && line.channel.empty())) return false;
  // The answer that called a history complete does not bear the stroke that it lacks.
  const bool answers = has(text, " -> live ") || has(text, " -> history ");
  if (answers && has(text, " complete") && names_any(text, nodes_) && topic_.empty()) return true;
  const bool on_topic = topic_.empty() || has(text, topic_);
  if (names_any(text, clients_)) return on_topic || has(text, "subscribe");
  if (!of_no_stroke()) return on_topic && concerns_stroke(text);
  return on_topic && (nodes_.empty() || names_any(text, nodes_));
}

std::vector<Concern::Chosen> Concern::choose(const std::vector<Trace::Line>& lines) const {
  std::set<std::string> nodes = nodes_;
  std::vector<bool> chosen(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    chosen[i] = !is_fault(lines[i].text) && concerns(lines[i]);
    if (!chosen[i]) continue;
    for (const std::string& name : names_in(lines[i].text)) {
      if (is_name(name, "ws")) nodes.insert(name);
    }
  }
  std::vector<Chosen> kept;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& text = lines[i].text;
    const bool fault = is_fault(text) && (nodes.empty() || !names_a_node(text) || names_any(text, nodes));
    if (chosen[i] || fault) kept.push_back({&lines[i], fault || (carries(text) && concerns_stroke(text))});
  }
  return kept;
}

}  // namespace inkmesh::sim
