// The node's HTTP calls: a request to what is to be done, and what came of it to a response. Pure.
#pragma once

#include <variant>

#include "edge/ws_edge.h"
#include "inkmesh/core.h"
#include "inkmesh/effect.h"
#include "inkmesh/event.h"

namespace inkmesh::node {

/// What only the running node can tell.
enum class Report { ready, metrics, status };

/// An answer, a report to write, or an event for the core, which answers it with SendAck, SendError or HistoryPage to
/// the same `conn`.
using HttpAction = std::variant<edge::HttpResponse, Report, Publish, HistoryAsk>;

/// `files` may be empty: then `/` is a page that says so.
HttpAction route(const edge::HttpRequest& request, const edge::HttpFiles& files);

// What the core answered, as HTTP.

edge::HttpResponse response_to(const SendAck& ack);
edge::HttpResponse response_to(const SendError& error);
edge::HttpResponse response_to(const HistoryPage& page);
/// 200 or 503, with the reasons.
edge::HttpResponse readiness(const CoreStatus& core);

}  // namespace inkmesh::node
