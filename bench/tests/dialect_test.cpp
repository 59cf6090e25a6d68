// What a reader with a cursor sends.
#include <gtest/gtest.h>

#include "load/dialect.h"

namespace inkmesh::bench {
namespace {

TEST(DialectTest, InkmeshResumesBehindACursor) {
  std::string message;
  ASSERT_TRUE(make_dialect("inkmesh")->resume(7, "drawing_1", R"({"ws1~5k2m9x1q":42})", message));
  EXPECT_EQ(message, R"({"type":"subscribe","id":7,"channel":"drawing_1","cursor":{"ws1~5k2m9x1q":42}})");
}

TEST(DialectTest, OthersHaveNothingToResume) {
  for (const char* name : {"floor", "ws-redis", "socketio", "nats"}) {
    std::string message;
    EXPECT_FALSE(make_dialect(name)->resume(7, "drawing_1", "{}", message)) << name;
    EXPECT_EQ(message, "");
  }
}

}  // namespace
}  // namespace inkmesh::bench
