#include "load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace inkmesh::bench {
namespace {

TEST(Histogram, IsWithinTwoPercentOfTheTruth) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> durations(13, 3);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(static_cast<std::uint64_t>(durations(random)));
    histogram.add(values.back());
  }
  std::ranges::sort(values);
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    const auto truth = static_cast<double>(values[rank - 1]);
    EXPECT_NEAR(static_cast<double>(histogram.at(share)), truth, truth * 0.02) << share;
  }
  EXPECT_EQ(histogram.max(), values.back());
  EXPECT_EQ(histogram.at(1), values.back());
}

TEST(Histogram, TakesWhateverFitsANumber) {
  Histogram histogram;
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}})
    histogram.add(value);
  EXPECT_EQ(histogram.at(0), 0U);
  EXPECT_EQ(histogram.at(0.5), 1U);
  EXPECT_EQ(histogram.at(1), ~std::uint64_t{0});
}

TEST(Histogram, OfNothing) {
  const Histogram histogram;
  EXPECT_EQ(histogram.at(0.5), 0U);
  EXPECT_EQ(histogram.mean(), 0);
}

TEST(Histogram, CurveRises) {
  Histogram histogram;
  for (std::uint64_t i = 1; i <= 1000; ++i)
    histogram.add(i * 1000);
  const auto curve = histogram.curve();
  EXPECT_TRUE(std::ranges::is_sorted(curve));
  EXPECT_EQ(curve.back(), std::make_pair(1.0, std::uint64_t{1'000'000}));
}

}  // namespace
}  // namespace inkmesh::bench
