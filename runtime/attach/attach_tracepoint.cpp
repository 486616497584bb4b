// tracepoint: a perf event of the tracepoint's number. One event on one CPU is enough: the
// program runs from the tracepoint itself, on whichever CPU it is hit (perf_trace_run_bpf_submit).
#include <algorithm>

#include "base/pattern.h"
#include "base/tracefs.h"
#include "runtime/attach/families.h"
#include "runtime/attach/nearest.h"
#include "runtime/attach/perf_event.h"

namespace awl::runtime {
namespace {

Target tracepoint_target(const object::AttachPoint &point, const std::string &category,
                         const std::string &event) {
  Target target = plain_target(point);
  target.name = "tracepoint:" + category + ":" + event;
  target.category = category;
  target.event = event;
  return target;
}

// "No matches for tracepoint sched:foo", with the name that was perhaps meant.
std::string missing_tracepoint(const object::AttachPoint &point) {
  std::string text = "No matches for tracepoint " + point.category + ":" + point.target;
  if (has_wildcard(point.category) || has_wildcard(point.target)) return text;
  Result<std::vector<std::string>> all = list_tracepoints(point.category, "*");
  if (!all || all->empty()) all = list_tracepoints("*", "*");
  if (!all) return text;
  const std::string nearest = nearest_name(point.category + ":" + point.target, *all);
  return nearest.empty() ? text : text + "; did you mean " + nearest + "?";
}

}  // namespace

AWL_EXPANDS(expand_tracepoint) {
  (void)context;
  Expansion expansion;
  if (!has_wildcard(point.category) && !has_wildcard(point.target)) {
    Result<uint32_t> id = tracepoint_id(point.category, point.target);
    if (id) {
      expansion.targets.push_back(tracepoint_target(point, point.category, point.target));
    } else if (id.error().code == ENOENT) {
      expansion.missing = missing_tracepoint(point);
    } else {
      return id.error();
    }
    return expansion;
  }
  Result<std::vector<std::string>> names = list_tracepoints(point.category, point.target);
  if (!names) return names.error();
  for (const std::string &name : *names) {
    const size_t colon = name.find(':');
    const std::string category = name.substr(0, colon), event = name.substr(colon + 1);
    // ftrace's own records are no tracepoints: they have a format but cannot be attached to.
    if (category == "ftrace") continue;
    expansion.targets.push_back(tracepoint_target(point, category, event));
  }
  if (expansion.targets.empty()) expansion.missing = missing_tracepoint(point);
  return expansion;
}

AWL_ATTACHES(attach_tracepoint) {
  const int cpu = online_cpus().front();
  for (const Target &target : targets) {
    Result<uint32_t> id = tracepoint_id(target.category, target.event);
    if (!id) {
      failures.push_back({&target, id.error()});
      continue;
    }
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_TRACEPOINT;
    attributes.config = *id;
    // No sampling: the program runs all the same, and irq_work_exit refuses to be sampled.
    Status status = attach_perf_event(context, attributes, {-1, cpu}, program, target.probe_id,
                                      true, attachments);
    if (!status) failures.push_back({&target, status.error()});
  }
}

}  // namespace awl::runtime
