// What mesh messages are made of, as bytes: names, lists of hashes, cursors and runs of strokes.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "inkmesh/cursor.h"
#include "inkmesh/mesh_message.h"
#include "inkmesh/stroke.h"
#include "wire/byte_archive.h"

namespace inkmesh::wire {

// The least that each takes in bytes: what counts are held to.
constexpr std::size_t kNameBytesMin = 2;
constexpr std::size_t kOriginBytesMin = 11;
constexpr std::size_t kSeqBytesMin = 1;
constexpr std::size_t kCountBytesMin = 1;
constexpr std::size_t kStrokeBytesMin = 5;

/// IPv6 with a zone.
constexpr std::size_t kAddressBytesMax = 64;

/// What a cursor's entry takes in memory.
constexpr std::size_t kCursorEntryMemory = sizeof(Cursor::Map::value_type);

inline bool valid_epoch(std::string_view epoch) {
  return epoch.size() == kEpochBytes && std::all_of(epoch.begin(), epoch.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
         });
}

/// Of a life that was perhaps never heard of: empty then.
inline bool valid_past_epoch(std::string_view epoch) {
  return epoch.empty() || valid_epoch(epoch);
}

/// An IP address as text; empty where it is not known.
inline bool valid_address(std::string_view address) {
  return address.size() <= kAddressBytesMax && std::all_of(address.begin(), address.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == ':' ||
                  c == '%' || c == '-';
         });
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
    put_name(ar, origin);
    ar.varint(seq);
  }
}
inline void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, Cursor& cursor) {
  const std::size_t count = ar.count(kOriginBytesMin + kSeqBytesMin, SIZE_MAX, kCursorEntryMemory);
  Cursor::Map seqs;
  seqs.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::string origin = checked_name(ar, ar.byte(), valid_origin);
    if (!seqs.empty() && origin <= seqs.back().first) throw Malformed("a cursor out of order");
    seqs.emplace_back(std::move(origin), checked_number(ar.varint(), 1, kNumberMax));
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
  auto& [strokes, repair] = run;
  if (strokes.empty()) {
    std::fprintf(stderr, "inkmesh: a run of no strokes\n");
    std::abort();
  }
  const Channel& channel = run.channel();
  const Origin& origin = run.origin();
  const Seq first = strokes.front()->seq;
  put_name(ar, channel);
  put_name(ar, origin);
  ar(repair);
  ar.varint(first);
  ar.varint(strokes.size());
  const ClientName* author = nullptr;
  TimeUs ts = 0;
  Op op = 0;
  Seq seq = first;
  for (const StrokePtr& stroke : strokes) {
    // The receiver numbers by position: going on with a run that has a gap would give one seq two contents.
    if (stroke->seq != seq++ || stroke->origin != origin || stroke->channel != channel) {
      std::fprintf(stderr, "inkmesh: a run of %s in %s is not one: seq %llu at place %llu from %llu\n", origin.c_str(),
                   channel.c_str(), static_cast<unsigned long long>(stroke->seq),
                   static_cast<unsigned long long>(seq - 1 - first), static_cast<unsigned long long>(first));
      std::abort();
    }
    const bool same_author = author != nullptr && *author == stroke->client;
    put_name(ar, same_author ? std::string_view{} : stroke->client);
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
  Channel channel;
  Origin origin;
  ar(channel_name(channel), origin_name(origin), run.repair);
  const Seq first = checked_number(ar.varint(), 1, kNumberMax);
  const std::size_t memory = sizeof(StrokePtr) + sizeof(Stroke) + 2 * sizeof(void*);
  const std::size_t count = ar.count(kStrokeBytesMin, kNumberMax, memory + channel.size() + origin.size());
  if (count == 0 || count - 1 > kNumberMax - first) throw Malformed("a run of no strokes, or past the last number");
  run.strokes.reserve(count);
  const Stroke* before = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    auto stroke = std::make_shared<Stroke>();
    const bool last = i + 1 == count;
    stroke->channel = last ? std::move(channel) : channel;
    stroke->origin = last ? std::move(origin) : origin;
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

}  // namespace inkmesh::wire
