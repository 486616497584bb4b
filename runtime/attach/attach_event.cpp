// software and hardware: perf's predefined events, sampled every so many times.
#include <cerrno>
#include <cstring>

#include "runtime/attach/families.h"
#include "runtime/attach/perf_event.h"

namespace awl::runtime {
namespace {

struct NamedEvent {
  const char *name;
  const char *alias;  // or null
  uint64_t config;
  uint64_t default_period;
};

constexpr NamedEvent kSoftwareEvents[] = {
    {"cpu-clock", "cpu", PERF_COUNT_SW_CPU_CLOCK, 1000000},
    {"task-clock", nullptr, PERF_COUNT_SW_TASK_CLOCK, 1000000},
    {"page-faults", "faults", PERF_COUNT_SW_PAGE_FAULTS, 100},
    {"context-switches", "cs", PERF_COUNT_SW_CONTEXT_SWITCHES, 1000},
    {"cpu-migrations", nullptr, PERF_COUNT_SW_CPU_MIGRATIONS, 1},
    {"minor-faults", nullptr, PERF_COUNT_SW_PAGE_FAULTS_MIN, 100},
    {"major-faults", nullptr, PERF_COUNT_SW_PAGE_FAULTS_MAJ, 1},
    {"alignment-faults", nullptr, PERF_COUNT_SW_ALIGNMENT_FAULTS, 1},
    {"emulation-faults", nullptr, PERF_COUNT_SW_EMULATION_FAULTS, 1},
    {"dummy", nullptr, PERF_COUNT_SW_DUMMY, 1},
    {"bpf-output", nullptr, PERF_COUNT_SW_BPF_OUTPUT, 1},
};

constexpr NamedEvent kHardwareEvents[] = {
    {"cpu-cycles", "cycles", PERF_COUNT_HW_CPU_CYCLES, 1000000},
    {"instructions", nullptr, PERF_COUNT_HW_INSTRUCTIONS, 1000000},
    {"cache-references", nullptr, PERF_COUNT_HW_CACHE_REFERENCES, 1000000},
    {"cache-misses", nullptr, PERF_COUNT_HW_CACHE_MISSES, 1000000},
    {"branch-instructions", "branches", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100000},
    {"branch-misses", nullptr, PERF_COUNT_HW_BRANCH_MISSES, 100000},
    {"bus-cycles", nullptr, PERF_COUNT_HW_BUS_CYCLES, 100000},
    {"frontend-stalls", nullptr, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, 1000},
    {"backend-stalls", nullptr, PERF_COUNT_HW_STALLED_CYCLES_BACKEND, 1000},
    {"ref-cycles", nullptr, PERF_COUNT_HW_REF_CPU_CYCLES, 1000000},
};

template <size_t N>
const NamedEvent *find_event(const NamedEvent (&events)[N], const std::string &name) {
  for (const NamedEvent &event : events) {
    if (name == event.name || (event.alias != nullptr && name == event.alias)) return &event;
  }
  return nullptr;
}

template <size_t N>
Expansion expand_event(const NamedEvent (&events)[N], const object::AttachPoint &point) {
  Expansion expansion;
  if (find_event(events, point.target) == nullptr) {
    expansion.missing = "No matches for " + point.family + " " + point.target + "; there are";
    for (const NamedEvent &event : events) expansion.missing += std::string(" ") + event.name;
    return expansion;
  }
  Target target = plain_target(point);
  target.event = point.target;
  expansion.targets.push_back(std::move(target));
  return expansion;
}

Error explain_event(uint32_t type, const Error &error) {
  if (type != PERF_TYPE_HARDWARE) return error;
  if (error.code == ENOENT || error.code == ENODEV || error.code == EOPNOTSUPP) {
    return {
        "this machine has no such counter, or none that counts so (virtual machines often have "
        "none); profile and software:cpu-clock work everywhere",
        error.code};
  }
  if (error.code == EACCES || error.code == EPERM) {
    return {"the kernel denies its counters (kernel.perf_event_paranoid, or lockdown)", error.code};
  }
  return error;
}

template <size_t N>
void attach_event(const NamedEvent (&events)[N], uint32_t type, const AttachContext &context,
                  int program, const std::vector<Target> &targets, Attachments &attachments,
                  std::vector<AttachFailure> &failures) {
  for (const Target &target : targets) {
    const NamedEvent *event = find_event(events, target.event);
    perf_event_attr attributes{};
    attributes.type = type;
    attributes.config = event->config;
    attributes.sample_period =
        target.point->sample_period != 0 ? target.point->sample_period : event->default_period;
    Status status =
        attach_perf_event_everywhere(context, attributes, program, target.probe_id, attachments);
    if (!status) failures.push_back({&target, explain_event(type, status.error())});
  }
}

}  // namespace

AWL_EXPANDS(expand_software) {
  (void)context;
  return expand_event(kSoftwareEvents, point);
}

AWL_EXPANDS(expand_hardware) {
  (void)context;
  return expand_event(kHardwareEvents, point);
}

AWL_ATTACHES(attach_software) {
  attach_event(kSoftwareEvents, PERF_TYPE_SOFTWARE, context, program, targets, attachments,
               failures);
}

AWL_ATTACHES(attach_hardware) {
  attach_event(kHardwareEvents, PERF_TYPE_HARDWARE, context, program, targets, attachments,
               failures);
}

}  // namespace awl::runtime
