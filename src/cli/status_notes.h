// What `inkmesh status` says beneath its tables: what is not as it should be, and whom it hangs on.
#pragma once

#include <cstdint>
#include <map>
#include <set>
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
  void add_own(const std::string& id, const JsonObject& status);
  void add_peer(const std::string& id, const JsonObject& status, const JsonObject& peer);
  void add_twin(const std::string& id, const JsonObject& status);
  std::string other_lists() const;
  std::string twins() const;
  std::string versions() const;

  std::vector<std::string> notes_;                           ///< each of one node alone
  std::map<std::string, std::vector<std::string>> down_;     ///< by node: who sees it so
  std::map<std::string, std::vector<std::string>> unknown_;  ///< by node: who has never heard of it
  std::set<std::string> full_;
  std::vector<std::string> standins_;
  std::map<std::string, std::set<std::string>> other_lists_;         ///< both ways
  std::map<std::string, std::map<std::string, std::string>> twins_;  ///< by node: addresses by epoch
  std::map<std::string, std::uint64_t> versions_;                    ///< of the mesh, by node
  bool versions_differ_ = false;
  std::map<std::string, std::uint64_t> ahead_ms_;  ///< by node: how far its strokes lie ahead
};

}  // namespace inkmesh::cli
