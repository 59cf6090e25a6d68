#include "cli/stroke_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/json_slice.h"

namespace inkmesh::cli {
namespace {

class StrokeSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/inkmesh_strokes_XXXXXX";
    const int fd = ::mkstemp(path);
    ASSERT_GE(fd, 0);
    ::close(fd);
    path_ = path;
  }
  void TearDown() override {
    ::unlink(path_.c_str());
  }

  std::vector<std::string> strokes_of(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    StrokeSource source(path_, {});
    std::vector<std::string> strokes;
    while (!source.ended()) {
      if (auto stroke = source.next()) strokes.push_back(std::move(*stroke));
    }
    return strokes;
  }

  std::string refusal_of(const std::string& text) {
    try {
      strokes_of(text);
    } catch (const UsageError& error) {
      return std::string(error.what()).substr(path_.size());
    }
    return "taken without a word";
  }

  std::string path_;
};

using Strokes = std::vector<std::string>;

TEST_F(StrokeSourceTest, LinesAreStrokesAsTheyStand) {
  EXPECT_EQ(strokes_of("{\"n\":1.50}\n\n  \"x\" \r\n7"), (Strokes{"{\"n\":1.50}", "\"x\"", "7"}));
  EXPECT_EQ(strokes_of(""), Strokes{});
  EXPECT_EQ(strokes_of("\n\n"), Strokes{});
}

TEST_F(StrokeSourceTest, AnArrayIsItsElements) {
  EXPECT_EQ(strokes_of("[{\"n\":1},{\"n\":2}]"), (Strokes{"{\"n\":1}", "{\"n\":2}"}));
  EXPECT_EQ(strokes_of("[\n  {\"n\": 1},\n  {\"n\": 2}\n]\n"), (Strokes{"{\"n\": 1}", "{\"n\": 2}"}));
}

TEST_F(StrokeSourceTest, OneObjectMayTakeManyLines) {
  EXPECT_EQ(strokes_of("{\n  \"n\": 1\n}\n"), (Strokes{"{\n  \"n\": 1\n}"}));
}

TEST_F(StrokeSourceTest, MoreThanOneReadOfLines) {
  std::string text;
  for (int i = 0; i < 50'000; ++i)
    text += std::to_string(i) + "\n";
  const auto strokes = strokes_of(text);
  ASSERT_EQ(strokes.size(), 50'000U);
  EXPECT_EQ(strokes.back(), "49999");
}

TEST_F(StrokeSourceTest, CharactersAreWrittenInRows) {
  const std::string character = R"({"strokes":["M 1"],"medians":[[[0,900],[1024,-124]],[[512,388]]],"radStrokes":[0]})";
  const auto strokes = strokes_of(character + "\n" + character + "\n");
  ASSERT_EQ(strokes.size(), 4U);
  EXPECT_EQ(strokes[0], R"({"t":"pen","c":"#1a1a1a","w":4,"p":[[0,0,0.35],[200,200,0.35]]})");
  EXPECT_EQ(strokes[1], R"({"t":"pen","c":"#1a1a1a","w":4,"p":[[100,100,0.75]]})");
  EXPECT_EQ(strokes[3], R"({"t":"pen","c":"#1a1a1a","w":4,"p":[[300,100,0.75]]})");
  for (const std::string& stroke : strokes)
    EXPECT_EQ(json_mistake(stroke), "");
}

TEST_F(StrokeSourceTest, ThePageFillsRowByRowAndBeginsAgain) {
  std::string text;
  for (int i = 0; i < 41; ++i)
    text += "{\"medians\":[[[0,900]]]}\n";
  const auto strokes = strokes_of(text);
  ASSERT_EQ(strokes.size(), 41U);
  EXPECT_NE(strokes[7].find("[[1400,0,"), std::string::npos) << strokes[7];
  EXPECT_NE(strokes[8].find("[[0,200,"), std::string::npos) << strokes[8];
  EXPECT_NE(strokes[39].find("[[1400,800,"), std::string::npos) << strokes[39];
  EXPECT_EQ(strokes[40], strokes[0]);
}

TEST_F(StrokeSourceTest, SaysWhichLineIsWrong) {
  EXPECT_EQ(refusal_of("1\n{\"a\":}\n"), ":2: not JSON: expected a value (byte 6)");
  EXPECT_EQ(refusal_of("1\n\"" + std::string(70'000, 'x') + "\"\n"), ":2: a stroke of 70002 bytes; at most 65536");
  EXPECT_EQ(refusal_of("{\n\"n\": 1\n"), ":1: not JSON: expected a key in double quotes (byte 2)");
}

TEST_F(StrokeSourceTest, WhatCannotBeOpenedIsSaid) {
  EXPECT_THROW(StrokeSource("/nowhere/strokes.jsonl", {}), UsageError);
  EXPECT_THROW(StrokeSource("/tmp", {}), UsageError);
}

TEST_F(StrokeSourceTest, APipeIsReadAsItComes) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string path = "/proc/self/fd/" + std::to_string(ends[0]);
  StrokeSource source(path, {});
  EXPECT_EQ(source.next(), std::nullopt);
  EXPECT_FALSE(source.ended());
  ASSERT_EQ(::write(ends[1], "1\n2", 3), 3);
  EXPECT_EQ(source.next(), "1");
  EXPECT_EQ(source.next(), std::nullopt) << "half a line is none";
  ASSERT_EQ(::write(ends[1], "3\n", 2), 2);
  EXPECT_EQ(source.next(), "23");
  ::close(ends[1]);
  EXPECT_EQ(source.next(), std::nullopt);
  EXPECT_TRUE(source.ended());
  EXPECT_LT(source.done(), 0);
  ::close(ends[0]);
}

}  // namespace
}  // namespace inkmesh::cli
