// Mesh messages to bytes and back. cereal lives behind this header alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "inkmesh/mesh_message.h"

namespace inkmesh::wire {

/// One whole message. A frame past kLinkFrameBytesMax is the core's mistake: its receiver refuses it. A StrokeRun of no
/// strokes, of which seqs do not follow one another, or that are not of one channel and origin ends the process.
std::string encode(const Frame& frame);
std::string encode(const GossipMessage& message);

/// The version of the mesh's language that a message is in: its first byte; 0 for no bytes.
std::uint8_t version_of(std::string_view bytes);
extern const std::uint8_t kMeshVersion;

/// Who sent a message of another version: its name follows the first byte in all of them. Nothing where it does not.
std::optional<NodeId> sender_of(std::string_view bytes);

/// Nothing when the bytes are not exactly one well-formed message of this version, of at most kLinkFrameBytesMax bytes:
/// every count is held to the bytes that remain before anything is allocated, every name and number to its range, all
/// that is allocated to 64 MiB. A stroke's data is held to its size only: peers have checked its JSON. Never throws for
/// what the bytes hold.
std::optional<Frame> decode_frame(std::string_view bytes);
std::optional<GossipMessage> decode_gossip(std::string_view bytes);

}  // namespace inkmesh::wire
