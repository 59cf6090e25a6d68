// The whiteboard and the client library, as they are inside the binary.
#pragma once

#include <string_view>
#include <vector>

namespace inkmesh::web {

/// All three live as long as the process.
struct File {
  std::string_view path;          ///< as in a request: "/", "/board.js"
  std::string_view content_type;  ///< with its charset
  std::string_view bytes;
};

/// The file at a request's path (without its query), or nullptr. Any thread.
const File* find_file(std::string_view path);

/// Every file, sorted by path. Any thread.
const std::vector<File>& all_files();

}  // namespace inkmesh::web
