// Each mesh message's fields, once for writing and reading (cereal's serialize). The grammar of the bytes is at the top
// of mesh_codec.cpp, the only file that includes this one.
//
// Structured bindings name every field, so a message that gains one does not compile until its bytes are told here.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "inkmesh/mesh_message.h"
#include "wire/byte_archive.h"
#include "wire/mesh_values.h"

namespace inkmesh::wire {

// ---- gossip ---------------------------------------------------------------------------------------------------------

constexpr std::size_t kTwinLivesBytesMin = kNameBytesMin + 2 * (1 + kEpochBytes) + 4;

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, TwinLives& m) {
  auto& [node, heard, other, heard_address, other_address, both, other_later] = m;
  ar(Name{node, valid_node_id}, Name{heard, valid_epoch}, Name{other, valid_epoch}, Name{heard_address, valid_address},
     Name{other_address, valid_address}, both, other_later);
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Heartbeat& m) {
  auto& [list_generation, interest_version, interest_digest, connections, wall_us, full, ready, hollow, twins] = m;
  ar(Bits64{list_generation}, Counter{interest_version}, Bits64{interest_digest}, Number32{connections},
     Number{wall_us}, full, ready, hollow, List{twins, kTwinLivesBytesMin, kTwinLivesMax});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, InterestDelta& m) {
  auto& [from, opened, closed] = m;
  ar(Counter{from}, Bits64List{opened, kInterestChannelsMax}, Bits64List{closed, kInterestChannelsMax});
}

// ---- links: interest ------------------------------------------------------------------------------------------------

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& /*ar*/, InterestWant& /*m*/) {}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, InterestFull& m) {
  auto& [version, channels] = m;
  ar(Counter{version}, Bits64List{channels, kInterestChannelsMax});
}

// ---- links: strokes -------------------------------------------------------------------------------------------------

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Stored::Entry& m) {
  auto& [channel, origin, seq] = m;
  ar(channel_name(channel), origin_name(origin), Number{seq});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Stored& m) {
  auto& [entries] = m;
  ar(List{entries, kNameBytesMin + kOriginBytesMin + kSeqBytesMin});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Pull& m) {
  auto& [request, channel, cursor, interested] = m;
  ar(Bits64{request}, channel_name(channel), cursor, interested);
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, PullDone& m) {
  auto& [request, channel, heads, more, complete] = m;
  ar(Bits64{request}, channel_name(channel), heads, more, complete);
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Heads::Entry& m) {
  auto& [channel, heads] = m;
  ar(channel_name(channel), heads);
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Heads& m) {
  auto& [entries] = m;
  ar(List{entries, kNameBytesMin + kCountBytesMin});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Fetch& m) {
  auto& [channel, origin, first, last] = m;
  ar(channel_name(channel), origin_name(origin), seq_from_1(first));
  ar(Number{last, first});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, StoredWant& m) {
  auto& [channel] = m;
  ar(channel_name(channel));
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& /*ar*/, StoreFull& /*m*/) {}

// ---- links: anti-entropy --------------------------------------------------------------------------------------------

constexpr std::size_t kDigestNodeBytes = 17;
constexpr std::uint8_t kDigestDepthMax = 16;

inline void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const DigestNode& node) {
  ar.byte(node.depth);
  ar.fixed64(node.prefix);
  ar.fixed64(node.hash);
}
inline void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, DigestNode& node) {
  auto& [depth, prefix, hash] = node;
  depth = static_cast<std::uint8_t>(checked_number(ar.byte(), 0, kDigestDepthMax));
  prefix = ar.fixed64();
  hash = ar.fixed64();
  const std::uint64_t below = depth == kDigestDepthMax ? 0 : ~std::uint64_t{0} >> (4U * depth);
  if ((prefix & below) != 0) throw Malformed("a prefix longer than its depth");
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Digest& m) {
  auto& [round, nodes] = m;
  ar(Bits64{round}, List{nodes, kDigestNodeBytes});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, DigestReply& m) {
  auto& [round, children] = m;
  ar(Bits64{round}, List{children, kDigestNodeBytes});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Offer::Head& m) {
  auto& [origin, seq, chain] = m;
  ar(origin_name(origin), Number{seq}, Bits64{chain});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Offer::Entry& m) {
  auto& [channel, heads] = m;
  ar(channel_name(channel), List{heads, kOriginBytesMin + kSeqBytesMin + sizeof(std::uint64_t)});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Offer& m) {
  auto& [entries] = m;
  ar(List{entries, kNameBytesMin + kCountBytesMin});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, SettleAsk& m) {
  auto& [token, knew, hollow] = m;
  ar(Bits64{token}, Name{knew, valid_past_epoch}, hollow);
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, SettleDone& m) {
  auto& [token] = m;
  ar(Bits64{token});
}

