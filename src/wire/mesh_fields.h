// Each mesh message's fields, once for writing and reading (cereal's serialize). The grammar of the bytes is at the top
// of mesh_codec.cpp, the only file that includes this one.
//
// Structured bindings name every field, so a message that gains one does not compile until its bytes are told here.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <variant>

#include "inkmesh/mesh_message.h"
#include "wire/byte_archive.h"

namespace inkmesh::wire {

// The least that each takes in bytes: what counts are held to.
constexpr std::size_t kNameBytesMin = 2;
constexpr std::size_t kOriginBytesMin = 11;
constexpr std::size_t kSeqBytesMin = 1;
constexpr std::size_t kCountBytesMin = 1;
constexpr std::size_t kStrokeBytesMin = 5;
constexpr std::size_t kDigestNodeBytes = 17;

/// What a cursor's entry takes in memory: a node of a std::map.
constexpr std::size_t kCursorEntryMemory = sizeof(Cursor::Map::value_type) + 4 * sizeof(void*);

constexpr std::uint8_t kDigestDepthMax = 16;

inline bool valid_epoch(std::string_view epoch) {
  return epoch.size() == 8 && std::all_of(epoch.begin(), epoch.end(),
                                          [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

inline Name channel_name(Channel& value) {
  return {value, valid_channel};
}
inline Name origin_name(Origin& value) {
  return {value, valid_origin};
}
inline Name client_name(ClientName& value) {
  return {value, valid_client};
}
inline Number seq_from_1(Seq& value) {
  return {value, 1};
}

/// A list of hashes or connection ids.
struct Bits64List {
  std::vector<std::uint64_t>& values;
  std::size_t count_max = SIZE_MAX;
};

inline void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const Bits64List& list) {
  ar.varint(list.values.size());
  for (const std::uint64_t value : list.values)
    ar.fixed64(value);
}
inline void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, Bits64List& list) {
  list.values.resize(ar.count(sizeof(std::uint64_t), list.count_max, sizeof(std::uint64_t)));
  for (std::uint64_t& value : list.values)
    value = ar.fixed64();
}

inline void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const Cursor& cursor) {
  ar.varint(cursor.size());
  for (const auto& [origin, seq] : cursor.seqs()) {
    ar.byte(static_cast<std::uint8_t>(origin.size()));
    ar.bytes(origin);
    ar.varint(seq);
  }
}
inline void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, Cursor& cursor) {
  const std::size_t count = ar.count(kOriginBytesMin + kSeqBytesMin, SIZE_MAX, kCursorEntryMemory);
  Cursor::Map seqs;
  for (std::size_t i = 0; i < count; ++i) {
    std::string origin = checked_name(ar, ar.byte(), valid_origin);
    if (!seqs.empty() && origin <= seqs.rbegin()->first) throw Malformed("a cursor out of order");
    seqs.emplace_hint(seqs.end(), std::move(origin), checked_number(ar.varint(), 1, kNumberMax));
  }
  cursor = Cursor(std::move(seqs));
}

// ---- a run of strokes -----------------------------------------------------------------------------------------------

/// The difference as a number whose lowest bit is the sign.
inline std::uint64_t delta_of(std::uint64_t before, std::uint64_t value) {
  const std::uint64_t forward = value - before;
  return value >= before ? forward << 1U : (~forward << 1U) | 1U;
}
inline std::uint64_t after_delta(std::uint64_t before, std::uint64_t delta) {
  return before + ((delta & 1U) == 0 ? delta >> 1U : ~(delta >> 1U));
}

inline void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const StrokeRun& run) {
  auto& [channel, origin, strokes, repair] = const_cast<StrokeRun&>(run);
  const Seq first = strokes.empty() ? 0 : strokes.front()->seq;
  ar(channel_name(channel), origin_name(origin), repair);
  ar.varint(first);
  ar.varint(strokes.size());
  const ClientName* author = nullptr;
  TimeUs ts = 0;
  Op op = 0;
  Seq seq = first;
  for (const StrokePtr& stroke : strokes) {
    // The receiver numbers by position: going on with a run that has a gap would give one seq two contents.
    if (first == 0 || stroke->seq != seq++ || stroke->origin != origin || stroke->channel != channel) {
      std::fprintf(stderr, "inkmesh: a run of %s in %s is not one: seq %llu at place %llu from %llu\n", origin.c_str(),
                   channel.c_str(), static_cast<unsigned long long>(stroke->seq),
                   static_cast<unsigned long long>(seq - 1 - first), static_cast<unsigned long long>(first));
      std::abort();
    }
    const bool same_author = author != nullptr && *author == stroke->client;
    ar.byte(same_author ? 0 : static_cast<std::uint8_t>(stroke->client.size()));
    if (!same_author) ar.bytes(stroke->client);
    ar.varint(delta_of(ts, stroke->ts));
    ar.varint(delta_of(op, stroke->op));
    ar.varint(std::uint64_t{stroke->data.size()} << 1U | (stroke->duplicate ? 1U : 0U));
    ar.bytes(stroke->data);
    author = &stroke->client;
    ts = stroke->ts;
    op = stroke->op;
  }
}

