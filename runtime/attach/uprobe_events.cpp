#include "runtime/attach/uprobe_events.h"

#include <cerrno>
#include <map>
#include <optional>
#include <string>

#include "runtime/attach/multi_link.h"
#include "runtime/attach/perf_event.h"

namespace awl::runtime {
namespace {

constexpr const char *kUprobeDevice = "/sys/bus/event_source/devices/uprobe/";

// One perf event per target.
void attach_singly(const AttachContext &context, int program, const std::vector<Target> &targets,
                   bool is_return, Attachments &attachments, std::vector<AttachFailure> &failures) {
  Result<PerfDevice> device = find_perf_device(kUprobeDevice, is_return);
  const std::optional<uint32_t> counter_bit = perf_format_bit(kUprobeDevice, "ref_ctr_offset");
  for (const Target &target : targets) {
    if (!device) {
      failures.push_back({&target, device.error()});
      continue;
    }
    const std::string path = context.binary_root + target.path;
    perf_event_attr attributes{};
    attributes.type = device->type;
    attributes.config = device->config;
    if (target.semaphore != 0) {
      if (!counter_bit || target.semaphore << *counter_bit >> *counter_bit != target.semaphore) {
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
  const MultiLink kind = targets.front().link;
  if (kind == MultiLink::kNone) {
    return attach_singly(context, program, targets, is_return, attachments, failures);
  }
  std::map<std::string, std::vector<const Target *>> by_file;
  for (const Target &target : targets) by_file[target.path].push_back(&target);
  for (const auto &[path, in_file] : by_file) {
    UprobeMultiRequest request;
    request.path = context.binary_root + path;
    request.is_return = is_return && !is_session(kind);
    request.pid = context.pid.value_or(0);
    for (const Target *target : in_file) {
      request.offsets.push_back(target->file_offset);
      request.cookies.push_back(target->probe_id);
      request.semaphores.push_back(target->semaphore);
    }
    Result<FileDescriptor> link = attach_multi(program, kind, request);
    if (link) {
      attachments.add_link(std::move(*link));
      continue;
    }
    for (const Target *target : in_file) failures.push_back({target, link.error()});
  }
}

}  // namespace awl::runtime