// ---- links: duplicates ----------------------------------------------------------------------------------------------

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, OpAsk& m) {
  auto& [request, channel, client, op] = m;
  ar(Bits64{request}, channel_name(channel), client_name(client), Number{op, 1});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, OpAnswer& m) {
  auto& [request, found, origin, seq, ts, data_hash] = m;
  ar(Bits64{request}, found);
  if (found) ar(origin_name(origin), seq_from_1(seq), Number{ts}, Bits64{data_hash});
}

// ---- links: signals and presence ------------------------------------------------------------------------------------

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, SignalMessage& m) {
  auto& [channel, client, data] = m;
  ar(channel_name(channel), client_name(client), Json{data});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, PresenceEntry& m) {
  auto& [conn, client] = m;
  ar(Bits64{conn}, client_name(client));
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, PresenceFull& m) {
  auto& [channel, version, present] = m;
  ar(channel_name(channel), Counter{version}, List{present, sizeof(ConnId) + kNameBytesMin});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, PresenceDelta& m) {
  auto& [channel, from, joined, left] = m;
  ar(channel_name(channel), Counter{from}, List{joined, sizeof(ConnId) + kNameBytesMin}, Bits64List{left});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, PresenceWant& m) {
  auto& [channel] = m;
  ar(channel_name(channel));
}

// ---- links: two processes under one id ------------------------------------------------------------------------------

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, WhoIsThere& m) {
  auto& [heard, other] = m;
  ar(Name{heard, valid_epoch}, Name{other, valid_epoch});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, StillHere& m) {
  auto& [other, reached, up_ms] = m;
  ar(Name{other, valid_epoch}, reached, Number{up_ms});
}

// ---- whole messages -------------------------------------------------------------------------------------------------

/// The tag of each alternative. Never reused for anything else within one version.
template <class Message>
inline constexpr std::uint8_t kTag = 0;
template <>
inline constexpr std::uint8_t kTag<Heartbeat> = 0x01;
template <>
inline constexpr std::uint8_t kTag<InterestDelta> = 0x02;
template <>
inline constexpr std::uint8_t kTag<InterestWant> = 0x10;
template <>
inline constexpr std::uint8_t kTag<InterestFull> = 0x11;
template <>
inline constexpr std::uint8_t kTag<StrokeRun> = 0x20;
template <>
inline constexpr std::uint8_t kTag<Stored> = 0x21;
template <>
inline constexpr std::uint8_t kTag<Pull> = 0x22;
template <>
inline constexpr std::uint8_t kTag<PullDone> = 0x23;
template <>
inline constexpr std::uint8_t kTag<Heads> = 0x24;
template <>
inline constexpr std::uint8_t kTag<Fetch> = 0x25;
template <>
inline constexpr std::uint8_t kTag<StoredWant> = 0x26;
template <>
inline constexpr std::uint8_t kTag<StoreFull> = 0x27;
template <>
inline constexpr std::uint8_t kTag<Digest> = 0x30;
template <>
inline constexpr std::uint8_t kTag<DigestReply> = 0x31;
template <>
inline constexpr std::uint8_t kTag<Offer> = 0x32;
template <>
inline constexpr std::uint8_t kTag<SettleAsk> = 0x33;
template <>
inline constexpr std::uint8_t kTag<SettleDone> = 0x34;
template <>
inline constexpr std::uint8_t kTag<OpAsk> = 0x40;
template <>
inline constexpr std::uint8_t kTag<OpAnswer> = 0x41;
template <>
inline constexpr std::uint8_t kTag<SignalMessage> = 0x50;
template <>
inline constexpr std::uint8_t kTag<PresenceFull> = 0x51;
template <>
inline constexpr std::uint8_t kTag<PresenceDelta> = 0x52;
template <>
inline constexpr std::uint8_t kTag<PresenceWant> = 0x53;
template <>
inline constexpr std::uint8_t kTag<WhoIsThere> = 0x60;
template <>
inline constexpr std::uint8_t kTag<StillHere> = 0x61;

/// A variant is its alternative's tag and body.
template <class... Messages>
void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const std::variant<Messages...>& any) {
  static_assert(((kTag<Messages> != 0) && ...), "a message without a tag");
  const auto write = [&ar](const auto& message) {
    ar.byte(kTag<std::decay_t<decltype(message)>>);
    ar(message);
  };
  std::visit(write, any);
}

template <class... Messages>
void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, std::variant<Messages...>& any) {
  const std::uint8_t tag = ar.byte();
  const auto read_if = [&ar, &any, tag]<class Message>(std::in_place_type_t<Message>) {
    if (tag != kTag<Message>) return false;
    ar(any.template emplace<Message>());
    return true;
  };
  if (!(read_if(std::in_place_type<Messages>) || ...)) throw Malformed("an unknown tag");
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, GossipMessage& m) {
  auto& [node, epoch, body] = m;
  ar(Name{node, valid_node_id}, Name{epoch, valid_epoch}, body);
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Frame& m) {
  auto& [node, epoch, session, number, messages] = m;
  ar(Name{node, valid_node_id}, Name{epoch, valid_epoch}, Bits64{session}, Number{number, 1}, List{messages, 1});
}

}  // namespace inkmesh::wire