inline void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, StrokeRun& run) {
  ar(channel_name(run.channel), origin_name(run.origin), run.repair);
  const Seq first = checked_number(ar.varint(), 1, kNumberMax);
  const std::size_t memory = sizeof(StrokePtr) + sizeof(Stroke) + 2 * sizeof(void*);
  const std::size_t count = ar.count(kStrokeBytesMin, kNumberMax, memory + run.channel.size() + run.origin.size());
  if (count == 0 || count - 1 > kNumberMax - first) throw Malformed("a run of no strokes, or past the last number");
  run.strokes.reserve(count);
  const Stroke* before = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    auto stroke = std::make_shared<Stroke>();
    stroke->channel = run.channel;
    stroke->origin = run.origin;
    stroke->seq = first + i;
    if (const std::size_t size = ar.byte(); size > 0) {
      stroke->client = checked_name(ar, size, valid_client);
    } else if (before != nullptr) {
      ar.charge(before->client.size());
      stroke->client = before->client;
    } else {
      throw Malformed("a first stroke without its author");
    }
    stroke->ts = checked_number(after_delta(before == nullptr ? 0 : before->ts, ar.varint()), 0, kNumberMax);
    stroke->op = checked_number(after_delta(before == nullptr ? 0 : before->op, ar.varint()), 1, kNumberMax);
    const std::uint64_t size = ar.varint();
    stroke->duplicate = (size & 1U) != 0;
    const std::string_view data = ar.bytes(checked_number(size >> 1U, 1, kDataBytesMax));
    ar.charge(data.size());
    stroke->data.assign(data);
    before = stroke.get();
    run.strokes.push_back(std::move(stroke));
  }
}

// ---- gossip ---------------------------------------------------------------------------------------------------------

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Heartbeat& m) {
  auto& [list_generation, interest_version, interest_digest, connections, wall_us, full, ready] = m;
  ar(Bits64{list_generation}, Number{interest_version}, Bits64{interest_digest}, Number32{connections}, Number{wall_us},
     full, ready);
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, InterestDelta& m) {
  auto& [from, opened, closed] = m;
  ar(Number{from}, Bits64List{opened, kInterestChannelsMax}, Bits64List{closed, kInterestChannelsMax});
}

// ---- links: interest ------------------------------------------------------------------------------------------------

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& /*ar*/, InterestWant& /*m*/) {}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, InterestFull& m) {
  auto& [version, channels] = m;
  ar(Number{version}, Bits64List{channels, kInterestChannelsMax});
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
  ar(List(entries, kNameBytesMin + kOriginBytesMin + kSeqBytesMin));
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
  ar(List(entries, kNameBytesMin + kCountBytesMin));
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
  ar(Bits64{round}, List(nodes, kDigestNodeBytes));
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, DigestReply& m) {
  auto& [round, children] = m;
  ar(Bits64{round}, List(children, kDigestNodeBytes));
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Offer::Head& m) {
  auto& [origin, seq, chain] = m;
  ar(origin_name(origin), Number{seq}, Bits64{chain});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Offer::Entry& m) {
  auto& [channel, heads] = m;
  ar(channel_name(channel), List(heads, kOriginBytesMin + kSeqBytesMin + sizeof(std::uint64_t)));
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, Offer& m) {
  auto& [entries] = m;
  ar(List(entries, kNameBytesMin + kCountBytesMin));
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, SettleAsk& m) {
  auto& [token] = m;
  ar(Bits64{token});
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
  ar(channel_name(channel), Number{version}, List(present, sizeof(ConnId) + kNameBytesMin));
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, PresenceDelta& m) {
  auto& [channel, from, joined, left] = m;
  ar(channel_name(channel), Number{from}, List(joined, sizeof(ConnId) + kNameBytesMin), Bits64List{left});
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& ar, PresenceWant& m) {
  auto& [channel] = m;
  ar(channel_name(channel));
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
  ar(Name{node, valid_node_id}, Name{epoch, valid_epoch}, Bits64{session}, Number{number, 1}, List(messages, 1));
}

}  // namespace inkmesh::wire
