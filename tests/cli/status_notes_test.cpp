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
            "ws2 is hollow, still to be compared with ws3 (down)\n"
            "ws3 is down, as ws2 sees it\n");
  EXPECT_EQ(notes({R"({"node":"ws2","hollow":true,"hollow_until":["ws1","ws3","ws4"],"peers":[)"
                   R"({"id":"ws1","state":"suspect"},{"id":"ws3","state":"down"},{"id":"ws4","state":"unknown"}]})"}),
            "ws2 is hollow, still to be compared with ws1, ws3 (down), ws4 (never heard of): those that are up are not "
            "done before the others are there\n"
            "ws3 is down, as ws2 sees it\n"
            "ws4 was never heard of by ws2\n");
}

TEST(StatusNotes, TellWhyANodeIsHollow) {
  EXPECT_EQ(notes({R"({"node":"ws2","hollow":true,"hollow_because":"lost_records","hollow_until":["ws3"],)"
                   R"("peers":[{"id":"ws3","state":"up"}]})"}),
            "ws2 is hollow (lost records), still to be compared with ws3\n");
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

TEST(StatusNotes, TellThatPublishesWaitForNodesThatAreNotThere) {
  const auto waits = [](const char* waiting, const char* ack) {
    return notes({std::string(R"({"node":"ws1","ack":)") + ack + R"(,"strokes":{"acks_waiting":)" + waiting +
                  R"(},"peers":[{"id":"ws2","state":"suspect"},{"id":"ws3","state":"down"}]})"});
  };
  const std::string down = "ws3 is down, as ws1 sees it\n";
  EXPECT_EQ(
      waits("7", "3"),
      "ws1 has 7 publishes waiting: each must be stored by 3 nodes (ack), and it reaches 2, itself included\n" + down);
  EXPECT_EQ(waits("7", "2"), down) << "their turn comes";
  EXPECT_EQ(waits("0", "3"), down);
}

TEST(StatusNotes, TellOfANodeThatIsAloneInItsMeshVersionBeforeAnythingWaits) {
  EXPECT_EQ(notes({R"({"node":"ws1","ready":true,"ack":2,"mesh_version":8,"strokes":{"acks_waiting":0},"peers":[)"
                   R"({"id":"ws2","state":"down","other_mesh_version":7}]})"}),
            "ws1 acknowledges no publishes: each must be stored by 2 nodes (ack), and it reaches 1, itself included\n"
            "ws2 is down, as ws1 sees it\n"
            "several mesh versions are spoken, 7 by ws2; 8 by ws1: end the upgrade\n");
}

TEST(StatusNotes, NameOnceWhoIsDownAndWhoSeesItSo) {
  EXPECT_EQ(notes({R"({"node":"ws1","peers":[{"id":"ws2","state":"up"},{"id":"ws3","state":"down"}]})",
                   R"({"node":"ws2","peers":[{"id":"ws1","state":"up"},{"id":"ws3","state":"down"}]})"}),
            "ws3 is down, as ws1, ws2 see it\n");
}

TEST(StatusNotes, NameOnceEachStoreThatIsFull) {
  EXPECT_EQ(notes({R"({"node":"ws1","full":true,"store":{"used_bytes":95,"capacity_bytes":100}})",
                   R"({"node":"ws2","peers":[{"id":"ws1","state":"up","full":true},{"id":"ws3","full":true}]})"}),
            "ws1's store is full: it takes no publishes\n"
            "ws3's store is full: it takes no publishes\n");
  EXPECT_EQ(notes({R"({"node":"ws1","store":{"used_bytes":80,"capacity_bytes":100}})",
                   R"({"node":"ws2","store":{"used_bytes":79,"capacity_bytes":100}})",
                   R"({"node":"ws3","store":{"used_bytes":79,"capacity_bytes":0}})"}),
            "ws1's store is 80 % full: over 90 % it takes no publishes\n");
}

TEST(StatusNotes, TellOfStandIns) {
  EXPECT_EQ(
      notes({R"({"node":"ws1","standins":4})", R"({"node":"ws2","standins":0})", R"({"node":"ws3","standins":1})"}),
      "channels have stand-ins for homes of theirs: 4 as ws1 sees them, 1 as ws3 sees them\n");
}

TEST(StatusNotes, NameTheOneWhoseClusterFileWasForgotten) {
  const auto peer = [](const char* id, const char* state, const char* same) {
    return std::string(R"({"id":")") + id + R"(","state":")" + state + R"(","same_list":)" + same + "}";
  };
  const auto node = [](const char* id, const std::string& peers) {
    return std::string(R"({"node":")") + id + R"(","lists_differ":true,"peers":[)" + peers + "]}";
  };
  EXPECT_EQ(notes({node("ws1", peer("ws2", "up", "false") + "," + peer("ws3", "up", "true")),
                   node("ws2", peer("ws1", "up", "false") + "," + peer("ws3", "suspect", "false")),
                   node("ws3", peer("ws1", "up", "true") + "," + peer("ws2", "up", "false"))}),
            "ws2 runs with another cluster file than ws1, ws3: node list, replicas or ack differ\n");
  EXPECT_EQ(notes({node("ws1", peer("ws2", "up", "false"))}),
            "ws2 runs with another cluster file than ws1: node list, replicas or ack differ\n");
  EXPECT_EQ(notes({R"({"node":"ws1","lists_differ":false,"peers":[{"id":"ws2","state":"up","same_list":false}]})"}), "")
      << "it has only just come";
  EXPECT_EQ(notes({node("ws1", peer("ws2", "down", "false"))}), "ws2 is down, as ws1 sees it\n");
}

TEST(StatusNotes, NameTheTwoProcessesThatRunAsOneNode) {
  EXPECT_EQ(notes({R"({"node":"ws1","epoch":"a","twin":true,"twin_epoch":"b","twin_address":"10.0.0.8","peers":[]})",
                   R"({"node":"ws2","peers":[{"id":"ws1","epoch":"b","twin":true,"twin_epoch":"a",)"
                   R"("twin_address":"10.0.0.9"}]})"}),
            "two processes run as ws1 (a at 10.0.0.9, b at 10.0.0.8): stop the one that should not be\n");
}

TEST(StatusNotes, TellOnceWhoSpeaksWhichMeshVersion) {
  EXPECT_EQ(notes({R"({"node":"ws1","mesh_version":8,"peers":[{"id":"ws2","other_mesh_version":7},)"
                   R"({"id":"ws3","other_mesh_version":0}]})",
                   R"({"node":"ws3","mesh_version":8,"peers":[{"id":"ws2","other_mesh_version":7}]})"}),
            "several mesh versions are spoken, 7 by ws2; 8 by ws1, ws3: end the upgrade\n");
  EXPECT_EQ(notes({R"({"node":"ws1","mesh_version":8,"peers":[{"id":"ws2","other_mesh_version":0}]})"}), "");
}

}  // namespace
}  // namespace inkmesh::cli
