#include "node/http_routes.h"

#include <spdlog/fmt/fmt.h>

#include <cctype>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "node/status_json.h"
#include "wire/client_codec.h"

namespace inkmesh::node {
namespace {

using edge::HttpRequest;
using edge::HttpResponse;

constexpr std::string_view kReadMethods = "GET, HEAD";
constexpr std::string_view kStrokesMethods = "GET, POST";

const HttpResponse& page_without_whiteboard() {
  static const HttpResponse page = [] {
    HttpResponse made;
    made.content_type = "text/html; charset=utf-8";
    made.body =
        "<!doctype html><title>inkmesh</title><p>This node was built without the whiteboard. "
        "<a href=\"/status\">Its status</a>.</p>\n";
    return made;
  }();
  return page;
}

HttpResponse json_response(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

HttpResponse refusal(ErrorCode code, std::string text) {
  SendError error;
  error.code = code;
  error.message = std::move(text);
  return response_to(error);
}

HttpResponse not_found() {
  return json_response(404, R"({"type":"error","code":"not_found","message":"there is nothing at this address"})");
}

HttpResponse wrong_method(std::string_view allowed) {
  HttpResponse response = json_response(
      405, fmt::format(R"({{"type":"error","code":"bad_method","message":"this address takes {}"}})", allowed));
  response.headers.emplace_back("Allow", allowed);
  return response;
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

/// Percent-decoding. Nothing for a `%` without two hex digits. In a query `+` is a space, as forms send it.
std::optional<std::string> decode(std::string_view text, bool query) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += query && text[at] == '+' ? ' ' : text[at];
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const auto high = hex_digit(text[at + 1]);
    const auto low = hex_digit(text[at + 2]);
    if (!high || !low) return std::nullopt;
    decoded += static_cast<char>(*high * 16 + *low);
    at += 2;
  }
  return decoded;
}

/// A target cut at its first `?`; a fragment, which no client should send, is dropped.
std::pair<std::string_view, std::string_view> split_target(std::string_view target) {
  target = target.substr(0, target.find('#'));
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

struct Parameter {
  std::string_view name;
  std::optional<std::string> value;  ///< nothing when it is not well encoded
};

/// Takes the first parameter off a query.
Parameter take_parameter(std::string_view& query) {
  const std::string_view pair = query.substr(0, query.find('&'));
  query.remove_prefix(std::min(query.size(), pair.size() + 1));
  const std::size_t equals = pair.find('=');
  const std::string_view raw = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
  return {pair.substr(0, equals), decode(raw, true)};
}

std::optional<TimeUs> parse_time(std::string_view text) {
  TimeUs time = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), time);
  if (error != std::errc() || end != text.data() + text.size() || time > kNumberMax) return std::nullopt;
  return time;
}

/// Where a page begins, or what is wrong with the query.
std::variant<StartAt, HttpResponse> parse_start(std::string_view query) {
  StartAt start;
  // One at a time: a query can hold as many as it has bytes.
  while (!query.empty()) {
    const Parameter parameter = take_parameter(query);
    if (!parameter.value) return refusal(ErrorCode::bad_message, "the query is not well percent-encoded");
    const bool cursor = parameter.name == "cursor";
    if (!cursor && parameter.name != "since") continue;
    if (start.kind != StartAt::Kind::full) return refusal(ErrorCode::bad_message, "one cursor or one since, not both");
    if (cursor) {
      auto parsed = wire::parse_cursor(*parameter.value);
      if (!parsed) return refusal(ErrorCode::bad_message, "cursor must be a JSON object of origins and seqs");
      start.kind = StartAt::Kind::cursor;
      start.cursor = std::move(*parsed);
    } else {
      const auto time = parse_time(*parameter.value);
      if (!time) return refusal(ErrorCode::bad_message, "since must be a whole number of microseconds since 1970");
      start.kind = StartAt::Kind::since;
      start.since = *time;
    }
  }
  return start;
}

HttpAction route_publish(const HttpRequest& request, const Channel& channel) {
  auto parsed = wire::parse_http_publish(channel, request.body);
  if (const auto* error = std::get_if<SendError>(&parsed)) return response_to(*error);
  auto& publish = std::get<Publish>(parsed);
  publish.conn = request.conn;
  return std::move(publish);
}

HttpAction route_history(const HttpRequest& request, const Channel& channel, std::string_view query) {
  if (!valid_channel(channel)) {
    return refusal(ErrorCode::bad_channel, "a channel is 1 to 128 bytes of A-Z a-z 0-9 _ . : -");
  }
  auto start = parse_start(query);
  if (auto* response = std::get_if<HttpResponse>(&start)) return std::move(*response);
  return HistoryAsk{request.conn, channel, std::move(std::get<StartAt>(start))};
}

/// The raw name in `/channels/{channel}/strokes`.
std::optional<std::string_view> channel_of(std::string_view path) {
  constexpr std::string_view kBefore = "/channels/";
  constexpr std::string_view kAfter = "/strokes";
  if (path.size() <= kBefore.size() + kAfter.size()) return std::nullopt;
  if (!path.starts_with(kBefore) || !path.ends_with(kAfter)) return std::nullopt;
  path.remove_prefix(kBefore.size());
  path.remove_suffix(kAfter.size());
  if (path.find('/') != std::string_view::npos) return std::nullopt;
  return path;
}

std::optional<Report> report_of(std::string_view path) {
  if (path == "/readyz") return Report::ready;
  if (path == "/metrics") return Report::metrics;
  if (path == "/status") return Report::status;
  return std::nullopt;
}

}  // namespace

HttpAction route(const HttpRequest& request, const edge::HttpFiles& files) {
  const auto [path, query] = split_target(request.target);
  if (const auto raw = channel_of(path)) {
    const auto channel = decode(*raw, false);
    if (!channel) return refusal(ErrorCode::bad_channel, "the channel is not well percent-encoded");
    if (request.method == "POST") return route_publish(request, *channel);
    if (request.method == "GET") return route_history(request, *channel, query);
    return wrong_method(kStrokesMethods);
  }

  const auto report = report_of(path);
  const bool healthz = path == "/healthz";
  const HttpResponse* file = files ? files(std::string(path)) : nullptr;
  if (file == nullptr && path == "/") file = files ? files("/index.html") : nullptr;
  if (file == nullptr && path == "/") file = &page_without_whiteboard();
  if (!report && !healthz && file == nullptr) return not_found();

  if (request.method != "GET" && request.method != "HEAD") return wrong_method(kReadMethods);
  if (report) return *report;
  if (healthz) return json_response(200, R"({"ok":true})");
  return *file;
}

HttpResponse response_to(const SendAck& ack) {
  // Neither a channel nor an origin has a byte that JSON would have to escape.
  return json_response(
      201, fmt::format(R"({{"channel":"{}","origin":"{}","seq":{},"ts":{},"copies":{}{}}})", ack.channel, ack.origin,
                       ack.seq, ack.ts, ack.copies, ack.duplicate ? R"(,"duplicate":true)" : ""));
}

HttpResponse response_to(const SendError& error) {
  SendError without_id = error;
  without_id.id.reset();
  HttpResponse response = json_response(wire::http_status_of(error.code), wire::encode(without_id));
  if (error.retry_ms > 0) {
    response.headers.emplace_back("Retry-After", std::to_string((error.retry_ms + 999) / 1000));
  }
  return response;
}

HttpResponse response_to(const HistoryPage& page) {
  return json_response(200, wire::encode(page));
}

HttpResponse readiness(const CoreStatus& core) {
  return json_response(core.ready ? 200 : 503, ready_json(core));
}

}  // namespace inkmesh::node
