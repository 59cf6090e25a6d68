#include "cli/json_slice.h"

#include <gtest/gtest.h>

#include <string>

namespace inkmesh::cli {
namespace {

TEST(JsonSlice, MembersComeOutAsTheVeryBytesThatWentIn) {
  const std::string text = " { \"a\" : 1.50 ,\"b\":{\"x\":[1, 2 ]}, \"c\\u0041\" : \"ü\\n\",\"d\":[ ],\"e\":null} ";
  const auto object = slice_object(text);
  ASSERT_TRUE(object);
  EXPECT_EQ(object->raw("a"), "1.50");
  EXPECT_EQ(object->raw("b"), "{\"x\":[1, 2 ]}");
  EXPECT_EQ(object->raw("cA"), "\"ü\\n\"");
  EXPECT_EQ(object->raw("d"), "[ ]");
  EXPECT_EQ(object->raw("e"), "null");
  EXPECT_EQ(object->raw("x"), "");
  EXPECT_EQ(object->members().size(), 5U);
}

TEST(JsonSlice, ElementsToo) {
  const std::string text = "[1e5 , \"a,b:c\",[[]],{}  ,-0.0,true]";
  const auto array = slice_array(text);
  ASSERT_TRUE(array);
  EXPECT_EQ(*array, (std::vector<std::string_view>{"1e5", "\"a,b:c\"", "[[]]", "{}", "-0.0", "true"}));
  EXPECT_TRUE(slice_array("[]")->empty());
}

TEST(JsonSlice, ReadsSimpleValues) {
  const std::string text = R"({"s":"a\"b","n":9007199254740991,"neg":-1,"f":1.5,"t":true,"no":false,"num":"7"})";
  const auto object = slice_object(text);
  ASSERT_TRUE(object);
  EXPECT_EQ(object->text("s"), "a\"b");
  EXPECT_EQ(object->text("n"), "");
  EXPECT_EQ(object->number("n"), 9007199254740991U);
  EXPECT_EQ(object->number("neg"), std::nullopt);
  EXPECT_EQ(object->number("f"), std::nullopt);
  EXPECT_EQ(object->number("num"), std::nullopt);
  EXPECT_TRUE(object->flag("t"));
  EXPECT_FALSE(object->flag("no"));
  EXPECT_FALSE(object->flag("absent"));
}

TEST(JsonSlice, RefusesWhatIsNoJson) {
  for (const std::string text :
       {"", " ", "{", "{\"a\":1", "{\"a\":1}}", "{a:1}", "[1,]", "nul", "1 2", "\"\xff\"", "01", "{\"a\":1}x"}) {
    EXPECT_FALSE(slice_object(text)) << text;
    EXPECT_NE(json_mistake(text), "") << text;
  }
  EXPECT_FALSE(slice_object(std::string("{\"a\":1}\0", 8)));
  EXPECT_NE(json_mistake(std::string("1\0x", 3)), "");
  EXPECT_FALSE(slice_object("[1]"));
  EXPECT_FALSE(slice_array("{}"));
  EXPECT_EQ(json_mistake(" {\"a\":[1,2.50,\"x\"]} "), "");
}

TEST(JsonSlice, TakesWhatNodesTake) {
  const std::string long_number(400, '9');
  for (const std::string& value :
       {std::string("\"\\ud800\""), std::string("1e400"), std::string("-1E-999"), long_number}) {
    const std::string text = "{\"data\":[" + value + "]}";
    EXPECT_EQ(json_mistake(value), "");
    const auto object = slice_object(text);
    ASSERT_TRUE(object) << value;
    EXPECT_EQ(object->raw("data"), "[" + value + "]");
  }
}

TEST(JsonSlice, OfAKeyThatStandsTwiceTheLastCounts) {
  const auto object = slice_object(R"({"a":1,"b":2,"a":3})");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->number("a"), 3U);
}

TEST(JsonSlice, DepthCostsNoStack) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_EQ(json_mistake(deep), "");
  EXPECT_EQ(slice_array(deep)->size(), 1U);
  std::string mixed = "0";
  for (int level = 0; level < 500; ++level)
    mixed = level % 3 == 0 ? "{\"a\":" + mixed + "}" : "[" + mixed + "]";
  EXPECT_EQ(json_mistake(mixed), "");
  for (const std::size_t from_end : {1U, 64U, 65U, 128U, 200U, 499U}) {
    std::string wrong = mixed;
    char& bracket = wrong[wrong.size() - from_end];
    bracket = bracket == '}' ? ']' : '}';
    EXPECT_NE(json_mistake(wrong), "") << from_end;
  }
}

TEST(JsonSlice, WritesStrings) {
  EXPECT_EQ(json_string("a\"b\\\n"), "\"a\\\"b\\\\\\n\"");
  EXPECT_EQ(text_of(json_string("ü\x01")), "ü\x01");
  EXPECT_EQ(text_of("7"), "");
  EXPECT_EQ(text_of("[\"a\"]"), "");
  EXPECT_EQ(text_of("\"\\uDDDD\""), "") << "half of a surrogate pair is no text";
}

}  // namespace
}  // namespace inkmesh::cli
