// A histogram of durations with a fixed relative error: 64 buckets for each doubling, so under 1.6 %.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace inkmesh::bench {

class Histogram {
 public:
  Histogram();

  void add(std::uint64_t value);

  std::uint64_t count() const {
    return count_;
  }
  std::uint64_t max() const {
    return max_;
  }
  double mean() const;

  /// The value that `share` (0 to 1) of all values do not exceed: the upper end of its bucket, at most the largest
  /// value.
  std::uint64_t at(double share) const;

  /// (share, value) at ever rarer shares, for a plot.
  std::vector<std::pair<double, std::uint64_t>> curve() const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace inkmesh::bench
