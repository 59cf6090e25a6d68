// What an operator is told of a cluster that is not whole.
#include "cli/status_notes.h"

#include <gtest/gtest.h>

namespace inkmesh::cli {
namespace {

std::string notes(const std::vector<std::string>& answers) {
  StatusNotes notes;
  for (const std::string& answer : answers) {
    const auto status = slice_object(answer);
    EXPECT_TRUE(status) << answer;
    if (status) notes.add(*status);
  }
  return notes.text();
}

TEST(StatusNotes, SayNothingOfANodeThatIsWell) {
  EXPECT_EQ(notes({R"({"node":"ws1","ready":true,"reasons":[],"hollow":false,"hollow_until":[],"forks":0,)"
                   R"("damaged_records":0,"repairs":0,"channel_origins_max":300,"strokes_ahead":[]})"}),
            "");
  EXPECT_EQ(notes({R"({"node":"ws1"})"}), "") << "an older release";
}

TEST(StatusNotes, NameWhomAHollowNodeWaitsFor) {
  EXPECT_EQ(notes({R"({"node":"ws2","hollow":true,"hollow_until":["ws3"],"peers":[{"id":"ws3","state":"up"}]})"}),
            "ws2 is hollow, still to be compared with ws3\n");
  EXPECT_EQ(notes({R"({"node":"ws2","hollow":true,"hollow_until":["ws3"],"peers":[{"id":"ws3","state":"down"}]})"}),
            "ws2 is hollow, still to be compared with ws3 (down)\n");
  EXPECT_EQ(notes({R"({"node":"ws2","hollow":true,"hollow_until":["ws1","ws3","ws4"],"peers":[)"
                   R"({"id":"ws1","state":"suspect"},{"id":"ws3","state":"down"},{"id":"ws4","state":"unknown"}]})"}),
            "ws2 is hollow, still to be compared with ws1, ws3 (down), ws4 (never heard of): those that are up are not "
            "done before the others are there\n");
}

TEST(StatusNotes, AreOfEachNodeThatHasSomethingToSay) {
  EXPECT_EQ(notes({R"({"node":"ws1","reasons":["clock: 70 s off","draining"],"forks":2})",
                   R"({"node":"ws2","damaged_records":1,"repairs":7})", R"({"node":"ws3","channel_origins_max":301})"}),
            "ws1 is not ready: clock: 70 s off; draining\n"
            "ws1 has seen other contents under one seq 2 times: its log names them (fork)\n"
            "ws2 has found damaged records since its start: 1 asked of its peers, 7 repaired\n"
            "ws3 holds a drawing of 301 origins: its cursor grows long\n");
}

TEST(StatusNotes, SayOnceWhatAllSeeOfOneClock) {
  EXPECT_EQ(notes({R"({"node":"ws1","strokes_ahead":[{"node":"ws2","ahead_ms":86400001},)"
                   R"({"node":"ws9","ahead_ms":31536000000}]})",
                   R"({"node":"ws3","strokes_ahead":[{"node":"ws2","ahead_ms":172800000}]})"}),
            "strokes of ws2 lie 2.0 days ahead: its clock was wrong, or is\n"
            "strokes of ws9 lie 365.0 days ahead: its clock was wrong, or is\n");
}

}  // namespace
}  // namespace inkmesh::cli
