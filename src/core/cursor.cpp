#include "inkmesh/cursor.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

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
    // Places are sorted, since a request may ask for little memory: std::stable_sort and a map take more.
    std::vector<std::uint32_t> places(seqs_.size());
    std::iota(places.begin(), places.end(), 0U);
    std::sort(places.begin(), places.end(), [this](std::uint32_t a, std::uint32_t b) {
      const int order = seqs_[a].first.compare(seqs_[b].first);
      return order != 0 ? order < 0 : a < b;
    });
    Map sorted;
    sorted.reserve(seqs_.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
      Entry& entry = seqs_[places[i]];
      const bool last = i + 1 == places.size() || seqs_[places[i + 1]].first != entry.first;
      if (last) sorted.push_back(std::move(entry));
    }
    seqs_ = std::move(sorted);
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
