// One subscription as a client sees it: what to ask for, what a message means, and whether the cluster keeps its word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/json_slice.h"
#include "inkmesh/cursor.h"
#include "inkmesh/types.h"

namespace inkmesh::cli {

struct ReaderStart {
  enum class Kind { full, cursor, since, live } kind = Kind::full;
  Cursor cursor;
  TimeUs since = 0;
};

/// What one message brought.
struct ReaderNews {
  std::string lines;                      ///< a line of JSON for each new stroke
  std::vector<std::string> broken;        ///< promises that the message broke
  std::string note;                       ///< for the operator
  bool live = false;                      ///< all that the node has has come
  bool complete = false;                  ///< and that is all that there is
  std::optional<std::uint32_t> retry_ms;  ///< the node was too busy: ask again then
};

class ChannelReader {
 public:
  ChannelReader(Channel channel, ReaderStart start);

  /// The request to send on a fresh connection: from the start, or past what has been seen.
  std::string subscribe_message() const;

  /// Takes a message of the node. Throws std::runtime_error when the node refuses the subscription for good.
  ReaderNews take(std::string_view message);

  const Cursor& cursor() const {
    return cursor_;
  }
  std::uint64_t promises_broken() const {
    return promises_broken_;
  }

 private:
  void take_stroke(const JsonObject& stroke, ReaderNews& news);
  void take_subscribed(const JsonObject& message, ReaderNews& news);
  void take_error(const JsonObject& message, ReaderNews& news);
  void break_promise(ReaderNews& news, std::string text);
  bool has_cursor() const;

  Channel channel_;
  ReaderStart start_;
  bool began_ = false;  ///< a node has said where the subscription begins: from then on the cursor counts
  Cursor cursor_;
  std::uint64_t promises_broken_ = 0;
};

/// A cursor from JSON, and back. Nothing when it is none.
std::optional<Cursor> cursor_of(std::string_view json);
std::string json_of(const Cursor& cursor);

}  // namespace inkmesh::cli
