// The scanner takes exactly what is JSON: said by hand, and held against RapidJSON on random and damaged texts.
#include "wire/json_scanner.h"

#include <gtest/gtest.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "random_values.h"
#include "wire/utf8.h"

namespace inkmesh::wire {
namespace {

using test::Random;

/// Whether `value` is one JSON value, as a member of an object.
bool taken(std::string_view value, unsigned depth_max = 64) {
  const std::string text = "{\"a\":" + std::string(value) + "}";
  JsonScanner scanner(text, depth_max);
  JsonSlice slice;
  std::string_view key;
  if (!scanner.begin_object() || !scanner.next_member(key) || !scanner.value(slice)) return false;
  const bool whole = !scanner.next_member(key) && scanner.fault() == nullptr && scanner.end();
  return whole && key == "\"a\"";
}

/// Whether the whole text is an object, member by member.
bool object(std::string_view text) {
  JsonScanner scanner(text, 64);
  if (!scanner.begin_object()) return false;
  std::string_view key;
  JsonSlice slice;
  while (scanner.next_member(key)) {
    if (!scanner.value(slice)) return false;
  }
  return scanner.fault() == nullptr && scanner.end();
}

TEST(JsonScanner, TakesWhatIsJson) {
  for (const char* value : {"0",
                            "-0",
                            "1",
                            "-1",
                            "10",
                            "1.0",
                            "0.5",
                            "1e5",
                            "1E+5",
                            "1e-5",
                            "1e400",
                            "-1e-400",
                            "1.5e00005",
                            "null",
                            "true",
                            "false",
                            "\"\"",
                            "\"a\"",
                            R"("\"\\\/\b\f\n\r\t")",
                            R"("\u0000\uABCD\uabcd")",
                            R"("\ud83d\ude00")",
                            R"("\ud800")",
                            R"("\udc00x")",
                            "\"\x7F\"",
                            "\"\xC3\xA9\"",
                            "\"\xF4\x8F\xBF\xBF\"",
                            "[]",
                            "[ ]",
                            "[1]",
                            "[ 1 , 2 ]",
                            "{}",
                            "{ }",
                            R"({"a":1})",
                            R"({ "a" : 1 , "a" : 2 })",
                            R"([[],{},[{"":[]}]])",
                            "\t\r\n [\n1\t,\r2 ]\n"}) {
    EXPECT_TRUE(taken(value)) << value;
  }
  EXPECT_TRUE(taken(std::string(5000, '1'))) << "an integer of any length";
}

TEST(JsonScanner, RefusesWhatIsNot) {
  for (const char* value : {"",
                            " ",
                            "01",
                            "-",
                            "+1",
                            "1.",
                            ".5",
                            "1e",
                            "1e+",
                            "0x1",
                            "1 2",
                            "NaN",
                            "nan",
                            "Infinity",
                            "-Infinity",
                            "nul",
                            "nulll",
                            "True",
                            "truefalse",
                            "'a'",
                            "\"",
                            "\"a",
                            "\"\\\"",
                            R"("\x")",
                            R"("\u12")",
                            R"("\u123g")",
                            R"("\U0041")",
                            "\"\n\"",
                            "\"\t\"",
                            "[",
                            "[1",
                            "[1,",
                            "[1,]",
                            "[,1]",
                            "[1 2]",
                            "[1}",
                            "{",
                            "{\"a\"",
                            "{\"a\":",
                            "{\"a\":1",
                            "{\"a\":1,}",
                            "{,}",
                            "{a:1}",
                            "{\"a\" 1}",
                            "{\"a\":1]",
                            "{1:1}",
                            "{\"a\"}",
                            "]",
                            "}",
                            "[]]",
                            "/**/1",
                            "1//",
                            "\"\x80\"",
                            "\"\xC3\"",
                            "\"\xC0\x80\"",
                            "\"\xE0\x80\x80\"",
                            "\"\xED\xA0\x80\"",
                            "\"\xF0\x80\x80\x80\"",
                            "\"\xF4\x90\x80\x80\"",
                            "\"\xF5\x80\x80\x80\"",
                            "\"\xFF\"",
                            "\xC2\xA0"
                            "1",
                            "\xEF\xBB\xBF"
                            "1"}) {
    EXPECT_FALSE(taken(value)) << value;
  }
  EXPECT_FALSE(taken(std::string_view("1\0", 2)));
  EXPECT_FALSE(taken(std::string_view("\0", 1)));
  EXPECT_FALSE(taken(std::string_view("\"a\0b\"", 5)));
}

TEST(JsonScanner, ObjectsEndWhereTheyEnd) {
  EXPECT_TRUE(object("{}"));
  EXPECT_TRUE(object(" {\"a\" : 1 , \"b\":2 } \n"));
  for (const std::string_view text :
       {std::string_view("{}{}"), std::string_view("{} x"), std::string_view("{},"), std::string_view("[]"),
        std::string_view("{\"a\":1,}"), std::string_view("{,}"), std::string_view("{}\0", 3), std::string_view("")}) {
    EXPECT_FALSE(object(text)) << text;
  }
}

TEST(JsonScanner, DepthIsBounded) {
  const auto nested = [](std::size_t levels, const std::string& open, const std::string& close) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i)
      text += open;
    text += "1";
    for (std::size_t i = 0; i < levels; ++i)
      text += close;
    return text;
  };
  for (const auto& [open, close] : {std::pair<std::string, std::string>{"[", "]"}, {"{\"a\":", "}"}}) {
    EXPECT_TRUE(taken(nested(64, open, close)));
    EXPECT_FALSE(taken(nested(65, open, close)));
    EXPECT_TRUE(taken(nested(1, open, close), 1));
    EXPECT_FALSE(taken(nested(2, open, close), 1));
    EXPECT_FALSE(taken(nested(300'000, open, close)));
  }
  EXPECT_TRUE(taken(nested(32, "{\"a\":[", "]}")));
  EXPECT_FALSE(taken(nested(32, "{\"a\":[", "}]")));
  EXPECT_FALSE(taken(std::string(300'000, '[')));
  std::string wide;
  for (int i = 0; i < 1000; ++i)
    wide += nested(64, "[", "]") + ",";
  EXPECT_FALSE(taken("[" + wide + "1]"));
  EXPECT_TRUE(taken("[[],[],[[]],[[],[]]]", 3));
}

TEST(JsonScanner, EveryAlignmentOfWhatEndsAString) {
  for (std::size_t before = 0; before < 20; ++before) {
    const std::string pad(before, 'x');
    for (std::size_t after = 0; after < 20; ++after) {
      const std::string rest(after, 'y');
      EXPECT_TRUE(taken("\"" + pad + "\\n" + rest + "\""));
      EXPECT_TRUE(taken("\"" + pad + "\xE2\x82\xAC" + rest + "\""));
      EXPECT_FALSE(taken("\"" + pad + "\x1F" + rest + "\""));
      EXPECT_FALSE(taken("\"" + pad + "\xE2\x82" + rest + "\""));
      EXPECT_FALSE(taken("\"" + pad + "\"" + rest + "\""));
    }
  }
}

TEST(JsonScanner, UnescapesToUtf8) {
  EXPECT_EQ(unescape(R"("a\"\\\/\b\f\n\r\tz")"), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(unescape(R"("\u0041\u00e9\u20AC\ud83d\ude00")"), "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(unescape(R"("\u0000")"), std::string(1, '\0'));
  for (const char* half : {R"("\ud800")", R"("\ud800x")", R"("\ud800\n")", R"("\ud800\u0041")", R"("\udc00")"}) {
    EXPECT_FALSE(unescape(half)) << half;
  }
  EXPECT_EQ(plain("\"abc\""), "abc");
  EXPECT_FALSE(plain(R"("a\nc")"));
}

TEST(Utf8, TakesEveryCharacterAndNothingElse) {
  std::size_t good = 0;
  for (unsigned lead = 0x80; lead < 0x100; ++lead) {
    for (unsigned second = 0; second < 0x100; ++second) {
      for (const unsigned rest : {0x00U, 0x41U, 0x80U, 0xBFU, 0xC0U}) {
        const char bytes[4] = {static_cast<char>(lead), static_cast<char>(second), static_cast<char>(rest),
                               static_cast<char>(rest)};
        good += utf8_multibyte(bytes, bytes + 4) > 0 ? 1U : 0U;
      }
    }
  }
  // Two bytes: 30 leads of 64, whatever follows. Three: 14 of 64 and 2 of 32. Four: 3 of 64, one of 48, one of 16.
  EXPECT_EQ(good, 30U * 64U * 5U + (14U * 64U + 2U * 32U) * 2U + (3U * 64U + 48U + 16U) * 2U);
}

/// RapidJSON's word on a text: whether it is an object, or that it cannot tell.
enum class Verdict { good, bad, unknown };

Verdict ask_rapidjson(const std::string& text) {
  struct Ignore : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Ignore> {};
  Ignore ignore;
  rapidjson::Reader reader;
  rapidjson::MemoryStream stream(text.data(), text.size());
  const auto result =
      reader.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(stream, ignore);
  if (!result.IsError()) return stream.Tell() == text.size() ? Verdict::good : Verdict::bad;
  const bool valid_to_others = result.Code() == rapidjson::kParseErrorNumberTooBig ||
                               result.Code() == rapidjson::kParseErrorStringUnicodeSurrogateInvalid;
  return valid_to_others ? Verdict::unknown : Verdict::bad;
}

TEST(JsonScanner, AgreesWithRapidJson) {
  Random random(11);
  constexpr std::string_view pieces = "{}[]\",:\\/ \t\n0123456789-+.eEtrufalsn\x80\xC3\xA9\xFF\x01";
  std::size_t good = 0;
  std::size_t bad = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string text = "{\"a\":" + random.json(6) + " , \"b\":" + random.json(3) + "}";
    for (std::uint64_t n = random.between(0, 2); n > 0; --n) {
      const std::size_t at = random.between(0, text.size() - 1);
      const char piece = pieces[random.between(0, pieces.size() - 1)];
      if (random.chance(3)) {
        text.insert(at, 1, piece);
      } else if (random.chance(2)) {
        text.erase(at, 1);
      } else {
        text[at] = piece;
      }
    }
    const Verdict verdict = ask_rapidjson(text);
    if (verdict == Verdict::unknown) continue;
    (verdict == Verdict::good ? good : bad) += 1;
    ASSERT_EQ(object(text), verdict == Verdict::good && text.find('{') == text.find_first_not_of(" \t\n")) << text;
  }
  EXPECT_GT(good, 10'000U);
  EXPECT_GT(bad, 10'000U);
}

}  // namespace
}  // namespace inkmesh::wire
