// Two cereal archives for the mesh: one writes bytes to a string, one reads them and believes nothing.
//
// cereal's own archives read a count and allocate for it before they look whether the bytes are there. This reader
// holds every count to the bytes that remain and to its own bound, every name to its alphabet, every number to its
// range, and the whole message to a budget of memory; whatever is wrong throws Malformed. Fields go through the
// wrappers below: each says what a value may be, and how it stands in the bytes.
#pragma once

#include <cereal/cereal.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "inkmesh/types.h"

namespace inkmesh::wire {

class Malformed : public cereal::Exception {
 public:
  using cereal::Exception::Exception;
};

/// Appends to a string that the caller owns.
class ByteWriter : public cereal::OutputArchive<ByteWriter, cereal::AllowEmptyClassElision> {
 public:
  explicit ByteWriter(std::string& out) : OutputArchive(this), out_(out) {}

  void byte(std::uint8_t value) {
    out_.push_back(static_cast<char>(value));
  }
  void fixed64(std::uint64_t value) {
    char bytes[8];
    for (char& b : bytes) {
      b = static_cast<char>(value & 0xFFU);
      value >>= 8U;
    }
    out_.append(bytes, sizeof bytes);
  }
  void varint(std::uint64_t value) {
    char bytes[10];
    std::size_t size = 0;
    for (; value >= 0x80; value >>= 7U)
      bytes[size++] = static_cast<char>(value | 0x80U);
    bytes[size++] = static_cast<char>(value);
    out_.append(bytes, size);
  }
  void bytes(std::string_view value) {
    out_.append(value);
  }

 private:
  std::string& out_;
};

/// Reads a view that the caller keeps alive.
class BoundedReader : public cereal::InputArchive<BoundedReader, cereal::AllowEmptyClassElision> {
 public:
  /// `memory_max`: what decoding may allocate in all, in bytes.
  BoundedReader(std::string_view in, std::size_t memory_max)
      : InputArchive(this), at_(in.data()), end_(in.data() + in.size()), memory_left_(memory_max) {}

  std::size_t remaining() const {
    return static_cast<std::size_t>(end_ - at_);
  }

  std::uint8_t byte() {
    need(1);
    return static_cast<std::uint8_t>(*at_++);
  }
  std::uint64_t fixed64() {
    need(8);
    std::uint64_t value = 0;
    for (int i = 7; i >= 0; --i)
      value = value << 8U | static_cast<unsigned char>(at_[i]);
    at_ += 8;
    return value;
  }
  /// Only the shortest form of a number is one.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t part = byte();
      const std::uint64_t bits = part & 0x7FU;
      if (shift == 63 && bits > 1) break;
      value |= bits << shift;
      if (part < 0x80) {
        if (part == 0 && shift > 0) break;
        return value;
      }
    }
    throw Malformed("a number that is none");
  }
  std::string_view bytes(std::size_t size) {
    need(size);
    const std::string_view view(at_, size);
    at_ += size;
    return view;
  }

  /// A count of things that take at least `bytes_min` bytes each here and `memory` bytes each when decoded.
  std::size_t count(std::size_t bytes_min, std::size_t count_max, std::size_t memory) {
    const std::uint64_t n = varint();
    if (n > remaining() / bytes_min || n > count_max) throw Malformed("more things than bytes");
    charge(static_cast<std::size_t>(n) * memory);
    return static_cast<std::size_t>(n);
  }

  /// Accounts for memory before it is allocated.
  void charge(std::size_t bytes) {
    if (bytes > memory_left_) throw Malformed("more than the budget");
    memory_left_ -= bytes;
  }

 private:
  void need(std::size_t size) const {
    if (size > remaining()) throw Malformed("cut short");
  }

  const char* at_;
  const char* const end_;
  std::size_t memory_left_;
};

// ---- what a field may be --------------------------------------------------------------------------------------------

