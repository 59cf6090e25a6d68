#include "inkmesh/cursor.h"

#include <algorithm>
#include <map>
#include <utility>

namespace inkmesh {
namespace {

using Entry = Cursor::Map::value_type;

bool before(const Entry& entry, std::string_view origin) {
  return entry.first < origin;
}

bool not_ascending(const Entry& a, const Entry& b) {
  return a.first >= b.first;
}

}  // namespace

Cursor::Cursor(Map seqs) : seqs_(std::move(seqs)) {
  if (std::adjacent_find(seqs_.begin(), seqs_.end(), not_ascending) != seqs_.end()) {
    std::map<Origin, Seq> last;
    for (Entry& entry : seqs_)
      last.insert_or_assign(std::move(entry.first), entry.second);
    seqs_.clear();
    while (!last.empty()) {
      auto next = last.extract(last.begin());
      seqs_.emplace_back(std::move(next.key()), next.mapped());
    }
  }
  const auto zero = [](const Entry& entry) { return entry.second == 0; };
  seqs_.erase(std::remove_if(seqs_.begin(), seqs_.end(), zero), seqs_.end());
}

Cursor::Map::iterator Cursor::place(std::string_view origin) {
  return std::lower_bound(seqs_.begin(), seqs_.end(), origin, before);
}

Seq Cursor::at(std::string_view origin) const {
  const auto it = std::lower_bound(seqs_.begin(), seqs_.end(), origin, before);
  return it == seqs_.end() || it->first != origin ? 0 : it->second;
}

void Cursor::set(const Origin& origin, Seq seq) {
  const auto it = place(origin);
  const bool known = it != seqs_.end() && it->first == origin;
  if (seq == 0) {
    if (known) seqs_.erase(it);
  } else if (known) {
    it->second = seq;
  } else {
    seqs_.emplace(it, origin, seq);
  }
}

void Cursor::raise(const Origin& origin, Seq seq) {
  const auto it = place(origin);
  if (it != seqs_.end() && it->first == origin) {
    it->second = std::max(it->second, seq);
  } else if (seq != 0) {
    seqs_.emplace(it, origin, seq);
  }
}

void Cursor::merge(const Cursor& other) {
  if (covers(other)) return;
  Map both;
  both.reserve(seqs_.size() + other.seqs_.size());
  auto theirs = other.seqs_.begin();
  for (Entry& ours : seqs_) {
    for (; theirs != other.seqs_.end() && theirs->first < ours.first; ++theirs)
      both.push_back(*theirs);
    if (theirs != other.seqs_.end() && theirs->first == ours.first) {
      ours.second = std::max(ours.second, theirs->second);
      ++theirs;
    }
    both.push_back(std::move(ours));
  }
  both.insert(both.end(), theirs, other.seqs_.end());
  seqs_ = std::move(both);
}

bool Cursor::covers(const Cursor& other) const {
  auto ours = seqs_.begin();
  for (const auto& [origin, seq] : other.seqs_) {
    while (ours != seqs_.end() && ours->first < origin)
      ++ours;
    if (ours == seqs_.end() || ours->first != origin || ours->second < seq) return false;
  }
  return true;
}

}  // namespace inkmesh
