// Strokes that the journal has and the replica has not: those of one segment, in memory for readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/op_index.h"
#include "inkmesh/cursor.h"
#include "inkmesh/effect.h"
#include "inkmesh/event.h"
#include "inkmesh/stroke.h"

namespace inkmesh::store {

/// Not thread-safe. Bounded by its user.
class Tail {
 public:
  /// At its log's end: the caller has looked. True when it is the channel's first here.
  bool add(const Append::Item& item);
  void clear();

  std::size_t strokes() const {
    return strokes_;
  }
  /// By cost_of().
  std::size_t bytes() const {
    return bytes_;
  }
  bool empty() const {
    return strokes_ == 0;
  }

  bool has_channel(std::string_view channel) const {
    return channels_.count(channel) != 0;
  }
  /// The last seq here; 0 for none.
  Seq head(std::string_view channel, std::string_view origin) const;
  /// The first stroke here of an author's op.
  StrokePtr find_op(std::string_view channel, std::string_view client, Op op) const;

  /// Appends to `strokes` what lies past `after` in the channel, an origin's in the order of seq; of `only`, where it
  /// is not empty. At most so many of each origin.
  void collect(const Channel& channel, const Cursor& after, std::string_view only, std::size_t max,
               Strokes& strokes) const;

  /// All, channel by channel in the order of their names; in a channel as they came, so that the first of an op is
  /// stored first.
  std::vector<Append::Item> by_channel() const;

  /// Calls `visit(item)` with the last stroke of each log.
  template <typename Visit>
  void for_each_head(const Visit& visit) const {
    for (const auto& [name, channel] : channels_) {
      for (const Log& log : channel.logs)
        visit(channel.items[log.at.back()]);
    }
  }

 private:
  struct Log {
    std::string_view origin;
    Seq first = 0;
    std::vector<std::uint32_t> at;  ///< places among the channel's items, of first, first + 1, ...
  };
  struct ChannelTail {
    std::vector<Append::Item> items;
    std::vector<Log> logs;  ///< a few: those who drew in the last seconds

    const Log* find(std::string_view origin) const;
  };
  /// Names are views into the strokes.
  std::unordered_map<std::string_view, ChannelTail> channels_;
  core::OpIndex ops_;
  std::size_t strokes_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace inkmesh::store
