// Client messages: JSON text to requests.
//
// Two passes. The first checks the whole text and notes where each known field stands (of a repeated key, the last);
// the second reads the fields that the message's type has. So an error of any field can echo the request's id, wherever
// the id stands.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "wire/client_codec.h"
#include "wire/json_scanner.h"

namespace inkmesh::wire {
namespace {

enum Field : std::size_t { type, id, channel, cursor, since, live, op, data, retry, client, token, field_count };

constexpr std::array<std::string_view, field_count> kFieldNames = {"type", "id",   "channel", "cursor", "since", "live",
                                                                   "op",   "data", "retry",   "client", "token"};

static_assert(kDataDepthMax <= 64);

using Slices = std::array<JsonSlice, field_count>;

Field field_of(std::string_view name) {
  std::size_t i = 0;
  while (i < field_count && kFieldNames[i] != name)
    ++i;
  return static_cast<Field>(i);
}

/// The field that a key names, `field_count` where it is none of ours.
Field field_of_key(std::string_view quoted) {
  if (const auto name = plain(quoted)) return field_of(*name);
  const auto name = unescape(quoted);
  return name ? field_of(*name) : field_count;
}

/// Plain decimal digits up to kNumberMax; nothing for a sign, a fraction, an exponent or more.
std::optional<std::uint64_t> whole_number(const JsonSlice& slice) {
  if (slice.kind != JsonKind::number || slice.text.front() == '-') return std::nullopt;
  std::uint64_t value = 0;
  const char* const end = slice.text.data() + slice.text.size();
  const auto [at, error] = std::from_chars(slice.text.data(), end, value);
  if (error != std::errc{} || at != end || value > kNumberMax) return std::nullopt;
  return value;
}

std::optional<std::string> text_of(const JsonSlice& slice) {
  if (slice.kind != JsonKind::string) return std::nullopt;
  if (const auto text = plain(slice.text)) return std::string(*text);
  return unescape(slice.text);
}

std::string json_fault(const JsonScanner& scanner) {
  return "not valid JSON at byte " + std::to_string(scanner.fault_at()) + ": " + scanner.fault();
}

/// Notes where the fields stand. What is wrong with the text, or nothing.
std::string scan(std::string_view text, Slices& slices) {
  JsonScanner scanner(text, static_cast<unsigned>(kDataDepthMax));
  if (!scanner.begin_object()) return json_fault(scanner);
  std::string_view key;
  while (scanner.next_member(key)) {
    const Field field = field_of_key(key);
    JsonSlice slice;
    if (!scanner.value(slice)) {
      if (!scanner.too_deep()) return json_fault(scanner);
      const std::string what = field == field_count ? "a value" : std::string(kFieldNames[field]);
      return what + " is nested deeper than " + std::to_string(kDataDepthMax) + " levels";
    }
    if (field != field_count) slices[field] = slice;
  }
  if (scanner.fault() != nullptr || !scanner.end()) return json_fault(scanner);
  return {};
}

/// Reads a cursor's object. What is wrong with it, or nothing.
std::string scan_cursor(std::string_view text, Cursor& out) {
  constexpr std::string_view expected =
      "cursor must be an object of origins and whole numbers, as {\"ws1~5k2m9x1q\":42}";
  JsonScanner scanner(text, 1);
  if (!scanner.begin_object()) return std::string(expected);
  Cursor::Map seqs;
  // Each has a colon, and takes at least `"a":1,`.
  const auto colons = static_cast<std::size_t>(std::count(text.begin(), text.end(), ':'));
  seqs.reserve(std::min(colons, text.size() / 6 + 1));
  std::string_view key;
  while (scanner.next_member(key)) {
    JsonSlice slice;
    if (!scanner.value(slice)) return std::string(expected);
    auto origin = text_of({key, JsonKind::string});
    if (!origin || !plausible_origin(*origin)) return "cursor's origins must be 1 to 64 printable ASCII characters";
    const auto seq = whole_number(slice);
    if (!seq) return "cursor's seq of " + *origin + " must be a whole number from 0 to " + std::to_string(kNumberMax);
    seqs.emplace_back(std::move(*origin), *seq);
  }
  if (scanner.fault() != nullptr || !scanner.end()) return std::string(expected);
  out = Cursor(std::move(seqs));
  return {};
}

/// Reads one message's fields; the first that is wrong makes the error.
class Reader {
 public:
  explicit Reader(std::string_view text) {
    if (std::string fault = scan(text, slices_); !fault.empty()) fail(ErrorCode::bad_message, std::move(fault));
  }

  bool has(Field field) const {
    return !slices_[field].absent();
  }
  bool good() const {
    return !error_;
  }

  bool fail(ErrorCode code, std::string message) {
    if (error_) return false;
    error_.emplace();
    error_->code = code;
    error_->message = std::move(message);
    if (has(id)) error_->id = whole_number(slices_[id]);
    return false;
  }

  SendError take_error() {
    return std::move(*error_);
  }

  /// A field that must be there. `expected` follows "must be" or "is required:".
  bool required(Field field, std::string_view expected) {
    if (has(field)) return true;
    return fail(ErrorCode::bad_message, name(field) + " is required: " + std::string(expected));
  }

  bool wrong(Field field, std::string_view expected) {
    return fail(ErrorCode::bad_message, name(field) + " must be " + std::string(expected));
  }

