#include "load/dialects.h"

#include <utility>

namespace inkmesh::bench {

std::unique_ptr<Dialect> make_dialect(std::string_view name) {
  using Maker = std::unique_ptr<Dialect> (*)();
  constexpr std::pair<std::string_view, Maker> kMakers[] = {
      {"inkmesh", make_inkmesh_dialect},   {"floor", make_floor_dialect}, {"ws-redis", make_ws_redis_dialect},
      {"socketio", make_socketio_dialect}, {"nats", make_nats_dialect},
  };
  for (const auto& [known, maker] : kMakers) {
    if (known == name) return maker();
  }
  return nullptr;
}

}  // namespace inkmesh::bench
