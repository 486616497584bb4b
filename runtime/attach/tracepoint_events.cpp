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

Result<FileDescriptor> open_tracepoint_event(uint32_t id) {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = id;
  attributes.disabled = 1;
  // One event on one CPU is enough: the program runs from the tracepoint itself, on whichever CPU
  // it is hit (perf_trace_run_bpf_submit). No sampling: irq_work_exit refuses to be sampled.
  return open_perf_event(attributes, {-1, online_cpus().front()});
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
    Result<uint32_t> id = tracepoint_id(name.category, name.event);
    if (!id) continue;
    Result<FileDescriptor> event = open_tracepoint_event(*id);
    if (event) opened.events_.emplace(*id, std::move(*event));
  }
  return opened;
}

FileDescriptor TracepointEvents::take(uint32_t id) {
  const auto found = events_.find(id);
  if (found == events_.end()) return {};
  FileDescriptor event = std::move(found->second);
  events_.erase(found);
  return event;
}

TracepointEvents::~TracepointEvents() {
  Attachments rest;
  for (auto &[id, event] : events_) rest.add_event(std::move(event), true);
  rest.leave_behind();
}

}  // namespace awl::runtime
