// Strokes by their author's (channel, client, op), found without a copy of the names.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <unordered_set>

#include "inkmesh/stroke.h"

namespace inkmesh::core {

struct OpName {
  std::string_view channel;
  std::string_view client;
  Op op = 0;

  OpName(std::string_view channel_, std::string_view client_, Op op_) : channel(channel_), client(client_), op(op_) {}
  // Not explicit: a stroke is found by its own name.
  OpName(const StrokePtr& stroke) : channel(stroke->channel), client(stroke->client), op(stroke->op) {}

  bool operator==(const OpName& other) const = default;
};

struct OpHash {
  using is_transparent = void;
  std::size_t operator()(const OpName& name) const {
    constexpr std::size_t spread = 0x9e3779b97f4a7c15U;
    const std::hash<std::string_view> hash;
    return (hash(name.channel) * spread + hash(name.client)) * spread + name.op;
  }
};

struct OpEqual {
  using is_transparent = void;
  bool operator()(const OpName& a, const OpName& b) const {
    return a == b;
  }
};

/// Keeps the first of an op. Find with an OpName.
using OpIndex = std::unordered_set<StrokePtr, OpHash, OpEqual>;

}  // namespace inkmesh::core
