#include "runtime/unmapped_binaries.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "base/mapped_files.h"
#include "base/pattern.h"
#include "runtime/used_features.h"

namespace awl::runtime {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

// The files of a user probe's process, compared by what stat(2) says of both: some filesystems
// tell of their files otherwise than of their mappings.
class RunFiles {
 public:
  RunFiles(int pid, const std::string &root) : root_(root) {
    for (const std::string &path : mapped_files(pid)) {
      if (path.ends_with(kDeleted)) {
        deleted_.insert(path.substr(0, path.size() - kDeleted.size()));
      } else if (const std::optional<Id> id = id_of(path)) {
        known_.insert(*id);
      } else {
        has_unknown_ = true;
      }
    }
  }

  // Empty: it runs the file, or that cannot be told.
  std::string_view problem_of(const std::string &path) const {
    const std::optional<Id> id = id_of(path);
    if (!id || known_.contains(*id)) return "";
    // Mappings are told with links followed, such as /lib.
    std::error_code error;
    const std::filesystem::path real = std::filesystem::canonical(path, error);
    if (deleted_.contains(path) || deleted_.contains(real.string()))
      return "runs a file that was replaced since by";
    return has_unknown_ ? "" : "has not mapped";
  }

 private:
  using Id = std::pair<dev_t, ino_t>;
  std::optional<Id> id_of(const std::string &path) const {
    struct stat info {};
    if (stat((root_ + path).c_str(), &info) != 0) return std::nullopt;
    return Id{info.st_dev, info.st_ino};
  }

  const std::string &root_;
  std::set<Id> known_;
  std::set<std::string> deleted_;
  bool has_unknown_ = false;
};

}  // namespace

std::vector<Problem> find_unmapped_binaries(const Plan &plan, int pid, const std::string &root) {
  std::vector<Problem> problems;
  std::set<std::string> done;
  std::optional<RunFiles> files;  // for scripts that have user probes
  for (const std::vector<Instance> &instances : plan.instances) {
    for (const Instance &instance : instances) {
      for (const Target &target : instance.targets) {
        const object::AttachPoint &point = *target.point;
        // Of a pattern's files a process runs some.
        if (!is_uprobe_family(point.family) || has_wildcard(point.binary)) continue;
        if (!done.insert(target.path).second) continue;
        if (!files) files.emplace(pid, root);
        const std::string_view problem = files->problem_of(target.path);
        if (problem.empty()) continue;
        problems.push_back({fmt::format("process {} {} {}: probes there see nothing of it yet", pid,
                                        problem, target.path),
                            point.location, /*is_warning=*/true});
      }
    }
  }
  return problems;
}

}  // namespace awl::runtime
