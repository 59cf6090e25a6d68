#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>

#include "core/ring.h"

namespace inkmesh::core {
namespace {

TEST(Ring, ItIsAQueueAsADequeIs) {
  Ring<int> ring;
  std::deque<int> model;
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const unsigned what = random() % 16;
    // Grows for a while, then shrinks.
    if (model.empty() || what < ((i / 500) % 2 == 0 ? 9U : 6U)) {
      ring.push_back(i);
      model.push_back(i);
    } else if (what == 15 && i % 50 == 0) {
      ring.clear();
      model.clear();
    } else if (what % 2 == 0) {
      ring.pop_front();
      model.pop_front();
    } else {
      ring.pop_back();
      model.pop_back();
    }
    ASSERT_EQ(ring.size(), model.size());
    ASSERT_EQ(ring.empty(), model.empty());
    for (std::size_t at = 0; at < model.size(); ++at)
      ASSERT_EQ(ring.at(at), model[at]);
    if (!model.empty()) {
      ASSERT_EQ(ring.front(), model.front());
      ASSERT_EQ(ring.back(), model.back());
    }
  }
}

TEST(Ring, WhatLeavesIsLetGoOf) {
  Ring<std::shared_ptr<int>> ring;
  const auto value = std::make_shared<int>(1);
  for (int i = 0; i < 3; ++i)
    ring.push_back(value);
  ring.pop_front();
  EXPECT_EQ(value.use_count(), 3);
  ring.pop_back();
  EXPECT_EQ(value.use_count(), 2);
  ring.clear();
  EXPECT_EQ(value.use_count(), 1);
  for (int i = 0; i < 20; ++i)
    ring.push_back(value);
  ring.clear();
  EXPECT_EQ(value.use_count(), 1);
}

}  // namespace
}  // namespace inkmesh::core
