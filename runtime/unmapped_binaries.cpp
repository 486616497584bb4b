#include "runtime/unmapped_binaries.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

#include "base/pattern.h"
#include "base/process_maps.h"
#include "runtime/used_features.h"

namespace awl::runtime {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

struct Mapped {
  std::set<std::pair<uint64_t, uint64_t>> files;  // device, inode
  std::set<uint64_t> inodes;  // by the mappings: filesystems may tell others of their files
  std::set<std::string> deleted;
};

Mapped read_mapped(int pid, const std::string &root) {
  Mapped mapped;
  const std::string text = read_process_maps(static_cast<uint32_t>(pid));
  visit_executable_maps(text, [&](const ProcessMap &map) {
    if (map.inode == 0) return;
    mapped.inodes.insert(map.inode);
    std::string path(map.path);
    struct stat info {};
    if (path.ends_with(kDeleted)) {
      mapped.deleted.insert(path.substr(0, path.size() - kDeleted.size()));
    } else if (stat((root + path).c_str(), &info) == 0) {
      mapped.files.emplace(info.st_dev, info.st_ino);
    }
  });
  return mapped;
}

// With its links followed, as mappings tell it.
std::string real_path(const std::string &path) {
  const std::unique_ptr<char, void (*)(void *)> real(realpath(path.c_str(), nullptr), free);
  return real ? real.get() : path;
}

}  // namespace

std::vector<Problem> find_unmapped_binaries(const Plan &plan, int pid, const std::string &root) {
  std::vector<Problem> problems;
  std::set<std::string> known;
  const Mapped mapped = read_mapped(pid, root);
  if (mapped.inodes.empty()) return problems;
  for (const std::vector<Instance> &instances : plan.instances) {
    for (const Instance &instance : instances) {
      for (const Target &target : instance.targets) {
        const object::AttachPoint &point = *target.point;
        // Of a pattern's files a process runs some.
        if (!is_uprobe_family(point.family) || has_wildcard(point.binary)) continue;
        if (!known.insert(target.path).second) continue;
        struct stat info {};
        if (stat((root + target.path).c_str(), &info) != 0) continue;
        if (mapped.files.contains({info.st_dev, info.st_ino})) continue;
        const bool is_replaced = mapped.deleted.contains(real_path(target.path));
        if (!is_replaced && mapped.inodes.contains(info.st_ino)) continue;
        problems.push_back(
            {fmt::format("process {} {} {}, so probes in it see nothing{}", pid,
                         is_replaced ? "runs a file that was replaced by" : "has not mapped",
                         target.path, is_replaced ? " before the process is started anew" : " yet"),
             point.location, /*is_warning=*/true});
      }
    }
  }
  return problems;
}

}  // namespace awl::runtime
