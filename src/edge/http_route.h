// HTTP requests that the edge answers by itself, and the pieces of those that it passes on. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "edge/ws_edge.h"

namespace inkmesh::edge {

/// The part of a target before `?`.
std::string_view path_of(std::string_view target);

/// The token of `Authorization: Bearer <token>`; empty when there is none.
std::string_view bearer_of(std::string_view authorization);

/// True for a Sec-WebSocket-Key: 16 bytes in base64.
bool valid_websocket_key(std::string_view key);

/// An error in the protocol's form: `{"type":"error","code":…,"message":…}`. `message` needs no escaping.
std::string error_json(int status, std::string_view message);
HttpResponse http_error(int status, std::string_view message);

/// The edge's own answer, or nothing when the request is the node's. `transfer_encoding`: the header's value.
std::optional<HttpResponse> route_http(const std::string& method, std::string_view target,
                                       std::string_view transfer_encoding, const HttpFiles& files);

/// The status line's words.
const char* reason_of(int status);

}  // namespace inkmesh::edge
