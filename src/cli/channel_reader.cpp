#include "cli/channel_reader.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "node/config/config_values.h"

namespace inkmesh::cli {
namespace {

/// As JSON: with the rest of a request within kFrameBytesMax.
constexpr std::size_t kCursorBytesMax = 96'000;

}  // namespace

ChannelReader::ChannelReader(Channel channel, ReaderStart start)
    : channel_(std::move(channel)), start_(std::move(start)), cursor_(start_.cursor) {}

std::string ChannelReader::subscribe_message() const {
  std::string message = R"({"type":"subscribe","id":1,"channel":)" + json_string(channel_);
  if (has_cursor()) {
    // One that does not fit is not shown: all comes again.
    const std::string cursor = json_of(cursor_);
    if (cursor.size() <= kCursorBytesMax) message += ",\"cursor\":" + cursor;
  } else if (start_.kind == ReaderStart::Kind::since) {
    message += ",\"since\":" + std::to_string(start_.since);
  } else if (start_.kind == ReaderStart::Kind::live) {
    message += ",\"live\":true";
  }
  return message + "}";
}

ReaderNews ChannelReader::take(std::string_view text) {
  ReaderNews news;
  const auto message = slice_object(text);
  if (!message) {
    break_promise(news, "a message that is no JSON object");
    return news;
  }
  const std::string type = message->text("type");
  if (type == "error") {
    take_error(*message, news);
    return news;
  }
  if (message->text("channel") != channel_) return news;
  if (type == "stroke") {
    take_stroke(*message, news);
  } else if (type == "strokes") {
    const auto strokes = slice_array(message->raw("strokes"));
    if (!strokes) break_promise(news, "strokes without strokes");
    for (const std::string_view raw : strokes.value_or(std::vector<std::string_view>{})) {
      if (const auto stroke = slice_object(raw)) take_stroke(*stroke, news);
    }
  } else if (type == "subscribed") {
    take_subscribed(*message, news);
  } else if (type == "live") {
    news.live = true;
    news.complete = message->flag("complete");
    if (!news.complete) news.note = "live, but no node that must know all of it can be asked yet";
  }
  return news;
}

void ChannelReader::take_subscribed(const JsonObject& message, ReaderNews& news) {
  const auto cursor = cursor_of(message.raw("cursor"));
  if (!cursor) {
    break_promise(news, "subscribed without a cursor");
    return;
  }
  const std::string mode = message.text("mode");
  if (mode == "reset") {
    news.note = "the drawing was reset: it starts over";
    cursor_ = *cursor;
  } else if (mode == "delta" && has_cursor() && *cursor != cursor_) {
    break_promise(news, "a delta from " + json_of(*cursor) + " where " + json_of(cursor_) + " was shown");
  } else {
    const bool again = mode == "full" && has_cursor() && cursor_.size() != 0;
    if (again) news.note = "from the start again: the cursor was too long for a request, or nothing was known of it";
    cursor_ = *cursor;
  }
  began_ = true;
}

bool ChannelReader::has_cursor() const {
  return began_ || start_.kind == ReaderStart::Kind::cursor;
}

void ChannelReader::take_stroke(const JsonObject& stroke, ReaderNews& news) {
  const std::string origin = stroke.text("origin");
  const auto seq = stroke.number("seq");
  if (!valid_origin(origin) || !seq || *seq > kNumberMax || !began_) {
    break_promise(news, "a stroke without an origin, a seq or a subscription");
    return;
  }
  const Seq expected = cursor_.at(origin) + 1;
  if (*seq != expected) {
    break_promise(news, origin + " seq " + std::to_string(*seq) + " where " + std::to_string(expected) + " was next");
  }
  if (*seq < expected) return;
  cursor_.raise(origin, *seq);
  std::string& out = news.lines;
  out += "{\"channel\":" + json_string(channel_);
  for (const char* name : {"origin", "seq", "ts", "client", "op", "data", "duplicate"}) {
    const std::string_view raw = stroke.raw(name);
    if (raw.empty()) continue;
    out += ",\"" + std::string(name) + "\":";
    // Blanks between tokens may hold line ends, strings cannot: a stroke stays one line.
    for (const char c : raw)
      out += c == '\n' || c == '\r' ? ' ' : c;
  }
  out += "}\n";
}

void ChannelReader::take_error(const JsonObject& message, ReaderNews& news) {
  const std::string text = message.text("code") + ": " + message.text("message");
  const auto retry_ms = message.number("retry_ms");
  if (!retry_ms || *retry_ms == 0 || message.number("id") != std::uint64_t{1}) throw std::runtime_error(text);
  news.retry_ms = static_cast<std::uint32_t>(std::min<std::uint64_t>(*retry_ms, 10'000));
  news.note = text;
}

void ChannelReader::break_promise(ReaderNews& news, std::string text) {
  ++promises_broken_;
  news.broken.push_back(std::move(text));
}

std::optional<Cursor> cursor_of(std::string_view json) {
  const auto object = slice_object(json);
  if (!object) return std::nullopt;
  Cursor cursor;
  for (const JsonObject::Member& member : object->members()) {
    // Not number(name), which looks for it from the front: a cursor of many origins would take their square.
    const auto seq = config::parse_whole(member.raw);
    if (!valid_origin(member.name) || !seq || *seq > kNumberMax) return std::nullopt;
    cursor.set(member.name, *seq);
  }
  return cursor;
}

std::string json_of(const Cursor& cursor) {
  std::string out = "{";
  for (const auto& [origin, seq] : cursor.seqs()) {
    out += (out.size() > 1 ? "," : "") + json_string(origin) + ":" + std::to_string(seq);
  }
  return out + "}";
}

}  // namespace inkmesh::cli
