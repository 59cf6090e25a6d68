// The strokes that are drawn: real handwriting, each with a marker.
#pragma once

#include <cstddef>
#include <string>

#include "load/marker.h"

namespace inkmesh::bench {

/// Appends the stroke's JSON, about 200 bytes: the marker, and ten points of a pen's path that depends on the publisher
/// and the sequence.
void append_stroke(const Mark& mark, std::string& out);

}  // namespace inkmesh::bench
