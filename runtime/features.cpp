#include "runtime/features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/attach/function_types.h"
#include "runtime/attach/multi_link.h"
#include "runtime/attach/tracing_errors.h"

namespace awl::runtime {
namespace {

// Helpers by number (include/uapi/linux/bpf.h): the installed header may be older than the kernel.
struct HelperFeature {
  const char *name;
  int number;
  bpf_prog_type program;
};
constexpr HelperFeature kHelpers[] = {
    {"get_attach_cookie", 174, BPF_PROG_TYPE_KPROBE},
    {"get_func_ip", 173, BPF_PROG_TYPE_KPROBE},
    {"for_each_map_elem", 164, BPF_PROG_TYPE_KPROBE},
    {"loop", 181, BPF_PROG_TYPE_KPROBE},
    {"lookup_percpu_elem", 195, BPF_PROG_TYPE_KPROBE},
    {"ringbuf_reserve_dynptr", 198, BPF_PROG_TYPE_KPROBE},
    {"get_tai_ns", 208, BPF_PROG_TYPE_KPROBE},
    {"send_signal_thread", 117, BPF_PROG_TYPE_KPROBE},
};

struct ProgramFeature {
  const char *name;
  bpf_prog_type type;
};
constexpr ProgramFeature kPrograms[] = {
    {"tracepoint", BPF_PROG_TYPE_TRACEPOINT},         {"perf_event", BPF_PROG_TYPE_PERF_EVENT},
    {"raw_tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT}, {"xdp", BPF_PROG_TYPE_XDP},
    {"sched_cls", BPF_PROG_TYPE_SCHED_CLS},           {"cgroup_skb", BPF_PROG_TYPE_CGROUP_SKB},
};

// Whether a program can be tied to a kernel function. Tries it on one that is there for that.
bool has_function_programs() {
  Result<std::unique_ptr<FunctionTypes>> types = FunctionTypes::open();
  if (!types) return false;
  const std::vector<TypedFunction> found = (*types)->find("vmlinux", "bpf_fentry_test1");
  if (found.empty()) return false;
  const bpf_insn instructions[] = {
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY,
              .attach_btf_id = found.front().btf_id);
  FileDescriptor program(
      bpf_prog_load(BPF_PROG_TYPE_TRACING, "awl_probe", "GPL", instructions, 2, &options));
  return program && FileDescriptor(bpf_raw_tracepoint_open(nullptr, program.get()));
}

bool has_hardware_events() {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.config = PERF_COUNT_HW_CPU_CYCLES;
  attributes.disabled = 1;
  return static_cast<bool>(FileDescriptor(static_cast<int>(
      syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC))));
}

bool exists(const char *path) {
  struct stat info;
  return stat(path, &info) == 0;
}

}  // namespace

std::vector<Feature> detect_features() {
  std::vector<Feature> features;
  for (const HelperFeature &helper : kHelpers)
    features.push_back(
        {"Kernel helpers", helper.name,
         libbpf_probe_bpf_helper(helper.program, static_cast<bpf_func_id>(helper.number),
                                 nullptr) == 1});
  features.push_back({"Kernel features", "btf", exists("/sys/kernel/btf/vmlinux")});
  features.push_back({"Kernel features", "ring buffer",
                      libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, nullptr) == 1});
  features.push_back({"Kernel features", "uprobe refcount",
                      exists("/sys/bus/event_source/devices/uprobe/format/ref_ctr_offset")});
  features.push_back(
      {"Probe types", "kprobe", exists("/sys/bus/event_source/devices/kprobe/type")});
  for (const ProgramFeature &program : kPrograms)
    features.push_back(
        {"Probe types", program.name, libbpf_probe_bpf_prog_type(program.type, nullptr) == 1});
  features.push_back({"Probe types", "fentry", has_function_programs()});
  features.push_back(
      {"Probe types", "lsm",
       libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_LSM, nullptr) == 1 && has_bpf_security_module()});
  features.push_back({"Probe types", "hardware", has_hardware_events()});
  features.push_back({"Probe types", "kprobe_multi", has_multi_link(MultiLink::kKprobe)});
  features.push_back({"Probe types", "uprobe_multi", has_multi_link(MultiLink::kUprobe)});
  features.push_back({"Probe types", "kprobe_session", has_multi_link(MultiLink::kKprobeSession)});
  features.push_back({"Probe types", "uprobe_session", has_multi_link(MultiLink::kUprobeSession)});
  return features;
}

}  // namespace awl::runtime
