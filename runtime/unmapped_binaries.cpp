#include "runtime/unmapped_binaries.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <set>

#include "base/process_maps.h"
#include "runtime/used_features.h"

namespace awl::runtime {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

struct Mapped {
  std::set<uint64_t> inodes;
  std::set<std::string> paths, deleted;
};

Mapped read_mapped(int pid) {
  Mapped mapped;
  const std::string text = read_process_maps(static_cast<uint32_t>(pid));
  visit_executable_maps(text, [&](const ProcessMap &map) {
    std::string_view path = map.path;
    const bool is_deleted = path.ends_with(kDeleted);
    if (is_deleted) path.remove_suffix(kDeleted.size());
    mapped.inodes.insert(map.inode);
    (is_deleted ? mapped.deleted : mapped.paths).emplace(path);
  });
  return mapped;
}

}  // namespace

std::vector<Problem> find_unmapped_binaries(const Plan &plan, int pid, const std::string &root) {
  std::vector<Problem> problems;
  std::set<std::string> known;
  const Mapped mapped = read_mapped(pid);
  if (mapped.inodes.empty()) return problems;
  for (const std::vector<Instance> &instances : plan.instances) {
    for (const Instance &instance : instances) {
      for (const Target &target : instance.targets) {
        if (!is_uprobe_family(target.point->family) || !known.insert(target.path).second) continue;
        struct stat info {};
        if (stat((root + target.path).c_str(), &info) != 0) continue;
        // Not all filesystems tell of their files with the same inodes as of their mappings.
        if (mapped.inodes.contains(info.st_ino) || mapped.paths.contains(target.path)) continue;
        const bool is_replaced = mapped.deleted.contains(target.path);
        problems.push_back(
            {fmt::format("process {} {} {}, so probes in it see nothing{}", pid,
                         is_replaced ? "runs a file that was replaced by" : "has not mapped",
                         target.path, is_replaced ? " before the process is started anew" : " yet"),
             target.point->location, /*is_warning=*/true});
      }
    }
  }
  return problems;
}

}  // namespace awl::runtime
