// Which of the kernel's map types stands for a type of map in the description.
#pragma once

#include <linux/bpf.h>

#include "runtime/object/description.h"

namespace awl::object {

constexpr bpf_map_type kernel_map_type(MapType type) {
  switch (type) {
    case MapType::kHash:
      return BPF_MAP_TYPE_HASH;
    case MapType::kArray:
      return BPF_MAP_TYPE_ARRAY;
    case MapType::kPercpuHash:
      return BPF_MAP_TYPE_PERCPU_HASH;
    case MapType::kPercpuArray:
      return BPF_MAP_TYPE_PERCPU_ARRAY;
    case MapType::kLruHash:
      return BPF_MAP_TYPE_LRU_HASH;
    case MapType::kPercpuLruHash:
      return BPF_MAP_TYPE_LRU_PERCPU_HASH;
  }
  return BPF_MAP_TYPE_UNSPEC;
}

}  // namespace awl::object
