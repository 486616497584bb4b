#include "runtime/loaded_object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>

namespace awl::runtime {

void BpfObjectCloser::operator()(bpf_object *object) const { bpf_object__close(object); }

int LoadedObject::program(size_t program, size_t instance) const {
  return program < programs_.size() && instance < programs_[program].size()
             ? programs_[program][instance]
             : -1;
}

std::vector<uint64_t> LoadedObject::missed_runs() const {
  std::vector<uint64_t> missed(programs_.size());
  std::vector<uint32_t> seen;
  for (size_t i = 0; i < programs_.size(); ++i) {
    for (const int fd : programs_[i]) {
      bpf_prog_info info = {};
      uint32_t size = sizeof info;
      if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) != 0) continue;
      if (std::find(seen.begin(), seen.end(), info.id) != seen.end()) continue;
      seen.push_back(info.id);
      missed[i] += info.recursion_misses;
    }
  }
  return missed;
}

int LoadedObject::map(const std::string &elf_name) const {
  if (objects_.empty()) return -1;
  bpf_map *map = bpf_object__find_map_by_name(objects_.front().get(), elf_name.c_str());
  return map != nullptr ? bpf_map__fd(map) : -1;
}

uint32_t LoadedObject::map_entries(const std::string &elf_name) const {
  if (objects_.empty()) return 0;
  bpf_map *map = bpf_object__find_map_by_name(objects_.front().get(), elf_name.c_str());
  return map != nullptr ? bpf_map__max_entries(map) : 0;
}

}  // namespace awl::runtime
