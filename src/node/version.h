#pragma once

namespace inkmesh::node {

/// The program's version, as `inkmesh --version` says it.
const char* version();

}  // namespace inkmesh::node
