// The dialects of the servers that inkmesh is measured against (bench/rivals). All of them take the names of channels
// and clients to be plain: letters, digits, '-' and '_'. They quote nothing.
#pragma once

#include <memory>

#include "load/dialect.h"

namespace inkmesh::bench {

std::unique_ptr<Dialect> make_ws_redis_dialect();
std::unique_ptr<Dialect> make_socketio_dialect();
std::unique_ptr<Dialect> make_nats_dialect();

}  // namespace inkmesh::bench
