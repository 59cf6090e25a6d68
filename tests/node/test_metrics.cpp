#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "node/metrics.h"
#include "snapshot_sample.h"

namespace inkmesh::node {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, TellWhereEachNumberBelongs) {
  const std::string text = metrics_text(sample_snapshot());
  for (const char* line : {
           "inkmesh_ready 1\n",
           "inkmesh_channels 101\n",
           "inkmesh_interest_channels 102\n",
           "inkmesh_subscriptions 103\n",
           "inkmesh_lagging_subscriptions 104\n",
           "inkmesh_strokes_accepted_total 105\n",
           "inkmesh_strokes_delivered_total 106\n",
           "inkmesh_duplicates_total 107\n",
           "inkmesh_forks_total 108\n",
           "inkmesh_channel_origins_max 109\n",
           "inkmesh_damaged_records 110\n",
           "inkmesh_repairs_total 111\n",
           "inkmesh_peer_same_list{peer=\"ws2\"} 1\n",
           "inkmesh_peer_same_list{peer=\"ws3\"} 0\n",
           "inkmesh_peer_awaited{peer=\"ws2\"} 0\n",
           "inkmesh_peer_awaited{peer=\"ws3\"} 1\n",
           "inkmesh_peer_up{peer=\"ws2\"} 1\n",
           "inkmesh_peer_up{peer=\"ws3\"} 0\n",
           "inkmesh_peer_lag_strokes{peer=\"ws2\"} 201\n",
           "inkmesh_peer_clock_offset_seconds{peer=\"ws2\"} -0.25\n",
           "inkmesh_peer_frames_lost_total{peer=\"ws2\"} 205\n",
           "inkmesh_mesh_sent_bytes_total{peer=\"ws2\"} 301\n",
           "inkmesh_mesh_received_bytes_total{peer=\"ws2\"} 302\n",
           "inkmesh_mesh_send_failed_total{peer=\"ws2\"} 303\n",
           "inkmesh_mesh_round_trip_seconds{peer=\"ws2\"} 0.000304\n",
           "inkmesh_mesh_malformed_total 305\n",
           "inkmesh_twin 1\n",
           "inkmesh_shut_out 1\n",
           "inkmesh_peer_twin{peer=\"ws2\"} 0\n",
           "inkmesh_peer_twin{peer=\"ws3\"} 1\n",
           "inkmesh_peer_other_version{peer=\"ws2\"} 7\n",
           "inkmesh_peer_other_version{peer=\"ws3\"} 0\n",
           "inkmesh_connections 401\n",
           "inkmesh_client_sent_bytes_total 402\n",
           "inkmesh_commits_total 501\n",
           "inkmesh_commit_seconds_total 2.5\n",
           "inkmesh_store_used_bytes 601\n",
           "inkmesh_store_map_bytes 602\n",
           "inkmesh_store_strokes 603\n",
           "inkmesh_loop_turns_total 701\n",
           "inkmesh_requests_refused_total 702\n",
           "inkmesh_process_resident_memory_bytes 801\n",
           "inkmesh_process_cpu_seconds_total 1.5\n",
           "inkmesh_process_open_fds 802\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(Metrics, TellInterestAndDurabilityApartForEachPeer) {
  const std::string text = metrics_text(sample_snapshot());
  EXPECT_THAT(text, HasSubstr("inkmesh_forwarded_strokes_total{peer=\"ws2\",reason=\"interest\"} 202\n"));
  EXPECT_THAT(text, HasSubstr("inkmesh_forwarded_strokes_total{peer=\"ws2\",reason=\"durability\"} 203\n"));
  EXPECT_THAT(text, HasSubstr("inkmesh_forwarded_strokes_total{peer=\"ws3\",reason=\"interest\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("inkmesh_forwarded_strokes_total{peer=\"ws3\",reason=\"durability\"} 0\n"));
}

TEST(Metrics, NameWhatIsNotAsItShouldBeAndNothingElse) {
  Snapshot now = sample_snapshot();
  std::string text = metrics_text(now);
  EXPECT_THAT(text, HasSubstr("inkmesh_hollow 1\n"));
  EXPECT_THAT(text, HasSubstr("inkmesh_hollow_because{because=\"lost_records\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("inkmesh_strokes_ahead_seconds{node=\"ws2\"} 0.112\n"));
  EXPECT_THAT(text, HasSubstr("inkmesh_strokes_ahead_seconds{node=\"ws7\"} 0.113\n"));
  now.core.hollow = false;
  now.core.strokes_ahead.clear();
  text = metrics_text(now);
  EXPECT_THAT(text, HasSubstr("inkmesh_hollow 0\n"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("hollow_because")));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("strokes_ahead")));
}

/// As a strict reader of the format would: each sample follows its family's HELP and TYPE, no family comes twice, no
/// sample comes twice, counters end in _total.
TEST(Metrics, AreWellFormed) {
  const std::regex help("# HELP ([a-z_]+) \\S.*\\.");
  const std::regex type("# TYPE ([a-z_]+) (counter|gauge)");
  const std::regex sample(R"re(([a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? (-?[0-9.e+-]+))re");
  std::istringstream lines(metrics_text(sample_snapshot()));
  std::set<std::string> families;
  std::set<std::string> samples;
  std::string family;
  std::string line;
  while (std::getline(lines, line)) {
    std::smatch match;
    if (std::regex_match(line, match, help)) {
      family = match[1];
      EXPECT_TRUE(families.insert(family).second) << family << " comes twice";
      ASSERT_TRUE(std::getline(lines, line) && std::regex_match(line, match, type)) << line;
      EXPECT_EQ(match[1], family);
      EXPECT_EQ(match[2] == "counter", family.ends_with("_total")) << family;
      continue;
    }
    ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
    EXPECT_EQ(match[1], family);
    EXPECT_TRUE(samples.insert(match[1].str() + match[2].str()).second) << line;
  }
  EXPECT_GT(families.size(), 60U);
}

TEST(Metrics, OfANodeAloneHaveNoEmptyFamilies) {
  Snapshot alone = sample_snapshot();
  alone.core.peers.clear();
  alone.mesh.peers.clear();
  const std::string text = metrics_text(alone);
  for (const char* absent : {"peer=", "inkmesh_peer_", "forwarded_strokes", "inkmesh_mesh_sent"}) {
    EXPECT_THAT(text, ::testing::Not(HasSubstr(absent)));
  }
}

}  // namespace
}  // namespace inkmesh::node
