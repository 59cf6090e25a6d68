// The client protocol (docs/protocol.md): JSON text to requests, and answers to JSON text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "inkmesh/effect.h"
#include "inkmesh/event.h"

namespace inkmesh::wire {

struct Hello {
  std::optional<ClientName> client;
  std::optional<std::string> token;
};
struct Ping {};

/// The event's `conn` (and, for Publish and SignalSent, `client`) are left for the caller to fill in.
using ClientRequest = std::variant<Hello, Ping, Subscribe, Unsubscribe, Publish, SignalSent, PresenceAsk>;

/// A message that is no request: what to answer. `conn` is left for the caller.
using ParsedRequest = std::variant<ClientRequest, SendError>;

/// Parses one text frame. Depth-limited, validates UTF-8, keeps `data` as the very bytes that came. Never throws.
ParsedRequest parse_request(std::string_view text);

/// The body of POST /channels/{channel}/strokes, as a Publish with its client.
std::variant<Publish, SendError> parse_http_publish(std::string_view channel, std::string_view body);

/// A cursor as JSON, as in `?cursor=`. Nothing when it is not one.
std::optional<Cursor> parse_cursor(std::string_view json);

struct Limits {
  std::size_t message_bytes = 0;
  std::size_t channels = 0;
  std::size_t publish_per_s = 0;
};

std::string encode_welcome(const NodeId& node, const ClientName& client, const Limits& limits);
std::string encode_pong();
std::string encode_goaway(unsigned retry_ms);

std::string encode(const SendSubscribed&);
std::string encode(const SendLive&);
std::string encode(const SendUnsubscribed&);
/// Without type and id where the connection is an HTTP request.
std::string encode(const SendAck&);
std::string encode(const SendError&);
std::string encode(const SendPresence&);
std::string encode(const SendPresenceChange&);
std::string encode(const DeliverSignal&);
/// The page as GET /channels/{channel}/strokes answers it.
std::string encode(const HistoryPage&);

/// One `stroke` message for one stroke, else `strokes` messages of at most kBatchBytesMax bytes each, in order.
std::vector<std::string> encode_strokes(const Strokes& strokes);

/// The protocol's name of a code, and back to HTTP's status for the HTTP API.
std::string_view name_of(ErrorCode code);
int http_status_of(ErrorCode code);

}  // namespace inkmesh::wire
