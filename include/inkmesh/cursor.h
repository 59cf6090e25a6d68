// A cursor: the version vector of one channel, {"ws1~5k2m9x1q": 42}. What a reader has seen: for each origin every
// stroke up to and including that seq. An origin that is absent stands at 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "inkmesh/types.h"

namespace inkmesh {

/// Past so many origins operators are told: some 400 fill an HTTP request, some 3,000 a client's frame.
constexpr std::uint32_t kOriginsMany = 300;

class Cursor {
 public:
  /// Side by side rather than in a tree: cursors of hundreds of origins are built, compared and sent at every pull.
  using Map = std::vector<std::pair<Origin, Seq>>;

  Cursor() = default;
  /// In any order; of an origin that is named twice the last counts.
  explicit Cursor(Map seqs);

  /// The seq of an origin, 0 where it is absent.
  Seq at(std::string_view origin) const;
  /// Sets an origin's seq; 0 removes it.
  void set(const Origin& origin, Seq seq);
  /// Raises an origin's seq to at least `seq`.
  void raise(const Origin& origin, Seq seq);
  /// Raises every origin to at least what `other` has (the least upper bound of the two).
  void merge(const Cursor& other);
  /// True when nothing that `other` has seen is past this cursor.
  bool covers(const Cursor& other) const;

  bool empty() const {
    return seqs_.empty();
  }
  std::size_t size() const {
    return seqs_.size();
  }
  /// By origin, none of them at 0.
  const Map& seqs() const {
    return seqs_;
  }

  friend bool operator==(const Cursor& a, const Cursor& b) {
    return a.seqs_ == b.seqs_;
  }
  friend bool operator!=(const Cursor& a, const Cursor& b) {
    return !(a == b);
  }

 private:
  Map::iterator place(std::string_view origin);

  Map seqs_;
};

}  // namespace inkmesh
