// Attach points in user binaries.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "frontend/diagnostics/nearest_name.h"
#include "frontend/probes/probe_text.h"
#include "frontend/probes/read_parts.h"

namespace awl::frontend {
namespace {

// What is named as a library is found by the dynamic loader's rules; `probe` prints where. A path
// or the name of a program prints as it was written.
bool is_library_name(const std::string &name) {
  return name.find('/') == std::string::npos &&
         (name.starts_with("lib") || name.find(".so") != std::string::npos);
}

bool is_parameter(const std::string &text) { return text.find('$') != std::string::npos; }

// Finds the binary; false after an error was emitted. `*shown` is what stands in the probe's name.
bool read_binary(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec,
                 std::string *shown) {
  const std::string &binary = point.parts[0];
  *shown = spec.binary = binary;
  if (binary.empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, family_name(spec.family), "a binary");
    return false;
  }
  if (has_wildcard(binary) || is_parameter(binary)) return true;
  Result<std::string> path = context.target.resolve_binary(binary);
  if (path) {
    // An object may run where the library lies elsewhere: it keeps the name.
    if (!context.options.is_ahead_of_time) spec.binary = *path;
    if (is_library_name(binary) && !context.options.is_ahead_of_time) *shown = *path;
    return true;
  }
  if (context.options.is_ahead_of_time) return true;
  if (binary.find('@') != std::string::npos) {
    context.diagnostics.emit(part_span(point, 0), kProbeOptionUnsupported,
                             "probes at a line of the source");
    return false;
  }
  context.diagnostics.emit(part_span(point, 0), kProbeBinaryNotFound, path.error().message);
  return false;
}

// Splits "function+8"; false after an error was emitted.
bool read_offset(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  size_t plus = spec.target.rfind('+');
  // C++ names may hold a plus (operator+): an offset begins with a digit.
  if (plus == std::string::npos || plus == 0) return true;
  std::string text = spec.target.substr(plus + 1);
  std::optional<ProbeNumber> offset = parse_probe_number(text);
  Span span = part_span(point, point.parts.size() - 1);
  if (!offset || offset->has_unit || offset->is_negative) {
    context.diagnostics.emit(span, kProbeBadNumber, text, "an offset");
    return false;
  }
  if (spec.family == ProbeFamily::kUretprobe && offset->value != 0) {
    context.diagnostics.emit(span, kProbeOffsetNotAllowed, family_name(spec.family));
    return false;
  }
  spec.offset = offset->value;
  spec.target.resize(plus);
  return true;
}

// Whether the function is there, as far as one can tell here. False: the attach point is left out.
bool check_function(ProbeContext &context, const ast::AttachPoint &point, const ProbeSpec &spec) {
  bool can_tell = !context.options.is_ahead_of_time && !has_wildcard(spec.binary) &&
                  !is_parameter(spec.binary) && !is_parameter(spec.target);
  if (!can_tell) return true;
  Result<std::vector<std::string>> found =
      context.target.binary_functions(spec.binary, spec.target);
  Span span = part_span(point, point.parts.size() - 1);
  if (!found) {
    context.diagnostics.emit(span, kProbeBinaryNotFound, found.error().message);
    return false;
  }
  if (!found->empty()) return true;
  std::string hint;
  if (!spec.has_wildcard && context.config.missing_probes != "ignore") {
    Result<std::vector<std::string>> all = context.target.binary_functions(spec.binary, "*");
    if (all) hint = suggestion(nearest_name(spec.target, *all));
  }
  return report_missing(
      context, span,
      fmt::format("function {}'{}' in {}", spec.has_wildcard ? "that matches " : "", spec.target,
                  spec.binary),
      hint);
}

}  // namespace

bool read_user_function(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  if (point.parts.size() == 3) {
    Span span = part_span(point, 1);
    if (point.parts[1] == "cpp") {
      context.diagnostics.emit(span, kProbeOptionUnsupported, "probes on demangled C++ names")
          .hint("name the function by its symbol, as nm prints it");
    } else {
      context.diagnostics.emit(span, kProbeUnknownQualifier, point.parts[1]);
    }
    return false;
  }
  std::string shown;
  if (!read_binary(context, point, spec, &shown)) return false;
  spec.target = point.parts[1];
  if (spec.target.empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, family_name(spec.family),
                             "a function or an address");
    return false;
  }
  std::string prefix = std::string(family_name(spec.family)) + ":" + shown + ":";
  std::optional<ProbeNumber> address = parse_probe_number(spec.target);
  if (address && !address->has_unit && !address->is_negative) {
    spec.has_address = true;
    spec.address = address->value;
    spec.target.clear();
    spec.has_wildcard = has_wildcard(spec.binary);
    spec.name = fmt::format("{}{}", prefix, spec.address);
  } else {
    if (!read_offset(context, point, spec)) return false;
    spec.has_wildcard = has_wildcard(spec.binary) || has_wildcard(spec.target);
    if (!check_function(context, point, spec)) return false;
    spec.name = prefix + spec.target;
    if (spec.offset != 0) spec.name += fmt::format("+{}", spec.offset);
  }
  if (spec.family == ProbeFamily::kUretprobe) spec.retval_type = context.types.uint64();
  return true;
}

bool read_usdt(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  std::string shown;
  if (!read_binary(context, point, spec, &shown)) return false;
  spec.target = point.parts.back();
  if (point.parts.size() == 3) spec.category = point.parts[1];
  spec.has_wildcard = has_wildcard(spec.binary) || has_wildcard(spec.target);
  return true;
}

}  // namespace awl::frontend
