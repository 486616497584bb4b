// tracepoint: a perf event of the tracepoint's number.
#include <algorithm>

#include "base/pattern.h"
#include "base/tracefs.h"
#include "runtime/attach/families.h"
#include "runtime/attach/nearest.h"
#include "runtime/attach/perf_event.h"
#include "runtime/attach/tracepoint_events.h"

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

Status attach(const AttachContext &context, const Target &target, int program,
              Attachments &attachments) {
  const TracepointName name{target.category, target.event};
  FileDescriptor event;
  if (context.opened_events != nullptr) event = context.opened_events->take(name);
  if (!event) {
    Result<FileDescriptor> opened = open_tracepoint_event(name);
    if (!opened) return opened.error();
    event = std::move(*opened);
  }
  return start_perf_event(context, std::move(event), program, target.probe_id, true, attachments);
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
  for (const Target &target : targets) {
    Status status = attach(context, target, program, attachments);
    if (!status) failures.push_back({&target, status.error()});
  }
}

}  // namespace awl::runtime
