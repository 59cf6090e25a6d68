#include "node/files.h"

#ifdef INKMESH_WITH_WEB
#include <map>
#include <memory>
#include <string>

#include "web/embedded_files.h"
#endif

namespace inkmesh::node {

#ifdef INKMESH_WITH_WEB

edge::HttpFiles embedded_files() {
  const auto responses = std::make_shared<std::map<std::string, edge::HttpResponse>>();
  for (const web::File& file : web::all_files()) {
    edge::HttpResponse& response = (*responses)[std::string(file.path)];
    response.content_type = file.content_type;
    response.body = file.bytes;
    // A page of one version never runs with another's modules.
    response.headers = {{"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}};
  }
  return [responses](const std::string& path) -> const edge::HttpResponse* {
    const auto found = responses->find(path);
    return found == responses->end() ? nullptr : &found->second;
  };
}

#else

edge::HttpFiles embedded_files() {
  return {};
}

#endif

}  // namespace inkmesh::node
