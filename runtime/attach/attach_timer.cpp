// interval and profile: the kernel's clock, on one CPU or on all.
#include <cerrno>
#include <cstdlib>

#include "base/file.h"
#include "runtime/attach/families.h"
#include "runtime/attach/perf_event.h"

namespace awl::runtime {
namespace {

perf_event_attr clock_attributes(const object::AttachPoint &point) {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  if (point.period_ns != 0) {
    attributes.sample_period = point.period_ns;
  } else {
    attributes.freq = 1;
    attributes.sample_freq = point.frequency;
  }
  return attributes;
}

// The kernel lowers the limit by itself when sampling takes too much time.
Error explain_timer(const object::AttachPoint &point, const Error &error) {
  const char *path = "/proc/sys/kernel/perf_event_max_sample_rate";
  Result<std::string> text = read_file(path, 64);
  const uint64_t most = text ? strtoull(text->c_str(), nullptr, 10) : 0;
  if (error.code != EINVAL || most == 0 || point.frequency <= most) return error;
  return {"the kernel samples no more than " + std::to_string(most) +
              " times a second (kernel.perf_event_max_sample_rate)",
          EINVAL};
}

}  // namespace

AWL_ATTACHES(attach_interval) {
  const int cpu = online_cpus().front();
  for (const Target &target : targets) {
    perf_event_attr attributes = clock_attributes(*target.point);
    Status status = attach_perf_event(context, attributes, {-1, cpu}, program, target.probe_id,
                                      false, attachments);
    if (!status) failures.push_back({&target, explain_timer(*target.point, status.error())});
  }
}

AWL_ATTACHES(attach_profile) {
  for (const Target &target : targets) {
    perf_event_attr attributes = clock_attributes(*target.point);
    Status status =
        attach_perf_event_everywhere(context, attributes, program, target.probe_id, attachments);
    if (!status) failures.push_back({&target, explain_timer(*target.point, status.error())});
  }
}

}  // namespace awl::runtime
