// The URL of a node or a balancer, as operators give it.
#pragma once

#include <string>

#include "inkmesh/config.h"

namespace inkmesh::cli {

/// "http://127.0.0.1:8081", "ws://[::1]:8081/ws", "ws1.example.org:8081", also as it stands in a browser's address bar:
/// a path and a query are passed over. The port is 80 where none is given. Throws UsageError; so do https and wss.
Address parse_url(const std::string& url);

}  // namespace inkmesh::cli
