// Answers to clients as JSON text: appended piece by piece to one string that is reserved before. Names need no
// escaping (their alphabets have nothing to escape), data is JSON already; only what is written for people is escaped.
#include <algorithm>
#include <charconv>

#include "wire/client_codec.h"
#include "wire/utf8.h"

namespace inkmesh::wire {
namespace {

constexpr std::size_t kNumberChars = 20;

/// More than any answer takes besides its names, data and lists.
constexpr std::size_t kAnswerBytes = 224;

void put_piece(std::string& out, std::string_view text) {
  out.append(text);
}

void put_piece(std::string& out, std::uint64_t number) {
  char digits[kNumberChars];
  const auto written = std::to_chars(digits, digits + kNumberChars, number);
  out.append(digits, written.ptr);
}

template <class... Pieces>
void put(std::string& out, const Pieces&... pieces) {
  (put_piece(out, pieces), ...);
}

std::string_view boolean(bool value) {
  return value ? "true" : "false";
}

/// A string for a person, quoted. What is not UTF-8 becomes '?'.
void put_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  const char* const end = text.data() + text.size();
  out.push_back('"');
  for (const char* at = text.data(); at != end; ++at) {
    const auto byte = static_cast<unsigned char>(*at);
    if (byte == '"' || byte == '\\') {
      out.push_back('\\');
      out.push_back(*at);
    } else if (byte < 0x20) {
      put(out, "\\u00", hex.substr(byte >> 4U, 1), hex.substr(byte & 15U, 1));
    } else if (byte < 0x80) {
      out.push_back(*at);
    } else if (const std::size_t length = utf8_multibyte(at, end); length > 0) {
      out.append(at, length);
      at += length - 1;
    } else {
      out.push_back('?');
    }
  }
  out.push_back('"');
}

std::size_t bytes_of(const Cursor& cursor) {
  return 2 + cursor.size() * (kOriginBytesMax + kNumberChars);
}

void put_cursor(std::string& out, const Cursor& cursor) {
  out.push_back('{');
  std::string_view comma;
  for (const auto& [origin, seq] : cursor.seqs()) {
    put(out, comma, "\"", origin, "\":", seq);
    comma = ",";
  }
  out.push_back('}');
}

std::size_t bytes_of(const std::vector<Present>& present) {
  return 2 + present.size() * (kClientBytesMax + kNodeIdBytesMax);
}

void put_present(std::string& out, const std::vector<Present>& present) {
  out.push_back('[');
  std::string_view comma;
  for (const Present& who : present) {
    put(out, comma, R"({"client":")", who.client, R"(","node":")", who.node, R"("})");
    comma = ",";
  }
  out.push_back(']');
}

/// At least what put_stroke_fields() appends and a bracket, a brace and a comma.
std::size_t bytes_of(const Stroke& stroke) {
  constexpr std::size_t keys_and_numbers = 96 + 3 * kNumberChars;
  return keys_and_numbers + stroke.origin.size() + stroke.client.size() + stroke.data.size();
}

std::size_t bytes_of(const Strokes& strokes) {
  std::size_t bytes = 0;
  for (const StrokePtr& stroke : strokes)
    bytes += bytes_of(*stroke);
  return bytes;
}

/// The members that a stroke has alone and in a batch.
void put_stroke_fields(std::string& out, const Stroke& stroke) {
  put(out, R"("origin":")", stroke.origin, R"(","seq":)", stroke.seq, R"(,"ts":)", stroke.ts, R"(,"client":")",
      stroke.client, R"(","op":)", stroke.op, R"(,"data":)", stroke.data);
  if (stroke.duplicate) put(out, R"(,"duplicate":true)");
}

std::string start_answer(std::size_t bytes) {
  std::string out;
  out.reserve(kAnswerBytes + bytes);
  return out;
}

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::delta:
      return "delta";
    case Mode::full:
      return "full";
    case Mode::since:
      return "since";
    case Mode::live:
      return "live";
  }
  return {};
}

}  // namespace

std::string encode_welcome(const NodeId& node, const ClientName& client, const Limits& limits) {
  std::string out = start_answer(node.size() + client.size());
  put(out, R"({"type":"welcome","node":")", node, R"(","client":")", client, R"(","limits":{"message_bytes":)",
      limits.message_bytes, R"(,"channels":)", limits.channels, R"(,"publish_per_s":)", limits.publish_per_s, "}}");
  return out;
}

std::string encode_pong() {
  return R"({"type":"pong"})";
}

std::string encode_goaway(unsigned retry_ms) {
  std::string out;
  put(out, R"({"type":"goaway","retry_ms":)", retry_ms, "}");
  return out;
}

std::string encode(const SendSubscribed& answer) {
  std::string out = start_answer(answer.channel.size() + bytes_of(answer.cursor));
  put(out, R"({"type":"subscribed","id":)", answer.id, R"(,"channel":")", answer.channel, R"(","mode":")",
      name_of(answer.mode), R"(","cursor":)");
  put_cursor(out, answer.cursor);
  put(out, "}");
  return out;
}

std::string encode(const SendLive& answer) {
  std::string out = start_answer(answer.channel.size() + bytes_of(answer.cursor));
  put(out, R"({"type":"live","channel":")", answer.channel, R"(","cursor":)");
  put_cursor(out, answer.cursor);
  put(out, R"(,"complete":)", boolean(answer.complete), "}");
  return out;
}

