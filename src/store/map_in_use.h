// LMDB believes its pages, and can crash on a damaged one. Then the log names the file and the way out before the
// process ends by that signal.
#pragma once

#include <string>

namespace inkmesh::store {

/// What helps where data.mdb cannot be trusted; ends the messages that say so.
inline constexpr const char* kWayOut =
    "Move the folder away and start again: the node refills from its peers. Or put a backup in its place.";

/// While one lives, a crash of its thread is told as one of this store. `folder` outlives it.
class MapInUse {
 public:
  explicit MapInUse(const std::string& folder);
  ~MapInUse();
  MapInUse(const MapInUse&) = delete;
  MapInUse& operator=(const MapInUse&) = delete;

 private:
  const char* outer_;
};

/// Says the same and aborts: for what LMDB itself finds impossible.
[[noreturn]] void map_is_broken(const char* what);

}  // namespace inkmesh::store
