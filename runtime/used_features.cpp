#include "runtime/used_features.h"

#include <algorithm>

#include "base/pattern.h"
#include "runtime/attach/perf_event.h"

namespace awl::runtime {
namespace {

// What programs in the script would make use of.
struct Needs {
  bool perf_links = false, raw_cookies = false, tracing_links = false;
  bool uprobe_multi = false, kprobe_multi = false;
  bool uprobe_session = false, kprobe_session = false;
};

Needs needs_of(const object::Description &description) {
  Needs needs;
  for (const object::Program &program : description.programs) {
    const Family *family = find_family(program);
    if (family == nullptr || family->attach == nullptr) continue;
    needs.perf_links |= family->cookie == CookieKind::kPerf;
    needs.raw_cookies |= family->cookie == CookieKind::kRawTracepoint && program.uses_probe_id;
    needs.tracing_links |= family->cookie == CookieKind::kTracing;
    const bool is_session = may_be_session(program);
    needs.kprobe_session |= is_session && is_kprobe_family(program.attach_points.front().family);
    needs.uprobe_session |= is_session && is_uprobe_family(program.attach_points.front().family);
    for (const object::AttachPoint &point : program.attach_points) {
      needs.kprobe_multi |= is_kprobe_family(point.family) &&
                            (has_wildcard(point.target) || has_wildcard(point.category));
      needs.uprobe_multi |=
          is_uprobe_family(point.family) &&
          (program.attach_points.size() > 1 || point.has_wildcard || point.family == "usdt");
    }
  }
  return needs;
}

// Programs call the kernel's functions for sessions by their types.
void find_session_functions(AttachContext &context) {
  if (!context.has_kprobe_session && !context.has_uprobe_session) return;
  const std::vector<std::string> names{object::kSessionIsReturn, object::kSessionCookie};
  std::vector<uint32_t> ids(names.size(), 0);
  if (Result<FunctionTypes *> types = context.kernel->types()) {
    ids = (*types)->of_kernel().find_functions(names);
    context.has_roomy_sessions = keeps_returns_with_threads(**types);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    context.session_functions[names[i]] = ids[i];
    if (ids[i] == 0) context.has_kprobe_session = context.has_uprobe_session = false;
  }
}

}  // namespace

bool may_be_session(const object::Program &program) {
  return !program.is_override &&
         std::any_of(program.relocations.begin(), program.relocations.end(),
                     [](const object::Relocation &relocation) {
                       return relocation.kind == object::Relocation::Kind::kSession;
                     });
}

void find_used_features(const object::Description &description,
                        const std::vector<std::string> &disabled, AttachContext &context) {
  const Needs needs = needs_of(description);
  const auto is_enabled = [&](const char *name) {
    return std::find(disabled.begin(), disabled.end(), name) == disabled.end();
  };
  const auto has_link = [&](bool is_needed, const char *name, MultiLink kind) {
    return is_needed && is_enabled(name) && has_multi_link(kind);
  };
  context.has_perf_links = needs.perf_links && is_enabled("perf_link") && has_perf_links();
  context.has_raw_cookies =
      needs.raw_cookies && is_enabled("raw_tracepoint_cookie") && has_raw_tracepoint_cookies();
  context.has_uprobe_multi = has_link(needs.uprobe_multi, "uprobe_multi", MultiLink::kUprobe);
  context.has_kprobe_multi = has_link(needs.kprobe_multi, "kprobe_multi", MultiLink::kKprobe);
  context.has_uprobe_session =
      is_enabled("uprobe_multi") &&
      has_link(needs.uprobe_session, "uprobe_session", MultiLink::kUprobeSession);
  context.has_kprobe_session =
      is_enabled("kprobe_multi") &&
      has_link(needs.kprobe_session, "kprobe_session", MultiLink::kKprobeSession);
  find_session_functions(context);
  if (needs.tracing_links) {
    Result<FunctionTypes *> types = context.kernel->types();
    context.has_tracing_links = types && has_tracing_links(**types);
  }
}

}  // namespace awl::runtime
