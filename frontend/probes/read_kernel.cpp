// Attach points in the kernel: tracepoints, raw tracepoints, functions.
#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "frontend/diagnostics/nearest_name.h"
#include "frontend/probes/probe_text.h"
#include "frontend/probes/read_parts.h"
#include "frontend/probes/syscall_table.h"

namespace awl::frontend {
namespace {

// The tracepoint closest to a wrong name: first in its own category, then by name in all others.
std::string nearest_tracepoint(Target &target, const std::string &category,
                               const std::string &event) {
  std::vector<std::string> all = target.tracepoints("*", "*");
  std::string wanted = category + ":" + event;
  for (const std::string &name : all) {
    if (name.size() > event.size() && name.ends_with(":" + event)) return name;
  }
  return nearest_name(wanted, all);
}

bool has_tracepoint(Target &target, const ProbeSpec &spec, bool *is_known) {
  *is_known = true;
  if (spec.has_wildcard) {
    if (!target.tracepoints(spec.category, spec.target).empty()) return true;
  } else {
    Result<TracepointFormat> format = target.tracepoint_format(spec.category, spec.target);
    if (format) return true;
    *is_known = format.error().code == ENOENT || format.error().code == 0;
    if (!*is_known) return false;
  }
  // Where nothing at all is listed, tracefs cannot be read, and nobody knows.
  *is_known = !target.tracepoints("*", "*").empty();
  return false;
}

// "sched_switch" or "module:event", as Target lists raw tracepoints.
bool has_raw_tracepoint(ProbeContext &context, ProbeSpec &spec) {
  bool is_any_module = spec.category.empty() || spec.category == "*";
  if (spec.has_wildcard) {
    for (const std::string &name : context.target.raw_tracepoints()) {
      size_t colon = name.find(':');
      std::string module = colon == std::string::npos ? "vmlinux" : name.substr(0, colon);
      std::string event = colon == std::string::npos ? name : name.substr(colon + 1);
      bool is_module = is_any_module || matches_pattern(spec.category, module);
      if (is_module && matches_pattern(spec.target, event)) return true;
    }
    return false;
  }
  std::optional<FunctionSignature> signature =
      context.target.raw_tracepoint(context.types, spec.target);
  if (!signature) return false;
  std::string module = signature->module.empty() ? "vmlinux" : signature->module;
  if (is_any_module) spec.category = module;
  return spec.category == module;
}

std::string nearest_raw_tracepoint(Target &target, const std::string &event) {
  std::vector<std::string> events = target.raw_tracepoints();
  for (std::string &name : events) {
    if (size_t colon = name.find(':'); colon != std::string::npos) name.erase(0, colon + 1);
  }
  return nearest_name(event, events);
}

}  // namespace

bool read_tracepoint(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  for (size_t i = 0; i < 2; ++i) {
    if (!point.parts[i].empty()) continue;
    context.diagnostics.emit(point.span, kProbeMissingPart, "tracepoint",
                             i == 0 ? "a category" : "an event");
    return false;
  }
  spec.category = point.parts[0];
  spec.target = point.parts[1];
  spec.has_wildcard = has_wildcard(spec.category) || has_wildcard(spec.target);
  // An object may be for another machine, and the runtime looks again in any case.
  if (context.options.is_ahead_of_time) return true;
  bool is_known = true;
  if (has_tracepoint(context.target, spec, &is_known) || !is_known) return true;
  std::string name = spec.category + ":" + spec.target;
  if (spec.has_wildcard) {
    return report_missing(context, point.span, "tracepoint that matches " + name);
  }
  std::string nearest;
  if (context.config.missing_probes != "ignore") {
    nearest = nearest_tracepoint(context.target, spec.category, spec.target);
  }
  return report_missing(context, point.span, "tracepoint " + name, suggestion(nearest));
}

bool read_raw_tracepoint(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  spec.target = point.parts.back();
  if (point.parts.size() == 2) spec.category = point.parts[0];
  if (spec.target.empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, "rawtracepoint", "an event");
    return false;
  }
  spec.has_wildcard = has_wildcard(spec.category) || has_wildcard(spec.target);
  bool can_know = context.target.has_btf();
  if (can_know && !has_raw_tracepoint(context, spec) && !context.options.is_ahead_of_time) {
    std::string what = spec.has_wildcard ? "raw tracepoint that matches " : "raw tracepoint ";
    std::string nearest = nearest_raw_tracepoint(context.target, spec.target);
    bool is_other_module = nearest == spec.target;
    return report_missing(context, point.span, what + spec.name.substr(spec.name.find(':') + 1),
                          is_other_module || spec.has_wildcard ? "" : suggestion(nearest));
  }
  if (spec.category.empty()) spec.category = spec.has_wildcard ? "*" : "vmlinux";
  spec.name = "rawtracepoint:" + spec.category + ":" + spec.target;
  return true;
}

bool read_syscall(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  if (point.parts[0].empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, "syscall", "a system call");
    return false;
  }
  spec.target = canonical_syscall(point.parts[0]);
  spec.category = point.parts.size() == 2 ? point.parts[1] : "*";
  if (!matches_pattern(spec.category, "enter") && !matches_pattern(spec.category, "exit")) {
    context.diagnostics.emit(part_span(point, 1), kProbeUnknownEnd, spec.category);
    return false;
  }
  spec.has_wildcard = has_wildcard(spec.target);
  if (context.options.is_ahead_of_time) return true;  // the runtime knows the numbers
  std::vector<SyscallParameter> parameters;
  if (!spec.has_wildcard && !find_syscall_parameters(spec.target, &parameters)) {
    // Newer than the table, or there is none.
    std::string event = "sys_enter_" + syscall_tracepoint(spec.target);
    if (context.target.tracepoint_format("syscalls", event)) return true;
    if (context.target.tracepoints("syscalls", "*").empty()) return true;  // nobody knows
    return report_missing(context, part_span(point, 0), "system call " + spec.target,
                          suggestion(nearest_name(spec.target, matching_syscalls("*"))));
  }
  return true;
}

}  // namespace awl::frontend
