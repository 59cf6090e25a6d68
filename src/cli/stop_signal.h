// Ctrl-C and SIGTERM as a flag that loops look at.
#pragma once

namespace inkmesh::cli {

/// From now on the first SIGINT or SIGTERM only sets the flag; the second one ends the process as ever.
void watch_stop_signals();

bool stop_asked();

}  // namespace inkmesh::cli
