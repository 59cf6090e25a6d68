// Mesh messages to bytes and back. cereal lives in this .cpp alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "inkmesh/mesh_message.h"

namespace inkmesh::wire {

/// Appends nothing else than one whole message. A frame past kLinkFrameBytesMax is the core's mistake.
std::string encode(const Frame& frame);
std::string encode(const GossipMessage& message);

/// Nothing when the bytes are not exactly one well-formed message of this version: every count is held to the bytes
/// that remain before anything is allocated, every name and number to its range. Never throws.
std::optional<Frame> decode_frame(std::string_view bytes);
std::optional<GossipMessage> decode_gossip(std::string_view bytes);

}  // namespace inkmesh::wire