std::string encode(const SendUnsubscribed& answer) {
  std::string out = start_answer(answer.channel.size());
  put(out, R"({"type":"unsubscribed","id":)", answer.id, R"(,"channel":")", answer.channel, R"("})");
  return out;
}

std::string encode(const SendAck& answer) {
  std::string out = start_answer(answer.channel.size() + answer.origin.size());
  if (is_http(answer.conn)) {
    put(out, "{");
  } else {
    put(out, R"({"type":"ack","id":)", answer.id, ",");
  }
  put(out, R"("channel":")", answer.channel, R"(","origin":")", answer.origin, R"(","seq":)", answer.seq, R"(,"ts":)",
      answer.ts, R"(,"copies":)", answer.copies);
  if (answer.duplicate) put(out, R"(,"duplicate":true)");
  put(out, "}");
  return out;
}

std::string encode(const SendError& answer) {
  std::string out = start_answer(answer.message.size());
  put(out, R"({"type":"error")");
  if (answer.id) put(out, R"(,"id":)", *answer.id);
  put(out, R"(,"code":")", name_of(answer.code), R"(","message":)");
  put_quoted(out, answer.message);
  if (answer.retry_ms > 0) put(out, R"(,"retry_ms":)", answer.retry_ms);
  put(out, "}");
  return out;
}

std::string encode(const SendPresence& answer) {
  std::string out = start_answer(answer.channel.size() + bytes_of(*answer.clients));
  put(out, R"({"type":"presence","id":)", answer.id, R"(,"channel":")", answer.channel, R"(","clients":)");
  put_present(out, *answer.clients);
  put(out, "}");
  return out;
}

std::string encode(const SendPresenceChange& answer) {
  std::string out = start_answer(answer.channel.size() + bytes_of(answer.joined) + bytes_of(answer.left));
  put(out, R"({"type":"presence","channel":")", answer.channel, R"(","joined":)");
  put_present(out, answer.joined);
  put(out, R"(,"left":)");
  put_present(out, answer.left);
  put(out, "}");
  return out;
}

std::string encode(const DeliverSignal& signal) {
  std::string out = start_answer(signal.channel.size() + signal.client.size() + signal.data.size());
  put(out, R"({"type":"signal","channel":")", signal.channel, R"(","client":")", signal.client, R"(","data":)",
      signal.data, "}");
  return out;
}

std::string encode(const HistoryPage& page) {
  std::string out = start_answer(bytes_of(page.strokes) + bytes_of(page.cursor));
  put(out, R"({"strokes":[)");
  std::string_view comma;
  for (const StrokePtr& stroke : page.strokes) {
    put(out, comma, "{");
    put_stroke_fields(out, *stroke);
    put(out, "}");
    comma = ",";
  }
  put(out, R"(],"cursor":)");
  put_cursor(out, page.cursor);
  put(out, R"(,"more":)", boolean(page.more), R"(,"complete":)", boolean(page.complete), "}");
  return out;
}

std::vector<std::string> encode_strokes(const Strokes& strokes) {
  std::vector<std::string> messages;
  if (strokes.empty()) return messages;
  const std::string& channel = strokes.front()->channel;
  if (strokes.size() == 1) {
    std::string out = start_answer(channel.size() + bytes_of(*strokes.front()));
    put(out, R"({"type":"stroke","channel":")", channel, R"(",)");
    put_stroke_fields(out, *strokes.front());
    put(out, "}");
    messages.push_back(std::move(out));
    return messages;
  }
  std::size_t bytes_left = bytes_of(strokes);
  std::string batch;
  for (const StrokePtr& stroke : strokes) {
    const std::size_t bytes = bytes_of(*stroke);
    if (!batch.empty() && batch.size() + bytes > kBatchBytesMax) {
      put(batch, "]}");
      messages.push_back(std::move(batch));
      batch = {};
    }
    if (batch.empty()) {
      batch.reserve(std::min(kBatchBytesMax, kAnswerBytes + channel.size() + bytes_left));
      put(batch, R"({"type":"strokes","channel":")", channel, R"(","strokes":[{)");
    } else {
      put(batch, ",{");
    }
    put_stroke_fields(batch, *stroke);
    put(batch, "}");
    bytes_left -= bytes;
  }
  put(batch, "]}");
  messages.push_back(std::move(batch));
  return messages;
}

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_message:
      return "bad_message";
    case ErrorCode::bad_channel:
      return "bad_channel";
    case ErrorCode::too_large:
      return "too_large";
    case ErrorCode::rate_limited:
      return "rate_limited";
    case ErrorCode::forbidden:
      return "forbidden";
    case ErrorCode::unauthorized:
      return "unauthorized";
    case ErrorCode::not_subscribed:
      return "not_subscribed";
    case ErrorCode::too_many_channels:
      return "too_many_channels";
    case ErrorCode::storage_full:
      return "storage_full";
    case ErrorCode::op_reused:
      return "op_reused";
    case ErrorCode::unavailable:
      return "unavailable";
  }
  return {};
}

int http_status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_message:
    case ErrorCode::bad_channel:
      return 400;
    case ErrorCode::unauthorized:
      return 401;
    case ErrorCode::forbidden:
      return 403;
    case ErrorCode::not_subscribed:
    case ErrorCode::op_reused:
      return 409;
    case ErrorCode::too_large:
      return 413;
    case ErrorCode::rate_limited:
    case ErrorCode::too_many_channels:
      return 429;
    case ErrorCode::unavailable:
      return 503;
    case ErrorCode::storage_full:
      return 507;
  }
  return 500;
}

}  // namespace inkmesh::wire
