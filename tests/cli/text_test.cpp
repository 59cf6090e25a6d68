// Small things that an operator reads or types.
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/table.h"
#include "cli/url.h"
#include "node/config/config_values.h"

namespace inkmesh::cli {
namespace {

std::string parsed(const std::string& url) {
  return config::format_address(parse_url(url));
}

TEST(Url, TakesWhatOperatorsAndBrowsersHave) {
  EXPECT_EQ(parsed("http://127.0.0.1:8081"), "127.0.0.1:8081");
  EXPECT_EQ(parsed("http://127.0.0.1:8081/"), "127.0.0.1:8081");
  EXPECT_EQ(parsed("http://127.0.0.1:8081/?board=demo#x"), "127.0.0.1:8081");
  EXPECT_EQ(parsed("ws://[::1]:8081/ws"), "[::1]:8081");
  EXPECT_EQ(parsed("ws1.example.org:8081"), "ws1.example.org:8081");
  EXPECT_EQ(parsed("http://ws1.example.org"), "ws1.example.org:80");
  EXPECT_EQ(parsed("http://[::1]"), "[::1]:80");
}

TEST(Url, RefusesTheRest) {
  for (const char* url : {"", "http://", "https://a:1", "wss://a:1", "ftp://a:1", "http://a:0", "http://a:b",
                          "http://:80", "http://a b:80", "http:///x"}) {
    EXPECT_THROW(parse_url(url), UsageError) << url;
  }
}

TEST(Table, AlignsColumnsAndLeavesNoBlanksAtTheEnd) {
  Table table({{"NODE"}, {"LAG", true}, {"NOTE"}});
  EXPECT_TRUE(table.empty());
  table.add({"ws1", "7", "ü"});
  table.add({"ws1000", "12345"});
  EXPECT_EQ(table.text(),
            "NODE      LAG  NOTE\n"
            "ws1         7  ü\n"
            "ws1000  12345\n");
}

}  // namespace
}  // namespace inkmesh::cli
