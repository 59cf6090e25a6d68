#include "common/websocket.h"

#include <gtest/gtest.h>

namespace inkmesh::bench {
namespace {

constexpr std::size_t kLargest = 1 << 20;

TEST(WebSocket, FramesOfAllSizesComeBack) {
  for (const std::size_t size : {0U, 1U, 7U, 8U, 125U, 126U, 65535U, 65536U, 300'000U}) {
    const std::string payload(size, 'x');
    std::string from_client;
    append_client_frame(Opcode::binary, payload, from_client);
    std::string from_server;
    append_server_frame(Opcode::binary, payload, from_server);
    EXPECT_EQ(from_client.size(), from_server.size() + 4);
    for (auto* bytes : {&from_client, &from_server}) {
      Frame frame;
      std::size_t used = 0;
      ASSERT_EQ(parse_frame(bytes->data(), bytes->size(), kLargest, frame, used), Parsed::frame);
      EXPECT_EQ(used, bytes->size());
      EXPECT_EQ(frame.opcode, Opcode::binary);
      EXPECT_TRUE(frame.fin);
      EXPECT_EQ(frame.payload, payload);
    }
  }
}

TEST(WebSocket, AFrameThatIsNotWholeWaits) {
  std::string bytes;
  append_client_frame(Opcode::text, std::string(200, 'y'), bytes);
  Frame frame;
  std::size_t used = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(parse_frame(bytes.data(), size, kLargest, frame, used), Parsed::more) << size;
  }
}

TEST(WebSocket, WhatIsNoFrameIsSaidToBeNone) {
  std::string reserved("\xf1\x00", 2);
  std::string large;
  append_server_frame(Opcode::text, std::string(2000, 'z'), large);
  Frame frame;
  std::size_t used = 0;
  EXPECT_EQ(parse_frame(reserved.data(), reserved.size(), kLargest, frame, used), Parsed::broken);
  EXPECT_EQ(parse_frame(large.data(), large.size(), 1000, frame, used), Parsed::broken);
}

TEST(WebSocket, TheKeyIsAnsweredAsInTheStandard) {
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace inkmesh::bench
