#include "edge/http_route.h"

#include <algorithm>
#include <array>
#include <utility>

namespace inkmesh::edge {
namespace {

bool same_letter(char a, char b) {
  return (a | 0x20) == (b | 0x20);
}

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

}  // namespace

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view scheme = "Bearer ";
  if (authorization.size() <= scheme.size()) return {};
  if (!std::equal(scheme.begin(), scheme.end() - 1, authorization.begin(), same_letter)) return {};
  if (authorization[scheme.size() - 1] != ' ') return {};
  const auto from = authorization.find_first_not_of(' ', scheme.size());
  return from == std::string_view::npos ? std::string_view{} : authorization.substr(from);
}

bool valid_websocket_key(std::string_view key) {
  return key.size() == 24 && key.substr(22) == "==" && std::all_of(key.begin(), key.begin() + 22, is_base64);
}

std::string error_json(int status, std::string_view message) {
  constexpr std::array<std::pair<int, const char*>, 8> codes = {{
      {403, "forbidden"},
      {404, "not_found"},
      {405, "bad_method"},
      {411, "length_required"},
      {413, "too_large"},
      {426, "upgrade_required"},
      {429, "rate_limited"},
      {431, "too_large"},
  }};
  const auto* found = std::find_if(codes.begin(), codes.end(), [&](const auto& code) { return code.first == status; });
  const char* code = found != codes.end() ? found->second : status >= 500 ? "unavailable" : "bad_message";
  return std::string(R"({"type":"error","code":")") + code + R"(","message":")" + std::string(message) + "\"}";
}

HttpResponse http_error(int status, std::string_view message) {
  HttpResponse response;
  response.status = status;
  response.body = error_json(status, message);
  return response;
}

std::optional<HttpResponse> route_http(const std::string& method, std::string_view target,
                                       std::string_view transfer_encoding, const HttpFiles& files) {
  const std::string path(path_of(target));
  const bool reading = method == "GET" || method == "HEAD";
  if (!transfer_encoding.empty()) return http_error(411, "a body must come with Content-Length");
  if (path == "/healthz") {
    if (reading) {
      HttpResponse healthy;
      healthy.body = "{\"ok\":true}";
      return healthy;
    }
    HttpResponse refusal = http_error(405, "only GET and HEAD");
    refusal.headers.emplace_back("Allow", "GET, HEAD");
    return refusal;
  }
  if (path == "/ws") {
    HttpResponse refusal = http_error(426, "this address speaks WebSocket");
    refusal.headers.emplace_back("Upgrade", "websocket");
    return refusal;
  }
  if (!reading || !files) return std::nullopt;
  const HttpResponse* file = files(path);
  return file != nullptr ? std::optional<HttpResponse>(*file) : std::nullopt;
}

const char* reason_of(int status) {
  constexpr std::array<std::pair<int, const char*>, 31> reasons = {{
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {413, "Content Too Large"},
      {415, "Unsupported Media Type"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {507, "Insufficient Storage"},
  }};
  const auto* found = std::find_if(reasons.begin(), reasons.end(), [&](const auto& r) { return r.first == status; });
  return found != reasons.end() ? found->second : "Unknown";
}

}  // namespace inkmesh::edge
