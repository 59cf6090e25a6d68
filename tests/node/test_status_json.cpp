#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include "node/status_json.h"
#include "node/version.h"
#include "snapshot_sample.h"
#include "wire/mesh_codec.h"

namespace inkmesh::node {
namespace {

rapidjson::Document status() {
  ClusterConfig config;
  for (const char* id : {"ws1", "ws2"}) {
    NodeSettings node;
    node.id = id;
    node.client = {{"0.0.0.0", 8081}, {node.id + ".example.org", 443}};
    config.nodes.push_back(node);
  }
  config.replicas = 5;
  config.ack = 4;
  config.nodes[1].client.advertise.host = "fe80::2";
  const std::string text = status_json(config, sample_snapshot());
  rapidjson::Document json;
  json.Parse(text.data(), text.size());
  EXPECT_FALSE(json.HasParseError()) << text;
  return json;
}

TEST(StatusJson, NamesTheNodeAndItsLife) {
  const auto json = status();
  EXPECT_STREQ(json["node"].GetString(), "ws1");
  EXPECT_STREQ(json["epoch"].GetString(), "5k2m9x1q");
  EXPECT_STREQ(json["version"].GetString(), version());
  EXPECT_EQ(json["pid"].GetInt(), getpid());
  EXPECT_TRUE(json["ready"].GetBool());
  EXPECT_EQ(json["reasons"].Size(), 0U);
}

TEST(StatusJson, GivesTheAddressesAtWhichClientsFindTheNodes) {
  const auto json = status();
  ASSERT_EQ(json["nodes"].Size(), 2U);
  EXPECT_STREQ(json["nodes"][0]["id"].GetString(), "ws1");
  EXPECT_STREQ(json["nodes"][0]["client"].GetString(), "ws1.example.org:443");
  EXPECT_STREQ(json["nodes"][1]["client"].GetString(), "[fe80::2]:443");
}

TEST(StatusJson, GivesWhatTheClusterFileSaysOfCopies) {
  const auto json = status();
  EXPECT_EQ(json["replicas"].GetUint(), 5U);
  EXPECT_EQ(json["ack"].GetUint(), 4U);
}

TEST(StatusJson, TellsOfEachPeer) {
  const auto json = status();
  ASSERT_EQ(json["peers"].Size(), 2U);
  const auto& peer = json["peers"][0];
  EXPECT_STREQ(peer["id"].GetString(), "ws2");
  EXPECT_STREQ(peer["state"].GetString(), "up");
  EXPECT_STREQ(peer["epoch"].GetString(), "h80c3jzt");
  EXPECT_EQ(peer["lag_strokes"].GetUint64(), 201U);
  EXPECT_EQ(peer["clock_offset_ms"].GetInt64(), -250);
  EXPECT_EQ(peer["forwarded_interest"].GetUint64(), 202U);
  EXPECT_EQ(peer["forwarded_durability"].GetUint64(), 203U);
  EXPECT_EQ(peer["received_strokes"].GetUint64(), 204U);
  EXPECT_EQ(peer["rtt_us"].GetUint64(), 304U);
  EXPECT_FALSE(json["peers"][1].HasMember("rtt_us")) << "unknown is not 0";
}

TEST(StatusJson, TellsWhereAnotherProcessRunsUnderOneId) {
  const auto json = status();
  EXPECT_TRUE(json["twin"].GetBool());
  EXPECT_TRUE(json["shut_out"].GetBool());
  EXPECT_STREQ(json["twin_address"].GetString(), "10.0.0.8");
  EXPECT_FALSE(json["twin_later"].GetBool());
  EXPECT_FALSE(json["peers"][0]["twin"].GetBool());
  EXPECT_FALSE(json["peers"][0].HasMember("twin_epoch"));
  EXPECT_TRUE(json["peers"][1]["twin"].GetBool());
  EXPECT_STREQ(json["peers"][1]["twin_epoch"].GetString(), "aaaaaaaa");
  EXPECT_STREQ(json["peers"][1]["twin_address"].GetString(), "10.0.0.9");
  EXPECT_TRUE(json["peers"][1]["twin_later"].GetBool());
}

TEST(StatusJson, TellsWhoSpeaksAnotherVersionOfTheMeshsLanguage) {
  const auto json = status();
  EXPECT_EQ(json["mesh_version"].GetUint64(), wire::kMeshVersion);
  EXPECT_EQ(json["peers"][0]["other_mesh_version"].GetUint64(), 7U);
  EXPECT_EQ(json["peers"][1]["other_mesh_version"].GetUint64(), 0U);
}

TEST(StatusJson, TellsWhatIsNotWholeAndWhoIsWaitedFor) {
  const auto json = status();
  EXPECT_TRUE(json["hollow"].GetBool());
  EXPECT_STREQ(json["hollow_because"].GetString(), "lost_records");
  ASSERT_EQ(json["hollow_until"].Size(), 1U);
  EXPECT_STREQ(json["hollow_until"][0].GetString(), "ws3");
  EXPECT_EQ(json["forks"].GetUint64(), 108U);
  EXPECT_EQ(json["damaged_records"].GetUint64(), 110U);
  EXPECT_EQ(json["repairs"].GetUint64(), 111U);
  ASSERT_EQ(json["strokes_ahead"].Size(), 2U);
  EXPECT_STREQ(json["strokes_ahead"][0]["node"].GetString(), "ws2");
  EXPECT_EQ(json["strokes_ahead"][0]["ahead_ms"].GetUint64(), 112U);
  EXPECT_STREQ(json["strokes_ahead"][1]["node"].GetString(), "ws7");
  EXPECT_EQ(json["strokes_ahead"][1]["ahead_ms"].GetUint64(), 113U);
}

TEST(StatusJson, TellsWhatTheNodeHoldsAndDoes) {
  const auto json = status();
  EXPECT_EQ(json["channel_origins_max"].GetUint64(), 109U);
  EXPECT_EQ(json["channels"].GetUint64(), 101U);
  EXPECT_EQ(json["interest"]["channels"].GetUint64(), 102U);
  EXPECT_EQ(json["subscriptions"].GetUint64(), 103U);
  EXPECT_EQ(json["lagging"].GetUint64(), 104U);
  EXPECT_EQ(json["connections"].GetUint64(), 401U);
  EXPECT_EQ(json["strokes"]["accepted"].GetUint64(), 105U);
  EXPECT_EQ(json["strokes"]["delivered"].GetUint64(), 106U);
  EXPECT_EQ(json["store"]["used_bytes"].GetUint64(), 601U);
  EXPECT_EQ(json["store"]["capacity_bytes"].GetUint64(), 602U);
  EXPECT_EQ(json["store"]["strokes"].GetUint64(), 603U);
}

}  // namespace
}  // namespace inkmesh::node
