// What `inkmesh status` says beneath its tables: what is not as it should be, and whom it hangs on.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/json_slice.h"

namespace inkmesh::cli {

class StatusNotes {
 public:
  /// A node's own answer to /status.
  void add(const JsonObject& status);

  /// A line for each note; of what several nodes say of the same one, one.
  std::string text() const;

 private:
  std::vector<std::string> notes_;
  std::map<std::string, std::uint64_t> ahead_ms_;  ///< by node: how far its strokes lie ahead
};

}  // namespace inkmesh::cli
