#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <string>

#include "node/logging.h"
#include "node/node.h"

namespace inkmesh::node {
namespace {

TEST(Logging, TextHasKeysAndValues) {
  EXPECT_EQ(text_line("node started", {{"epoch", "5k2m9x1q"}, {"nodes", 3}}), "node started epoch=5k2m9x1q nodes=3");
  EXPECT_EQ(text_line("x", {{"path", "a b"}, {"empty", ""}, {"quote", "a\"b"}}),
            R"(x path="a b" empty="" quote="a\"b")");
}

TEST(Logging, ALineStaysOneLine) {
  EXPECT_EQ(text_line("a\nb\x1b[31m", {{"k", "v\r\n2026 error forged"}}),
            R"(a\x0ab\x1b[31m k="v\x0d\x0a2026 error forged")");
}

TEST(Logging, JsonIsJsonWhateverItIsGiven) {
  for (const std::string& text : {std::string("plain"), std::string("quote\" back\\ new\n"),
                                  std::string("\xff\xfe bad"), std::string("\0nul", 4), std::string("ünï")}) {
    const std::string line = "{" + json_members(text, {{"k", text}, {"n", -5}, {"d", 1.5}}) + "}";
    rapidjson::Document json;
    json.Parse(line.data(), line.size());
    ASSERT_FALSE(json.HasParseError()) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_TRUE(json["msg"].IsString());
    EXPECT_TRUE(json["k"].IsString());
    EXPECT_EQ(json["n"].GetInt(), -5);
  }
}

TEST(Logging, LevelsHaveNames) {
  for (const char* level : {"trace", "debug", "info", "warning", "error", "off"})
    EXPECT_TRUE(valid_log_level(level));
  for (const char* level : {"", "INFO", "warn", "fatal"})
    EXPECT_FALSE(valid_log_level(level));
}

TEST(LoggingDeathTest, TheEndOfTheProcessSaysWhyAndRunsNothingElse) {
  EXPECT_EXIT(
      {
        start_logging("info", false, "ws1");
        log(Severity::info, "before");
        end_process(kExitHalted, "the store failed");
      },
      ::testing::ExitedWithCode(kExitHalted), "before[^$]*ws1 the store failed exit_code=70");
}

}  // namespace
}  // namespace inkmesh::node
