#include "runtime/object_maps.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/file.h"
#include "runtime/object/kernel_map_type.h"
#include "runtime/object/unwind.h"

namespace awl::runtime {
namespace {

// The sizes and types that the rest of the runtime relies on.
bool is_unwind_map(const bpf_map *map, const std::string &name) {
  const bool is_tables = name == object::kUnwindTablesMap;
  return bpf_map__type(map) == (is_tables ? BPF_MAP_TYPE_ARRAY_OF_MAPS : BPF_MAP_TYPE_HASH) &&
         bpf_map__key_size(map) == sizeof(uint32_t) &&
         bpf_map__value_size(map) == (is_tables ? sizeof(uint32_t) : sizeof(object::UnwindProcess));
}

}  // namespace

Status check_maps(bpf_object *object, const object::Description &description) {
  for (const object::Map &described : description.maps) {
    bpf_map *map = bpf_object__find_map_by_name(object, described.elf_name.c_str());
    if (map == nullptr || bpf_map__key_size(map) != described.key_size ||
        bpf_map__value_size(map) != described.value_size ||
        bpf_map__type(map) != object::kernel_map_type(described.type)) {
      return Error{"the map " + described.name + " is not as the object describes it"};
    }
  }
  bpf_map *map;
  bpf_object__for_each_map(map, object) {
    const std::string name = bpf_map__name(map);
    if (bpf_map__pin_path(map) != nullptr) return Error{"the map " + name + " wants to be pinned"};
    const bool is_counter = name == object::kLostMap || name == object::kErrorMap;
    const bool is_ring = name == object::kOutputRing || name == object::kControlRing;
    const bool is_names = name == object::kProbeNamesMap;
    const bool is_next = name == object::kNextProgramsMap;
    const bool is_unwind = name == object::kUnwindProcessesMap || name == object::kUnwindTablesMap;
    if ((is_counter && (bpf_map__type(map) != BPF_MAP_TYPE_PERCPU_ARRAY ||
                        bpf_map__value_size(map) != sizeof(uint64_t) ||
                        bpf_map__key_size(map) != sizeof(uint32_t))) ||
        (is_ring && bpf_map__type(map) != BPF_MAP_TYPE_RINGBUF) ||
        (is_unwind && !is_unwind_map(map, name)) ||
        (is_next && bpf_map__type(map) != BPF_MAP_TYPE_PROG_ARRAY) ||
        (is_names && (bpf_map__type(map) != BPF_MAP_TYPE_ARRAY ||
                      bpf_map__value_size(map) != object::kProbeNameSize ||
                      bpf_map__key_size(map) != sizeof(uint32_t)))) {
      return Error{"the map " + name + " has a wrong type"};
    }
  }
  return ok();
}

void limit_frames(bpf_map *map) {
  constexpr uint32_t kUsualFrames = 127;  // PERF_MAX_STACK_DEPTH
  const bool has_build_ids = (bpf_map__map_flags(map) & BPF_F_STACK_BUILD_ID) != 0;
  const uint32_t frame_size = has_build_ids ? sizeof(bpf_stack_build_id) : sizeof(uint64_t);
  if (bpf_map__value_size(map) <= kUsualFrames * frame_size) return;
  Result<std::string> text = read_file("/proc/sys/kernel/perf_event_max_stack", 64);
  const uint32_t most = text ? static_cast<uint32_t>(atoi(text->c_str())) : kUsualFrames;
  bpf_map__set_value_size(map, std::min(bpf_map__value_size(map), most * frame_size));
}

void resize_map(bpf_object *object, const char *name, uint32_t entries) {
  bpf_map *map = bpf_object__find_map_by_name(object, name);
  if (map != nullptr) bpf_map__set_max_entries(map, entries);
}

}  // namespace awl::runtime
