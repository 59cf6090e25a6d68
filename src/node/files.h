// The whiteboard's files, as they were built into the program.
#pragma once

#include "edge/ws_edge.h"

namespace inkmesh::node {

/// Empty in a program that was built without the whiteboard.
edge::HttpFiles embedded_files();

}  // namespace inkmesh::node
