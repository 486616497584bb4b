// uprobe and uretprobe: a place in a user binary, by symbol, symbol and offset, or address.
#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/elf_symbols.h"
#include "base/file.h"
#include "base/library_path.h"
#include "base/pattern.h"
#include "runtime/attach/families.h"
#include "runtime/attach/nearest.h"
#include "runtime/attach/perf_event.h"
#include "runtime/attach/uprobe_multi.h"

namespace awl::runtime {
namespace {

constexpr size_t kMaxMatchingFiles = 10000;
constexpr const char *kUprobeDevice = "/sys/bus/event_source/devices/uprobe/";

// Files whose path matches a pattern, folder by folder, sorted.
void match_paths(const std::string &folder, const std::string &pattern,
                 std::vector<std::string> &found) {
  const size_t slash = pattern.find('/');
  const std::string head = pattern.substr(0, slash);
  const std::string tail = slash == std::string::npos ? "" : pattern.substr(slash + 1);
  if (!has_wildcard(head)) {
    const std::string path = folder + head;
    struct stat info;
    if (slash != std::string::npos) return match_paths(path + "/", tail, found);
    if (stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) found.push_back(path);
    return;
  }
  DIR *directory = opendir(folder.empty() ? "." : folder.c_str());
  if (directory == nullptr) return;
  std::vector<std::string> names;
  while (const dirent *entry = readdir(directory)) {
    if (entry->d_name[0] != '.' && matches_pattern(head, entry->d_name)) {
      names.emplace_back(entry->d_name);
    }
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  for (const std::string &name : names) {
    if (found.size() >= kMaxMatchingFiles) return;
    match_paths(folder, slash == std::string::npos ? name : name + "/" + tail, found);
  }
}

// The files a process has mapped to run code from.
std::vector<std::string> mapped_files(int pid) {
  std::vector<std::string> files;
  Result<std::string> maps = read_file("/proc/" + std::to_string(pid) + "/maps");
  if (!maps) return files;
  size_t at = 0;
  while (at < maps->size()) {
    const size_t end = std::min(maps->find('\n', at), maps->size());
    const std::string line = maps->substr(at, end - at);
    at = end + 1;
    // "start-end rwxp offset dev inode   /path": the 4th character of the 2nd field's word is x.
    const size_t space = line.find(' '), path = line.find('/');
    if (space == std::string::npos || path == std::string::npos || line.size() < space + 5)
      continue;
    if (line[space + 3] != 'x') continue;
    const std::string file = line.substr(path);
    if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
  }
  return files;
}

// The files an attach point names, below context.binary_root.
Result<std::vector<std::string>> find_files(const AttachContext &context,
                                            const object::AttachPoint &point) {
  if (point.binary == "*" && context.pid) return mapped_files(*context.pid);
  if (has_wildcard(point.binary)) {
    std::vector<std::string> files;
    match_paths("", context.binary_root + point.binary, files);
    for (std::string &file : files) file.erase(0, context.binary_root.size());
    return files;
  }
  Result<std::string> path = find_binary(point.binary, context.binary_root);
  if (!path && point.binary.find(".so") != std::string::npos) {
    // Compiled on a machine that has its libraries elsewhere.
    Result<std::string> moved =
        find_binary(point.binary.substr(point.binary.rfind('/') + 1), context.binary_root);
    if (moved) path = std::move(moved);
  }
  if (!path) return path.error();
  // A relative path is found as it is, without the root.
  if (path->compare(0, context.binary_root.size(), context.binary_root) != 0)
    return std::vector<std::string>{*path};
  return std::vector<std::string>{path->substr(context.binary_root.size())};
}

Target uprobe_target(const object::AttachPoint &point, const std::string &path,
                     const std::string &symbol, uint64_t file_offset) {
  Target target = plain_target(point);
  if (has_wildcard(point.target) || (path != point.binary && !symbol.empty())) {
    target.name = point.family + ":" + path + ":" + symbol;
    if (point.offset != 0) target.name += "+" + std::to_string(point.offset);
  }
  target.path = path;
  target.file_offset = file_offset;
  return target;
}

// Adds the targets in one file. A symbol that is not there is told in `missing`.
Status expand_in_file(const AttachContext &context, const object::AttachPoint &point,
                      const std::string &path, Expansion &expansion) {
  Result<std::shared_ptr<const ElfSymbols>> file = ElfSymbols::open(context.binary_root + path);
  if (!file) return file.error();
  const ElfSymbols &symbols = **file;
  if (point.has_address) {
    const std::optional<uint64_t> offset = symbols.file_offset(point.address);
    if (offset) {
      expansion.targets.push_back(uprobe_target(point, path, "", *offset));
    } else {
      expansion.missing =
          "No matches for " + point.name + ": the address is not in code of " + path;
    }
    return ok();
  }
  if (has_wildcard(point.target)) {
    for (const ElfSymbol *symbol : symbols.functions(point.target)) {
      const std::optional<uint64_t> offset = symbols.file_offset(symbol->address);
      if (!offset) continue;
      expansion.targets.push_back(uprobe_target(point, path, std::string(symbol->name), *offset));
    }
    return ok();
  }
  const ElfSymbol *symbol = symbols.find_function(point.target);
  if (symbol == nullptr) {
    if (has_wildcard(point.binary)) return ok();
    expansion.missing = "No matches for " + point.family + " " + path + ":" + point.target;
    std::vector<std::string> names;
    for (const ElfSymbol &known : symbols.symbols()) {
      if (known.is_function) names.emplace_back(known.name);
    }
    const std::string nearest = nearest_name(point.target, names);
    if (!nearest.empty()) expansion.missing += "; did you mean " + nearest + "?";
    return ok();
  }
  if (symbol->size != 0 && point.offset >= symbol->size) {
    expansion.missing = "No matches for " + point.name + ": " + point.target + " has only " +
                        std::to_string(symbol->size) + " bytes";
    return ok();
  }
  const std::optional<uint64_t> offset = symbols.file_offset(symbol->address + point.offset);
  if (offset) expansion.targets.push_back(uprobe_target(point, path, point.target, *offset));
  return ok();
}

// The first number in a small file of sysfs, behind an optional prefix ("config:0").
std::optional<uint32_t> read_number(const std::string &path, const std::string &prefix) {
  Result<std::string> text = read_file(path, 4096);
  if (!text || text->compare(0, prefix.size(), prefix) != 0) return std::nullopt;
  const char *begin = text->c_str() + prefix.size();
  char *end = nullptr;
  const unsigned long value = strtoul(begin, &end, 10);
  if (end == begin) return std::nullopt;
  return static_cast<uint32_t>(value);
}

// One perf event per target.
void attach_singly(const AttachContext &context, int program, const std::vector<Target> &targets,
                   bool is_return, Attachments &attachments, std::vector<AttachFailure> &failures) {
  const std::optional<uint32_t> type = read_number(std::string(kUprobeDevice) + "type", "");
  const std::optional<uint32_t> return_bit =
      read_number(std::string(kUprobeDevice) + "format/retprobe", "config:");
  for (const Target &target : targets) {
    if (!type || (is_return && (!return_bit || *return_bit > 63))) {
      failures.push_back({&target, {"the kernel has no uprobes", ENOSYS}});
      continue;
    }
    const std::string path = context.binary_root + target.path;
    perf_event_attr attributes{};
    attributes.type = *type;
    attributes.config = is_return ? uint64_t{1} << *return_bit : 0;
    attributes.config1 = reinterpret_cast<uintptr_t>(path.c_str());
    attributes.config2 = target.file_offset;
    const EventScope scope =
        context.pid ? EventScope{*context.pid, -1} : EventScope{-1, online_cpus().front()};
    Status status =
        attach_perf_event(context, attributes, scope, program, target.probe_id, true, attachments);
    if (!status) failures.push_back({&target, status.error()});
  }
}

void attach(const AttachContext &context, int program, const std::vector<Target> &targets,
            bool is_return, Attachments &attachments, std::vector<AttachFailure> &failures) {
  if (!context.uses_uprobe_multi(targets.size())) {
    return attach_singly(context, program, targets, is_return, attachments, failures);
  }
  std::map<std::string, std::vector<const Target *>> by_file;
  for (const Target &target : targets) by_file[target.path].push_back(&target);
  for (const auto &[path, in_file] : by_file) {
    UprobeMultiRequest request;
    request.path = context.binary_root + path;
    request.is_return = is_return;
    request.pid = context.pid.value_or(0);
    for (const Target *target : in_file) {
      request.offsets.push_back(target->file_offset);
      request.cookies.push_back(target->probe_id);
    }
    Result<FileDescriptor> link = attach_uprobe_multi(program, request);
    if (link) {
      attachments.add_link(std::move(*link));
      continue;
    }
    for (const Target *target : in_file) failures.push_back({target, link.error()});
  }
}

}  // namespace

AWL_EXPANDS(expand_uprobe) {
  Expansion expansion;
  Result<std::vector<std::string>> files = find_files(context, point);
  if (!files) {
    expansion.missing = "No matches for " + point.name + ": " + files.error().message;
    return expansion;
  }
  for (const std::string &path : *files) {
    Status status = expand_in_file(context, point, path, expansion);
    // A file that a pattern happens to match need not be a binary.
    if (!status && !has_wildcard(point.binary)) return status.error();
  }
  if (expansion.targets.empty() && expansion.missing.empty()) {
    expansion.missing = "No matches for " + point.name;
  }
  return expansion;
}

AWL_ATTACHES(attach_uprobe) { attach(context, program, targets, false, attachments, failures); }

AWL_ATTACHES(attach_uretprobe) { attach(context, program, targets, true, attachments, failures); }

}  // namespace awl::runtime
