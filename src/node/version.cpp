#include "node/version.h"

namespace inkmesh::node {

const char* version() {
  return INKMESH_VERSION;
}

}  // namespace inkmesh::node