  bool number(Field field, std::uint64_t min, std::uint64_t& out) {
    if (const auto value = has(field) ? whole_number(slices_[field]) : std::nullopt; value && *value >= min) {
      out = *value;
      return true;
    }
    const std::string expected =
        "a whole number from " + std::to_string(min) + " to " + std::to_string(kNumberMax) + ", in digits only";
    return required(field, expected) && wrong(field, expected);
  }

  /// Leaves `out` alone where the field is absent.
  bool flag(Field field, bool& out) {
    if (!has(field)) return true;
    if (slices_[field].kind != JsonKind::boolean) return wrong(field, "true or false");
    out = slices_[field].text.front() == 't';
    return true;
  }

  bool text(Field field, std::string& out) {
    if (!required(field, "a string")) return false;
    auto value = text_of(slices_[field]);
    if (!value) return wrong(field, "a string");
    out = std::move(*value);
    return true;
  }

  bool channel_name(std::string& out) {
    if (!required(channel, "a string")) return false;
    if (slices_[channel].kind != JsonKind::string) return wrong(channel, "a string");
    // A string that is no text (half of a surrogate pair) names no channel.
    out = text_of(slices_[channel]).value_or(std::string());
    return valid_channel(out) || fail(ErrorCode::bad_channel, "channel must be 1 to 128 of A-Z a-z 0-9 _ . : -");
  }

  bool client_name(std::string& out) {
    if (!text(client, out)) return false;
    return valid_client(out) || wrong(client, "1 to 64 of A-Z a-z 0-9 _ . : -");
  }

  bool any_json(Field field, std::string& out) {
    if (!required(field, "any JSON value")) return false;
    if (slices_[field].text.size() > kDataBytesMax) {
      return fail(ErrorCode::too_large, name(field) + " must be at most " + std::to_string(kDataBytesMax) + " bytes");
    }
    out.assign(slices_[field].text);
    return true;
  }

  bool start(StartAt& out) {
    bool from_now = false;
    if (!flag(live, from_now)) return false;
    if (static_cast<int>(has(cursor)) + static_cast<int>(has(since)) + static_cast<int>(from_now) > 1) {
      return fail(ErrorCode::bad_message, "only one of cursor, since and live can be given");
    }
    if (from_now) out.kind = StartAt::Kind::live;
    if (has(since)) {
      out.kind = StartAt::Kind::since;
      return number(since, 0, out.since);
    }
    if (has(cursor)) {
      out.kind = StartAt::Kind::cursor;
      if (std::string fault = scan_cursor(slices_[cursor].text, out.cursor); !fault.empty()) {
        return fail(ErrorCode::bad_message, std::move(fault));
      }
    }
    return true;
  }

 private:
  static std::string name(Field field) {
    return std::string(kFieldNames[field]);
  }

  Slices slices_;
  std::optional<SendError> error_;
};

// Each reads one type of message; false when the reader holds an error.

bool read(Reader& in, Hello& out) {
  if (in.has(client) && !in.client_name(out.client.emplace())) return false;
  return !in.has(token) || in.text(token, out.token.emplace());
}

bool read(Reader& /*in*/, Ping& /*out*/) {
  return true;
}

bool read(Reader& in, Subscribe& out) {
  return in.number(id, 0, out.id) && in.channel_name(out.channel) && in.start(out.start);
}

bool read(Reader& in, Unsubscribe& out) {
  return in.number(id, 0, out.id) && in.channel_name(out.channel);
}

bool read(Reader& in, Publish& out) {
  return in.number(id, 0, out.id) && in.channel_name(out.channel) && in.number(op, 1, out.op) &&
         in.flag(retry, out.retry) && in.any_json(data, out.data);
}

bool read(Reader& in, SignalSent& out) {
  return in.channel_name(out.channel) && in.any_json(data, out.data);
}

bool read(Reader& in, PresenceAsk& out) {
  return in.number(id, 0, out.id) && in.channel_name(out.channel);
}

template <class Request>
ParsedRequest read_as(Reader& in) {
  Request request;
  if (!read(in, request)) return in.take_error();
  return ClientRequest(std::move(request));
}

}  // namespace

ParsedRequest parse_request(std::string_view text) {
  Reader in(text);
  std::string kind;
  if (!in.good() || !in.text(type, kind)) return in.take_error();
  if (kind == "publish") return read_as<Publish>(in);
  if (kind == "signal") return read_as<SignalSent>(in);
  if (kind == "subscribe") return read_as<Subscribe>(in);
  if (kind == "unsubscribe") return read_as<Unsubscribe>(in);
  if (kind == "presence") return read_as<PresenceAsk>(in);
  if (kind == "ping") return read_as<Ping>(in);
  if (kind == "hello") return read_as<Hello>(in);
  in.wrong(type, "hello, subscribe, unsubscribe, publish, signal, presence or ping");
  return in.take_error();
}

std::variant<Publish, SendError> parse_http_publish(std::string_view channel_name, std::string_view body) {
  Reader in(body);
  Publish publish;
  publish.channel = channel_name;
  if (in.good() && !valid_channel(channel_name)) {
    in.fail(ErrorCode::bad_channel, "channel must be 1 to 128 of A-Z a-z 0-9 _ . : -");
  }
  if (in.good() && in.client_name(publish.client) && in.number(op, 1, publish.op) && in.flag(retry, publish.retry) &&
      in.any_json(data, publish.data)) {
    return publish;
  }
  SendError error = in.take_error();
  error.id.reset();
  return error;
}

std::optional<Cursor> parse_cursor(std::string_view json) {
  Cursor cursor_read;
  if (!scan_cursor(json, cursor_read).empty()) return std::nullopt;
  return cursor_read;
}

}  // namespace inkmesh::wire
