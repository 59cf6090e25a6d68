#include "cli/url.h"

#include "cli/commands.h"
#include "node/config/config_values.h"

namespace inkmesh::cli {

Address parse_url(const std::string& url) {
  std::string rest = url;
  if (const std::size_t scheme_end = rest.find("://"); scheme_end != std::string::npos) {
    const std::string scheme = rest.substr(0, scheme_end);
    if (scheme == "https" || scheme == "wss") throw UsageError(url + ": TLS is not spoken here; expected http://");
    if (scheme != "http" && scheme != "ws") throw UsageError(url + ": expected http://host:port");
    rest.erase(0, scheme_end + 3);
  }
  rest.erase(std::min(rest.find_first_of("/?#"), rest.size()));
  const std::size_t colon = rest.rfind(':');
  const bool has_port = colon != std::string::npos && (rest.front() != '[' || rest.rfind(']') < colon);
  const auto address = config::parse_address(has_port ? rest : rest + ":80");
  if (!address) throw UsageError(url + ": expected http://host:port");
  return *address;
}

}  // namespace inkmesh::cli
