#include "inkmesh/cursor.h"

#include <algorithm>
#include <utility>

namespace inkmesh {

Cursor::Cursor(Map seqs) : seqs_(std::move(seqs)) {
  for (auto it = seqs_.begin(); it != seqs_.end();)
    it = it->second == 0 ? seqs_.erase(it) : std::next(it);
}

Seq Cursor::at(std::string_view origin) const {
  const auto it = seqs_.find(origin);
  return it == seqs_.end() ? 0 : it->second;
}

void Cursor::set(const Origin& origin, Seq seq) {
  if (seq == 0) {
    seqs_.erase(origin);
  } else {
    seqs_[origin] = seq;
  }
}

void Cursor::raise(const Origin& origin, Seq seq) {
  if (seq > at(origin)) seqs_[origin] = seq;
}

void Cursor::merge(const Cursor& other) {
  for (const auto& [origin, seq] : other.seqs_)
    raise(origin, seq);
}

bool Cursor::covers(const Cursor& other) const {
  return std::all_of(other.seqs_.begin(), other.seqs_.end(),
                     [this](const auto& entry) { return at(entry.first) >= entry.second; });
}

}  // namespace inkmesh
