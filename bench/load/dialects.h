// One maker for each dialect; make_dialect (load/dialect.h) finds it by its name.
#pragma once

#include <memory>

#include "load/dialect.h"

namespace inkmesh::bench {

std::unique_ptr<Dialect> make_inkmesh_dialect();
std::unique_ptr<Dialect> make_floor_dialect();
// Those of the rivals quote nothing: names of channels and clients must be plain (letters, digits, '-' and '_').
std::unique_ptr<Dialect> make_ws_redis_dialect();
std::unique_ptr<Dialect> make_socketio_dialect();
std::unique_ptr<Dialect> make_nats_dialect();

}  // namespace inkmesh::bench
