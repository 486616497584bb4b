// The maps of an object that has been opened, before it is loaded.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "runtime/object/description.h"

struct bpf_map;
struct bpf_object;

namespace awl::runtime {

// Whether they have the types and sizes that the rest of the runtime relies on.
Status check_maps(bpf_object *object, const object::Description &description);

// Where the object has such a map.
void resize_map(bpf_object *object, const char *name, uint32_t entries);

// The kernel makes no map for more frames than it walks.
void limit_frames(bpf_map *map);

}  // namespace awl::runtime
