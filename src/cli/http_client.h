// GET over plain HTTP, one request for each connection: enough to ask a node how it is.
#pragma once

#include <chrono>
#include <string>

#include "inkmesh/config.h"

namespace inkmesh::cli {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

/// Blocks until the whole answer is there, `timeout` at most (looking a host name up comes on top). Throws
/// std::runtime_error that names the address and says what went wrong. A body may have 64 MiB.
HttpAnswer http_get(const Address& address, const std::string& target, std::chrono::milliseconds timeout);

}  // namespace inkmesh::cli