/// A whole number as a varint, `min` to `max`.
struct Number {
  std::uint64_t& value;
  std::uint64_t min = 0;
  std::uint64_t max = kNumberMax;
};

/// The same, of 32 bits.
struct Number32 {
  std::uint32_t& value;
};

/// A version that only counts, as a varint: one can be after it.
struct Counter {
  std::uint64_t& value;
};

/// Any 64 bits: hashes, tokens, ids that are drawn at random.
struct Bits64 {
  std::uint64_t& value;
};

/// A name: one byte of length, then its characters.
struct Name {
  std::string& value;
  bool (*valid)(std::string_view);
};

/// A stroke's or a signal's JSON: its length, then its bytes. Not looked into.
struct Json {
  std::string& value;
};

/// A count, then so many values. `bytes_min`: what one takes at least.
template <class Vector>
struct List {
  Vector& values;
  std::size_t bytes_min;
  std::size_t count_max = SIZE_MAX;
};
template <class Vector>
List(Vector&, std::size_t) -> List<Vector>;
template <class Vector>
List(Vector&, std::size_t, std::size_t) -> List<Vector>;

inline void put_name(ByteWriter& ar, std::string_view name) {
  ar.byte(static_cast<std::uint8_t>(name.size()));
  ar.bytes(name);
}

inline std::string checked_name(BoundedReader& ar, std::size_t size, bool (*valid)(std::string_view)) {
  const std::string_view name = ar.bytes(size);
  if (!valid(name)) throw Malformed("a name that is none");
  ar.charge(name.size());
  return std::string(name);
}

inline std::uint64_t checked_number(std::uint64_t value, std::uint64_t min, std::uint64_t max) {
  if (value < min || value > max) throw Malformed("a number out of its range");
  return value;
}

// A template, or whatever converts to bool would be taken for one.
template <class T, std::enable_if_t<std::is_same_v<T, bool>, int> = 0>
void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const T& value) {
  ar.byte(value ? 1 : 0);
}
template <class T, std::enable_if_t<std::is_same_v<T, bool>, int> = 0>
void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, T& value) {
  value = checked_number(ar.byte(), 0, 1) == 1;
}

inline void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const Number& number) {
  ar.varint(number.value);
}
inline void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, Number& number) {
  number.value = checked_number(ar.varint(), number.min, number.max);
}

inline void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const Number32& number) {
  ar.varint(number.value);
}
inline void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, Number32& number) {
  number.value = static_cast<std::uint32_t>(checked_number(ar.varint(), 0, UINT32_MAX));
}

inline void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const Counter& counter) {
  ar.varint(counter.value);
}
inline void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, Counter& counter) {
  counter.value = checked_number(ar.varint(), 0, UINT64_MAX - 1);
}

inline void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const Bits64& bits) {
  ar.fixed64(bits.value);
}
inline void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, Bits64& bits) {
  bits.value = ar.fixed64();
}

inline void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const Name& name) {
  put_name(ar, name.value);
}
inline void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, Name& name) {
  name.value = checked_name(ar, ar.byte(), name.valid);
}

inline void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const Json& json) {
  ar.varint(json.value.size());
  ar.bytes(json.value);
}
inline void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, Json& json) {
  const std::size_t size = checked_number(ar.varint(), 1, kDataBytesMax);
  const std::string_view bytes = ar.bytes(size);
  ar.charge(size);
  json.value.assign(bytes);
}

template <class Vector>
void CEREAL_SAVE_FUNCTION_NAME(ByteWriter& ar, const List<Vector>& list) {
  ar.varint(list.values.size());
  for (const auto& value : list.values)
    ar(value);
}
template <class Vector>
void CEREAL_LOAD_FUNCTION_NAME(BoundedReader& ar, List<Vector>& list) {
  const std::size_t count = ar.count(list.bytes_min, list.count_max, sizeof(typename Vector::value_type));
  list.values.clear();
  list.values.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    ar(list.values.emplace_back());
}

}  // namespace inkmesh::wire
