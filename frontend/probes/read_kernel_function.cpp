// Attach points at kernel functions: by symbol (kprobe, kretprobe), by their types in BTF (fentry,
// fexit).
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "frontend/diagnostics/nearest_name.h"
#include "frontend/probes/probe_text.h"
#include "frontend/probes/read_parts.h"

namespace awl::frontend {
namespace {

// The function closest to a wrong name.
std::string nearest_function(std::vector<std::string> functions, const std::string &name) {
  for (std::string &function : functions) function.erase(0, function.find(':') + 1);
  const std::string nearest = nearest_name(name, functions);
  return nearest == name ? "" : nearest;
}

std::string in_module(const ProbeSpec &spec) {
  return spec.category.empty() ? "" : " in the module " + spec.category;
}

// Splits "function+8"; false after an error was emitted.
bool read_offset(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  size_t plus = spec.target.rfind('+');
  if (plus == std::string::npos) return true;
  std::string text = spec.target.substr(plus + 1);
  std::optional<ProbeNumber> offset = parse_probe_number(text);
  Span span = part_span(point, point.parts.size() - 1);
  if (!offset || offset->has_unit || offset->is_negative) {
    context.diagnostics.emit(span, kProbeBadNumber, text, "an offset");
    return false;
  }
  if (spec.family != ProbeFamily::kKprobe) {
    context.diagnostics.emit(span, kProbeOffsetNotAllowed, family_name(spec.family));
    return false;
  }
  spec.offset = offset->value;
  spec.target.resize(plus);
  if (has_wildcard(spec.target)) {
    context.diagnostics.emit(span, kProbeWildcardNotAllowed, "kprobes with an offset");
    return false;
  }
  return true;
}

// kprobe:0xffffffff81234567
bool read_address(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec,
                  uint64_t address) {
  if (!context.options.allow_unsafe && !context.options.is_ahead_of_time) {
    context.diagnostics.emit(part_span(point, 0), kProbeAddressUnsafe, family_name(spec.family))
        .hint("--unsafe allows it");
    return false;
  }
  spec.has_address = true;
  spec.address = address;
  spec.target.clear();
  spec.name = fmt::format("{}:{:#x}", family_name(spec.family), address);
  return true;
}

bool check_kprobe(ProbeContext &context, const ast::AttachPoint &point, const ProbeSpec &spec) {
  // An object may be for another machine, and the runtime looks again in any case.
  if (context.options.is_ahead_of_time) return true;
  Span span = part_span(point, point.parts.size() - 1);
  if (spec.has_wildcard) {
    if (!context.target.kernel_functions(spec.category, spec.target).empty()) return true;
    // Where nothing at all is listed, nobody knows.
    if (context.target.kernel_functions("", "*").empty()) return true;
    return report_missing(
        context, span,
        fmt::format("kernel function that matches '{}'{}", spec.target, in_module(spec)));
  }
  if (context.target.has_kernel_function(spec.category, spec.target)) return true;
  std::string hint;
  if (context.config.missing_probes != "ignore") {
    hint = suggestion(
        nearest_function(context.target.kernel_functions(spec.category, "*"), spec.target));
  }
  return report_missing(context, span,
                        fmt::format("kernel function '{}'{}", spec.target, in_module(spec)), hint);
}

// fentry:bpf:[ID:]FUNCTION: a function of a running BPF program, looked for when the script runs.
bool read_bpf_function(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  spec.has_wildcard = has_wildcard(spec.target);
  if (point.parts.size() < 3) return true;
  std::optional<ProbeNumber> id = parse_probe_number(point.parts[1]);
  if (!id || id->has_unit || id->is_negative || id->value == 0 || id->value > UINT32_MAX) {
    context.diagnostics.emit(part_span(point, 1), kProbeBadNumber, point.parts[1],
                             "the id of a BPF program");
    return false;
  }
  spec.address = id->value;
  return true;
}

// Whether BTF has the function. False: the attach point is left out.
bool check_fentry(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  if (context.options.is_ahead_of_time || !context.target.has_btf()) return true;
  Span span = part_span(point, point.parts.size() - 1);
  if (spec.has_wildcard) {
    if (!context.target.typed_functions(spec.category, spec.target).empty()) return true;
    return report_missing(context, span,
                          fmt::format("kernel function that matches '{}'{} in the kernel's types "
                                      "(BTF)",
                                      spec.target, in_module(spec)));
  }
  if (context.target.kernel_function(context.types, spec.category, spec.target)) return true;
  std::string hint;
  if (context.target.has_kernel_function(spec.category, spec.target)) {
    hint = fmt::format("the function is there, but its types are not: use {}:{}",
                       spec.family == ProbeFamily::kFentry ? "kprobe" : "kretprobe", spec.target);
  } else if (context.config.missing_probes != "ignore") {
    hint = suggestion(
        nearest_function(context.target.typed_functions(spec.category, "*"), spec.target));
  }
  return report_missing(context, span,
                        fmt::format("kernel function '{}'{} in the kernel's types (BTF)",
                                    spec.target, in_module(spec)),
                        hint);
}

}  // namespace

bool read_kprobe(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  spec.target = point.parts.back();
  if (point.parts.size() == 2) spec.category = point.parts[0];
  if (spec.target.empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, family_name(spec.family), "a function");
    return false;
  }
  if (spec.family == ProbeFamily::kKretprobe) spec.retval_type = context.types.uint64();
  std::optional<ProbeNumber> address = parse_probe_number(spec.target);
  if (point.parts.size() == 1 && address && !address->has_unit && !address->is_negative) {
    return read_address(context, point, spec, address->value);
  }
  if (!read_offset(context, point, spec)) return false;
  spec.has_wildcard = has_wildcard(spec.category) || has_wildcard(spec.target);
  return check_kprobe(context, point, spec);
}

bool read_fentry(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  spec.target = point.parts.back();
  if (point.parts.size() >= 2) spec.category = point.parts[0];
  if (spec.target.empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, family_name(spec.family), "a function");
    return false;
  }
  if (spec.target.find('+') != std::string::npos) {
    context.diagnostics.emit(part_span(point, point.parts.size() - 1), kProbeOffsetNotAllowed,
                             family_name(spec.family));
    return false;
  }
  if (spec.category == "bpf") return read_bpf_function(context, point, spec);
  if (point.parts.size() == 3) {
    context.diagnostics
        .emit(point.span, kProbeArgumentCount, family_name(spec.family), "1 or 2 parts",
              point.parts.size())
        .hint(fmt::format("write {0}:[MODULE:]FUNCTION or {0}:bpf:ID:FUNCTION",
                          family_name(spec.family)));
    return false;
  }
  spec.has_wildcard = has_wildcard(spec.category) || has_wildcard(spec.target);
  return check_fentry(context, point, spec);
}

}  // namespace awl::frontend
