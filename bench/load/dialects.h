// One maker for each dialect; make_dialect (load/dialect.h) finds it by its name.
#pragma once

#include "load/dialect.h"

namespace inkmesh::bench {

std::unique_ptr<Dialect> make_inkmesh_dialect();
std::unique_ptr<Dialect> make_floor_dialect();

}  // namespace inkmesh::bench
