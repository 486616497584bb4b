#include "runtime/attach/perf_event.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/file.h"

namespace awl::runtime {
namespace {

constexpr int kMaxCpus = 1 << 16;

// bpf(2) as newer kernels know it; the installed headers may lack these members.
constexpr int kBpfRawTracepointOpen = 17;  // BPF_RAW_TRACEPOINT_OPEN
struct RawTracepointOpen {
  uint64_t name;
  uint32_t program;
  uint32_t reserved;
  uint64_t cookie;
};

// The first number in a small file of sysfs, behind a prefix: "8", "config:0", "config:32-63".
std::optional<uint32_t> read_number(const std::string &path, std::string_view prefix) {
  Result<std::string> text = read_file(path, 4096);
  if (!text || !text->starts_with(prefix)) return std::nullopt;
  uint32_t value = 0;
  const char *begin = text->data() + prefix.size();
  const auto [end, error] = std::from_chars(begin, text->data() + text->size(), value);
  return error == std::errc() && end != begin ? std::optional(value) : std::nullopt;
}

Error attach_error() {
  const Error error = Error::from_errno("cannot attach the program to its perf event");
  if (error.code != E2BIG) return error;
  // BPF_TRACE_PROG_MAX (kernel/trace/bpf_trace.c)
  return {
      "the kernel runs no more than 64 programs at a tracepoint, those of other tracers "
      "counted. One clause with `if` can take the place of many with predicates",
      E2BIG};
}

}  // namespace

FileDescriptor load_empty_program(uint32_t type) {
  const auto program_type = static_cast<bpf_prog_type>(type);
  const bpf_insn instructions[] = {
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  return FileDescriptor(bpf_prog_load(program_type, "awl_probe", "GPL", instructions, 2, nullptr));
}

Result<FileDescriptor> open_perf_event(perf_event_attr &attributes, EventScope scope) {
  attributes.size = sizeof attributes;
  FileDescriptor event(static_cast<int>(
      syscall(SYS_perf_event_open, &attributes, scope.pid, scope.cpu, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!event) return Error::from_errno("cannot open the perf event");
  return event;
}

Result<AttachedEvent> start_perf_event(const AttachContext &context, FileDescriptor event,
                                       int program, uint32_t cookie) {
  AttachedEvent attached;
  if (context.has_perf_links) {
    LIBBPF_OPTS(bpf_link_create_opts, options);
    options.perf_event.bpf_cookie = cookie;
    FileDescriptor link(bpf_link_create(program, event.get(), BPF_PERF_EVENT, &options));
    if (!link) return attach_error();
    attached.link = std::move(link);
  } else if (ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program) != 0) {
    return attach_error();
  }
  if (ioctl(event.get(), PERF_EVENT_IOC_ENABLE, 0) != 0) {
    return Error::from_errno("cannot start the perf event");
  }
  attached.event = std::move(event);
  return attached;
}

Status start_perf_event(const AttachContext &context, FileDescriptor event, int program,
                        uint32_t cookie, bool is_slow, Attachments &attachments) {
  Result<AttachedEvent> attached = start_perf_event(context, std::move(event), program, cookie);
  if (!attached) return attached.error();
  if (attached->link) attachments.add_link(std::move(attached->link));
  attachments.add_event(std::move(attached->event), is_slow);
  return ok();
}

Status attach_perf_event(const AttachContext &context, perf_event_attr &attributes,
                         EventScope scope, int program, uint32_t cookie, bool is_slow,
                         Attachments &attachments) {
  Result<FileDescriptor> event = open_perf_event(attributes, scope);
  if (!event) return event.error();
  return start_perf_event(context, std::move(*event), program, cookie, is_slow, attachments);
}

Status attach_perf_event_everywhere(const AttachContext &context, perf_event_attr &attributes,
                                    int program, uint32_t cookie, Attachments &attachments) {
  for (int cpu : online_cpus()) {
    Status status =
        attach_perf_event(context, attributes, {-1, cpu}, program, cookie, false, attachments);
    if (!status) return status.error();
  }
  return ok();
}

Result<PerfDevice> find_perf_device(const std::string &folder, bool is_return) {
  const std::optional<uint32_t> type = read_number(folder + "type", "");
  if (!type) return Error{"the kernel has no events of " + folder, ENOENT};
  PerfDevice device{*type, 0};
  if (is_return) {
    const std::optional<uint32_t> bit = perf_format_bit(folder, "retprobe");
    if (!bit) return Error{"the kernel has no return probes", ENOENT};
    device.config = uint64_t{1} << *bit;
  }
  return device;
}

std::optional<uint32_t> perf_format_bit(const std::string &folder, const std::string &field) {
  const std::optional<uint32_t> bit = read_number(folder + "format/" + field, "config:");
  return bit && *bit < 64 ? bit : std::nullopt;
}

std::vector<int> online_cpus() {
  std::vector<int> cpus;
  Result<std::string> text = read_file("/sys/devices/system/cpu/online", 1 << 16);
  // "0-3,6": ranges with commas between.
  const char *at = text ? text->data() : nullptr, *end = text ? at + text->size() : nullptr;
  while (at != end) {
    int first = 0;
    auto [after, error] = std::from_chars(at, end, first);
    if (error != std::errc()) break;
    int last = first;
    if (after != end && *after == '-') after = std::from_chars(after + 1, end, last).ptr;
    for (int cpu = first; cpu <= last && cpu < kMaxCpus; ++cpu) cpus.push_back(cpu);
    at = after != end && *after == ',' ? after + 1 : end;
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

bool has_perf_links() {
  FileDescriptor program = load_empty_program(BPF_PROG_TYPE_TRACEPOINT);
  if (!program) return false;
  // A kernel that knows such links complains about the descriptor, others about the request.
  LIBBPF_OPTS(bpf_link_create_opts, options);
  options.perf_event.bpf_cookie = 1;
  FileDescriptor link(bpf_link_create(program.get(), -1, BPF_PERF_EVENT, &options));
  return !link && errno == EBADF;
}

bool has_raw_tracepoint_cookies() {
  FileDescriptor program = load_empty_program(BPF_PROG_TYPE_RAW_TRACEPOINT);
  if (!program) return false;
  // The tracepoint does not exist: a kernel that knows the cookie finds that out, others refuse
  // the longer request.
  RawTracepointOpen request{reinterpret_cast<uintptr_t>("awl_no_such_tracepoint"),
                            static_cast<uint32_t>(program.get()), 0, 1};
  const long link = syscall(SYS_bpf, kBpfRawTracepointOpen, &request, sizeof request);
  if (link >= 0) close(static_cast<int>(link));
  return link < 0 && errno == ENOENT;
}

}  // namespace awl::runtime
