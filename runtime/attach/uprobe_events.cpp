#include "runtime/attach/uprobe_events.h"

#include <cerrno>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "base/file.h"
#include "runtime/attach/perf_event.h"
#include "runtime/attach/uprobe_multi.h"

namespace awl::runtime {
namespace {

constexpr const char *kUprobeDevice = "/sys/bus/event_source/devices/uprobe/";

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
  const std::optional<uint32_t> counter_bit =
      read_number(std::string(kUprobeDevice) + "format/ref_ctr_offset", "config:");
  for (const Target &target : targets) {
    if (!type || (is_return && (!return_bit || *return_bit > 63))) {
      failures.push_back({&target, {"the kernel has no uprobes", ENOSYS}});
      continue;
    }
    const std::string path = context.binary_root + target.path;
    perf_event_attr attributes{};
    attributes.type = *type;
    attributes.config = is_return ? uint64_t{1} << *return_bit : 0;
    if (target.semaphore != 0) {
      if (!counter_bit || *counter_bit > 63 ||
          target.semaphore << *counter_bit >> *counter_bit != target.semaphore) {
        failures.push_back({&target, {"the kernel cannot raise the probe's semaphore", ENOSYS}});
        continue;
      }
      attributes.config |= target.semaphore << *counter_bit;
    }
    attributes.config1 = reinterpret_cast<uintptr_t>(path.c_str());
    attributes.config2 = target.file_offset;
    const EventScope scope =
        context.pid ? EventScope{*context.pid, -1} : EventScope{-1, online_cpus().front()};
    Status status =
        attach_perf_event(context, attributes, scope, program, target.probe_id, true, attachments);
    if (!status) failures.push_back({&target, status.error()});
  }
}

}  // namespace

void attach_uprobes(const AttachContext &context, int program, const std::vector<Target> &targets,
                    bool is_return, Attachments &attachments,
                    std::vector<AttachFailure> &failures) {
  if (!context.uses_uprobe_multi(targets)) {
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
      request.semaphores.push_back(target->semaphore);
    }
    Result<FileDescriptor> link = attach_uprobe_multi(program, request);
    if (link) {
      attachments.add_link(std::move(*link));
      continue;
    }
    for (const Target *target : in_file) failures.push_back({target, link.error()});
  }
}

}  // namespace awl::runtime
