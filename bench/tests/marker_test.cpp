#include "load/marker.h"

#include <gtest/gtest.h>

#include "load/strokes.h"

namespace inkmesh::bench {
namespace {

constexpr Mark kMark{.publisher = 0xabc123, .seq = 4'000'000'001, .due_ns = 0x0123456789abcdef};

TEST(Marker, IsReadAsItWasWritten) {
  std::string text;
  append_mark(kMark, text);
  EXPECT_EQ(text.size(), kMarkBytes);
  std::size_t from = 0;
  Mark mark;
  ASSERT_TRUE(next_mark(text, from, mark));
  EXPECT_EQ(mark.publisher, kMark.publisher);
  EXPECT_EQ(mark.seq, kMark.seq);
  EXPECT_EQ(mark.due_ns, kMark.due_ns);
  EXPECT_FALSE(next_mark(text, from, mark));
}

TEST(Marker, EveryOneOfABatchIsFound) {
  std::string batch;
  for (std::uint32_t seq = 1; seq <= 50; ++seq)
    append_stroke({.publisher = 3, .seq = seq, .due_ns = seq}, batch);
  std::size_t from = 0;
  Mark mark;
  for (std::uint32_t seq = 1; seq <= 50; ++seq) {
    ASSERT_TRUE(next_mark(batch, from, mark));
    EXPECT_EQ(mark.seq, seq);
  }
  EXPECT_FALSE(next_mark(batch, from, mark));
}

TEST(Marker, WhatOnlyLooksLikeOneIsNone) {
  std::string whole;
  append_mark(kMark, whole);
  std::string wrong_digit = whole;
  wrong_digit[3] = 'G';
  for (const auto& text : {std::string(), std::string("@"), std::string(40, '@'), whole.substr(1),
                           whole.substr(0, kMarkBytes - 1), wrong_digit}) {
    std::size_t from = 0;
    Mark mark;
    EXPECT_FALSE(next_mark(text, from, mark)) << text;
  }
  std::size_t from = 0;
  Mark mark;
  EXPECT_TRUE(next_mark("@@" + whole, from, mark));
}

TEST(Marker, StrokesAreAboutTwoHundredBytes) {
  for (std::uint32_t seq = 1; seq < 100; ++seq) {
    std::string stroke;
    append_stroke({.publisher = 1, .seq = seq, .due_ns = 1}, stroke);
    EXPECT_GE(stroke.size(), 150U);
    EXPECT_LE(stroke.size(), 250U);
  }
}

}  // namespace
}  // namespace inkmesh::bench
