// An HTTP request as the edge hands it over: `METHOD target`, a line end, the body. It is refused with an error that is
// JSON, answered, or an event within the protocol's bounds.
#include <string>
#include <utility>

#include "door.h"
#include "edge/http_route.h"
#include "node/http_routes.h"
#include "wire/client_codec.h"

namespace {

using namespace inkmesh;
using fuzz::expect;

constexpr fuzz::Growth kGrowth{24, 8192};
constexpr ConnId kConn = kConnHttpBit | 7;

void check(const edge::HttpResponse& response) {
  expect(response.status >= 200 && response.status <= 599 && !response.body.empty());
  expect(std::string_view(edge::reason_of(response.status)) != "Unknown");
  for (const auto& [name, value] : response.headers)
    expect((name + value).find_first_of("\r\n") == std::string::npos);
  if (response.status < 400) return;
  // An error is a message of the protocol: JSON of a type that is no request.
  const auto parsed = wire::parse_request(response.body);
  const auto* refusal = std::get_if<SendError>(&parsed);
  expect(refusal != nullptr && refusal->message.rfind("type must be", 0) == 0);
}

void check(node::Report /*report*/) {}

void check(const Publish& publish) {
  expect(publish.conn == kConn && valid_channel(publish.channel) && valid_client(publish.client));
  expect(publish.op >= 1 && publish.op <= kNumberMax && !publish.data.empty());
  expect(publish.data.size() <= kDataBytesMax);
}

void check(const HistoryAsk& ask) {
  expect(ask.conn == kConn && valid_channel(ask.channel) && ask.start.since <= kNumberMax);
  for (const auto& [origin, seq] : ask.start.cursor.seqs())
    expect(plausible_origin(origin) && seq <= kNumberMax);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const edge::HttpResponse page = [] {
    edge::HttpResponse made;
    made.body = "<!doctype html>";
    return made;
  }();
  static const edge::HttpFiles files = [](const std::string& path) { return path == "/index.html" ? &page : nullptr; };

  auto rest = fuzz::text_of(bytes, size);
  auto line = fuzz::cut(rest, '\n');
  edge::HttpRequest request;
  request.conn = kConn;
  request.method = fuzz::cut(line, ' ');
  request.target = line;
  request.body = rest;
  if (const auto own = edge::route_http(request.method, request.target, {}, files)) check(*own);
  const auto action = fuzz::within(kGrowth, size, [&] { return node::route(request, files); });
  std::visit([](const auto& what) { check(what); }, action);

  const auto token = edge::bearer_of(line);
  expect(token.empty() || (line.ends_with(token) && token.front() != ' '));
  if (edge::valid_websocket_key(line)) expect(line.size() == 24);
  return 0;
}
