#include "load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace inkmesh::bench {
namespace {

constexpr unsigned kBits = 6;
constexpr std::uint64_t kPerOctave = 1U << kBits;
constexpr std::size_t kBuckets = (65 - kBits) * kPerOctave;

// Values under 64 have a bucket each; above, the highest bit names the octave and the six below it the bucket.
std::size_t bucket_of(std::uint64_t value) {
  if (value < kPerOctave) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - kBits - 1;
  return shift * kPerOctave + (value >> shift);
}

std::uint64_t top_of(std::size_t bucket) {
  if (bucket < 2 * kPerOctave) return bucket;
  const std::uint64_t shift = bucket / kPerOctave - 1;
  return ((bucket - shift * kPerOctave + 1) << shift) - 1;
}

}  // namespace

Histogram::Histogram() : buckets_(kBuckets) {}

void Histogram::add(std::uint64_t value) {
  ++buckets_[bucket_of(value)];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

double Histogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::uint64_t Histogram::at(double share) const {
  if (count_ == 0) return 0;
  const auto wanted =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= wanted) return std::min(top_of(i), max_);
  }
  return max_;
}

std::vector<std::pair<double, std::uint64_t>> Histogram::curve() const {
  std::vector<std::pair<double, std::uint64_t>> points;
  double rest = 1;
  while (rest > 1e-5 && (rest == 1 || rest * static_cast<double>(count_) >= 1)) {
    points.emplace_back(1 - rest, at(1 - rest));
    rest /= 1.5;
  }
  points.emplace_back(1, max_);
  return points;
}

}  // namespace inkmesh::bench
