// The edge's unit is C++17 and includes the codecs' headers: they must compile as that.
#include "wire/client_codec.h"
#include "wire/mesh_codec.h"

static_assert(__cplusplus == 201703L);
