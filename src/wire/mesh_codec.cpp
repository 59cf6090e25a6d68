// The bytes of the mesh. `byte` is 8 bits, `u64` 8 bytes, lowest first. A `number` is a varint in its shortest form (7
// bits a byte, lowest first, the high bit set on all but the last), at most 2^53 - 1; a `counter` the same, at most
// 2^64 - 2; a `delta` the same of any 64 bits: the difference to the number before (to 0 at first), its sign in the
// lowest bit. `x*` is a count (number), then so many.
//
// Version and node come first in every version, so that who speaks another one can be named. Whatever else changes in
// these bytes makes another version.
//
//   gossip    := version node epoch (0x01 heartbeat | 0x02 interest_delta)
//   frame     := version node epoch session:u64 number message*
//   version   := byte                          2
//   message   := tag:byte body                 tag: kTag in mesh_fields.h
//   node, epoch, origin, channel, client       := length:byte character...
//   json      := length:number byte...         1 to 65,536 bytes, not looked into
//   flag      := byte                          0 or 1
//   cursor    := (origin seq)*                 origins ascending, none twice; seq from 1
//
//   heartbeat      := list_generation:u64 interest_version:counter interest_digest:u64 connections:number
//                     wall_us:number full:flag ready:flag hollow:flag twin_lives*       at most 8
//   twin_lives     := node heard:epoch other:epoch address address both:flag other_later:flag
//   address        := length:byte character...                                  0 to 64
//   interest_delta := from:counter opened:u64* closed:u64*
//
//   interest_want  :=
//   interest_full  := version:counter channels:u64*
//   run            := channel origin repair:flag first:number stroke*           at least one; seqs count up from first
//   stroke         := author ts:delta op:delta size:number byte...              the lowest bit of size: duplicate;
//                                                                               the rest: bytes of data
//   author         := client | 0x00                                             0x00: the one before
//   stored         := (channel origin seq)*
//   pull           := request:u64 channel cursor interested:flag
//   pull_done      := request:u64 channel cursor more:flag complete:flag
//   heads          := (channel cursor)*
//   fetch          := channel origin first:number last:number
//   stored_want    := channel
//   store_full     :=
//   digest         := round:u64 digest_node*
//   digest_reply   := round:u64 digest_node*
//   digest_node    := depth:byte prefix:u64 hash:u64                            depth 0 to 16; prefix 0 below it
//   offer          := (channel (origin seq chain:u64)*)*
//   settle_ask     := token:u64 epoch hollow:flag                              an epoch of no byte: none
//   settle_done    := token:u64
//   op_ask         := request:u64 channel client op
//   op_answer      := request:u64 found:flag [origin seq ts data_hash:u64]      the rest only when found
//   signal         := channel client json
//   presence_full  := channel version:counter present*
//   present        := conn:u64 client
//   presence_delta := channel from:counter present* conn:u64*
//   presence_want  := channel
//   who_is_there   := heard:epoch other:epoch
//   still_here     := other:epoch reached:flag up_ms:number
#include "wire/mesh_codec.h"

#include <utility>

#include "wire/byte_archive.h"
#include "wire/mesh_fields.h"

namespace inkmesh::wire {

#ifndef INKMESH_MESH_VERSION
#define INKMESH_MESH_VERSION 2  // a test speaks another one
#endif

const std::uint8_t kMeshVersion = INKMESH_MESH_VERSION;

namespace {

/// What decoding one message may allocate, whatever its bytes say. A frame within kLinkFrameBytesMax of its strokes'
/// cost_of() takes a fraction of it.
constexpr std::size_t kDecodedBytesMax = 16 * kLinkFrameBytesMax;

/// About a frame's bytes, so that it is built in one allocation.
std::size_t bytes_of(const Frame& frame) {
  constexpr std::size_t stroke_bytes = 32;
  constexpr std::size_t message_bytes = 256;
  std::size_t bytes = message_bytes * (frame.messages.size() + 1);
  for (const LinkMessage& message : frame.messages) {
    if (const auto* run = std::get_if<StrokeRun>(&message)) {
      for (const StrokePtr& stroke : run->strokes)
        bytes += stroke_bytes + stroke->data.size();
    } else if (const auto* full = std::get_if<InterestFull>(&message)) {
      bytes += full->channels.size() * sizeof(std::uint64_t);
    }
  }
  return bytes;
}

template <class Message>
std::string encode_as(const Message& message, std::size_t bytes) {
  std::string out;
  out.reserve(bytes);
  ByteWriter ar(out);
  ar.byte(kMeshVersion);
  ar(message);
  return out;
}

template <class Message>
std::optional<Message> decode_as(std::string_view bytes) {
  if (bytes.size() > kLinkFrameBytesMax) return std::nullopt;
  try {
    BoundedReader ar(bytes, kDecodedBytesMax);
    if (ar.byte() != kMeshVersion) return std::nullopt;
    std::optional<Message> message(std::in_place);
    ar(*message);
    if (ar.remaining() != 0) return std::nullopt;
    return message;
  } catch (const Malformed&) {
    return std::nullopt;
  }
}

}  // namespace

std::uint8_t version_of(std::string_view bytes) {
  return bytes.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes.front());
}

std::optional<NodeId> sender_of(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const std::size_t size = static_cast<unsigned char>(bytes[1]);
  const std::string_view name = bytes.substr(2, size);
  return name.size() == size && valid_node_id(name) ? std::optional(NodeId(name)) : std::nullopt;
}

std::string encode(const Frame& frame) {
  return encode_as(frame, bytes_of(frame));
}

std::string encode(const GossipMessage& message) {
  constexpr std::size_t heartbeat_bytes = 128;
  const auto* delta = std::get_if<InterestDelta>(&message.body);
  const std::size_t channels = delta == nullptr ? 0 : delta->opened.size() + delta->closed.size();
  return encode_as(message, heartbeat_bytes + channels * sizeof(std::uint64_t));
}

std::optional<Frame> decode_frame(std::string_view bytes) {
  return decode_as<Frame>(bytes);
}

std::optional<GossipMessage> decode_gossip(std::string_view bytes) {
  return decode_as<GossipMessage>(bytes);
}

}  // namespace inkmesh::wire
