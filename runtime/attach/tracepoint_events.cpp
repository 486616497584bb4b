#include "runtime/attach/tracepoint_events.h"

#include <linux/perf_event.h>

#include <string_view>
#include <utility>

#include "base/pattern.h"
#include "base/tracefs.h"
#include "runtime/attach/attachments.h"
#include "runtime/attach/perf_event.h"

namespace awl::runtime {
namespace {

// Descriptors are scarce before the loader asks for more.
constexpr size_t kMaxOpenedAhead = 64;
constexpr std::string_view kSectionPrefix = "tracepoint/";

}  // namespace

Result<FileDescriptor> open_tracepoint_event(const TracepointName &name) {
  const Result<uint32_t> id = tracepoint_id(name.category, name.event);
  if (!id) return id.error();
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = *id;
  attributes.disabled = 1;
  // One event on one CPU is enough: the program runs from the tracepoint itself, on whichever CPU
  // it is hit (perf_trace_run_bpf_submit). No sampling: irq_work_exit refuses to be sampled.
  static const int cpu = online_cpus().front();
  return open_perf_event(attributes, {-1, cpu});
}

std::vector<TracepointName> tracepoints_of(const object::Description &description) {
  std::vector<TracepointName> names;
  for (const object::Program &program : description.programs) {
    if (!program.section.starts_with(kSectionPrefix)) continue;
    for (const object::AttachPoint &point : program.attach_points) {
      const bool is_certain = !has_wildcard(point.category) && !has_wildcard(point.target);
      if (is_certain) names.push_back({point.category, point.target});
    }
  }
  return names;
}

TracepointEvents TracepointEvents::open(const std::vector<TracepointName> &names) {
  TracepointEvents opened;
  for (const TracepointName &name : names) {
    if (opened.events_.size() >= kMaxOpenedAhead) break;
    // One with a parameter ($1) is none that exists, yet.
    Result<FileDescriptor> event = open_tracepoint_event(name);
    if (event) opened.events_.emplace(name, std::move(*event));
  }
  return opened;
}

FileDescriptor TracepointEvents::take(const TracepointName &name) {
  const auto found = events_.find(name);
  if (found == events_.end()) return {};
  FileDescriptor event = std::move(found->second);
  events_.erase(found);
  return event;
}

TracepointEvents::~TracepointEvents() {
  Attachments rest;
  for (auto &[name, event] : events_) rest.add_event(std::move(event), true);
  rest.leave_behind();
}

}  // namespace awl::runtime
