// Attach points in user binaries.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/cpp_names.h"
#include "base/usdt_arguments.h"
#include "frontend/diagnostics/nearest_name.h"
#include "frontend/probes/probe_text.h"
#include "frontend/probes/read_parts.h"

namespace awl::frontend {
namespace {

constexpr size_t kFewFunctions = 8;  // what a stripped program still names, as _init and main

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
  if (context.config.missing_probes != "error")
    return report_missing(context, part_span(point, 0), "binary " + binary);
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

// Whether the binary that is traced is known, so that mistakes can be told at their place. Of an
// object it is known where it runs.
bool can_look_inside(const ProbeContext &context, const ProbeSpec &spec) {
  return !context.options.is_ahead_of_time && !has_wildcard(spec.binary) &&
         !is_parameter(spec.binary) && !is_parameter(spec.target);
}

// What may help where a function is not there; empty: nothing is known.
std::string hint_for_missing_function(ProbeContext &context, const ProbeSpec &spec) {
  Result<std::vector<std::string>> all = context.target.binary_functions(spec.binary, "*");
  if (!all) return "";
  if (spec.is_demangled) {
    if (std::find(all->begin(), all->end(), spec.target) != all->end()) {
      return fmt::format("the symbol {} is not a mangled name of C++: leave out 'cpp:'",
                         spec.target);
    }
    std::vector<std::string> names;
    for (const std::string &symbol : *all) {
      if (std::string name = cpp_function_name(symbol); !name.empty()) names.push_back(name);
    }
    if (names.empty() && all->size() > kFewFunctions) {
      return "no symbol of the binary is a mangled name of C++";
    }
    if (std::string hint = suggestion(nearest_name(spec.target, names)); !hint.empty()) return hint;
  } else if (std::string hint = suggestion(nearest_name(spec.target, *all)); !hint.empty()) {
    return hint;
  }
  if (all->size() > kFewFunctions) return "";
  // Since glibc 2.34 some libraries are left for programs that ask for them, and hold nothing.
  for (const char *library : {"libpthread", "libdl", "librt", "libutil", "libanl"}) {
    if (spec.binary.find(std::string("/") + library + ".so") != std::string::npos)
      return fmt::format("what was in {} is in libc: uprobe:libc:{}", library, spec.target);
  }
  return "the binary seems to be stripped: it names few of its functions";
}

// Whether the function is there, as far as one can tell here. False: the attach point is left out.
bool check_function(ProbeContext &context, const ast::AttachPoint &point, const ProbeSpec &spec) {
  if (!can_look_inside(context, spec)) return true;
  Result<std::vector<std::string>> found =
      spec.is_demangled ? context.target.demangled_functions(spec.binary, spec.target)
                        : context.target.binary_functions(spec.binary, spec.target);
  Span span = part_span(point, point.parts.size() - 1);
  if (!found) {
    context.diagnostics.emit(span, kProbeBinaryNotFound, found.error().message);
    return false;
  }
  if (!found->empty()) return true;
  const bool needs_hint = !has_wildcard(spec.target) && context.config.missing_probes != "ignore";
  return report_missing(
      context, span,
      fmt::format("function {}'{}' in {}", has_wildcard(spec.target) ? "that matches " : "",
                  spec.target, spec.binary),
      needs_hint ? hint_for_missing_function(context, spec) : "");
}

// Whether the static probe is there, as far as one can tell here, and how many arguments it has.
// False: the attach point is left out.
bool check_usdt(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  if (!can_look_inside(context, spec) || is_parameter(spec.category)) return true;
  Result<std::vector<UsdtPlace>> places = context.target.usdt_places(spec.binary);
  if (!places) {
    context.diagnostics.emit(part_span(point, 0), kProbeBinaryNotFound, places.error().message);
    return false;
  }
  const std::string provider = spec.category.empty() ? "*" : spec.category;
  std::set<std::string> names;
  bool is_found = false;
  for (const UsdtPlace &place : *places) {
    names.insert(spec.category.empty() ? place.name : place.provider + ":" + place.name);
    if (!matches_pattern(provider, place.provider) || !matches_pattern(spec.target, place.name)) {
      continue;
    }
    is_found = true;
    const auto count =
        static_cast<uint32_t>(parse_usdt_arguments(place.arguments, kUsdtMachine, nullptr).size());
    spec.argument_count = std::max(spec.argument_count.value_or(0), count);
  }
  if (is_found) return true;
  const std::string wanted = (spec.category.empty() ? "" : spec.category + ":") + spec.target;
  std::string hint = suggestion(nearest_name(wanted, {names.begin(), names.end()}));
  if (names.empty()) hint = "the binary has no static probes";
  return report_missing(context, part_span(point, point.parts.size() - 1),
                        fmt::format("static probe '{}' in {}", wanted, spec.binary), hint);
}

// "BINARY@FILE:LINE" or "BINARY@FILE:LINE:COLUMN".
bool is_statement(const ast::AttachPoint &point) {
  size_t at = point.parts[0].rfind('@');
  return at != std::string::npos && at + 1 < point.parts[0].size() && point.parts.size() >= 2 &&
         point.parts.size() <= 3 && parse_probe_number(point.parts[1]).has_value();
}

bool read_statement(ProbeContext &context, const ast::AttachPoint &written, ProbeSpec &spec) {
  ast::AttachPoint point = written;
  size_t at = point.parts[0].rfind('@');
  spec.source_file = point.parts[0].substr(at + 1);
  point.parts[0].resize(at);
  uint32_t *numbers[] = {&spec.source_line, &spec.source_column};
  for (size_t i = 1; i < point.parts.size(); ++i) {
    std::optional<ProbeNumber> number = parse_probe_number(point.parts[i]);
    if (!number || number->has_unit || number->is_negative || number->value == 0 ||
        number->value > INT32_MAX) {
      context.diagnostics.emit(part_span(point, i), kProbeBadNumber, point.parts[i],
                               i == 1 ? "a line of the source" : "a column of the source");
      return false;
    }
    *numbers[i - 1] = static_cast<uint32_t>(number->value);
  }
  if (spec.family == ProbeFamily::kUretprobe) {
    context.diagnostics.emit(part_span(point, 0), kProbeOffsetNotAllowed, family_name(spec.family));
    return false;
  }
  std::string shown;
  if (!read_binary(context, point, spec, &shown)) return false;
  // A statement that was inlined in several places is several.
  spec.has_wildcard = true;
  spec.name = fmt::format("{}:{}@{}:{}", family_name(spec.family), shown, spec.source_file,
                          spec.source_line);
  if (spec.source_column != 0) spec.name += fmt::format(":{}", spec.source_column);
  if (!can_look_inside(context, spec)) return true;
  Status found = context.target.find_statement(spec.binary, spec.source_file, spec.source_line,
                                               spec.source_column);
  if (found) return true;
  return report_missing(context, part_span(point, 0), "such statement", found.error().message);
}

}  // namespace

bool read_user_function(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  if (is_statement(point)) return read_statement(context, point, spec);
  if (point.parts.size() == 3) {
    if (point.parts[1] != "cpp") {
      context.diagnostics.emit(part_span(point, 1), kProbeUnknownQualifier, point.parts[1]);
      return false;
    }
    spec.is_demangled = true;
  }
  std::string shown;
  if (!read_binary(context, point, spec, &shown)) return false;
  spec.target = point.parts.back();
  if (spec.target.empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, family_name(spec.family),
                             "a function or an address");
    return false;
  }
  std::string prefix = std::string(family_name(spec.family)) + ":" + shown + ":";
  std::optional<ProbeNumber> address;
  if (!spec.is_demangled) address = parse_probe_number(spec.target);
  if (address && !address->has_unit && !address->is_negative) {
    spec.has_address = true;
    spec.address = address->value;
    spec.target.clear();
    spec.has_wildcard = has_wildcard(spec.binary);
    spec.name = fmt::format("{}{}", prefix, spec.address);
  } else {
    if (!spec.is_demangled && !read_offset(context, point, spec)) return false;
    // Overloads have one name.
    spec.has_wildcard = has_wildcard(spec.binary) || has_wildcard(spec.target) || spec.is_demangled;
    if (!check_function(context, point, spec)) return false;
    spec.name = prefix + (spec.is_demangled ? "cpp:" : "") + spec.target;
    if (spec.offset != 0) spec.name += fmt::format("+{}", spec.offset);
  }
  if (spec.family == ProbeFamily::kUretprobe) spec.retval_type = context.types.uint64();
  return true;
}

// The address is what a function gets as an argument: the places after an optional binary are
// "FUNCTION+argN", the length and the mode.
bool read_watched_function(ProbeContext &context, const ast::AttachPoint &written,
                           ProbeSpec &spec) {
  constexpr uint32_t kRegisterCount = 6;  // that arguments come in, on every architecture
  constexpr std::string_view kSeparator = "+arg";
  ast::AttachPoint point = written;
  const size_t place = point.parts.size() - 3;
  const std::string text = point.parts[place];
  const size_t plus = text.rfind(kSeparator);
  std::optional<ProbeNumber> number;
  if (plus != std::string::npos) number = parse_probe_number(text.substr(plus + kSeparator.size()));
  if (!number || plus == 0 || number->has_unit || number->is_negative ||
      number->value >= kRegisterCount || has_wildcard(text)) {
    context.diagnostics.emit(part_span(point, place), kProbeBadNumber, text,
                             "an address or FUNCTION+argN, with arg0 to arg5");
    return false;
  }
  spec.watched_argument = static_cast<uint32_t>(number->value);
  spec.is_async = written.provider == "asyncwatchpoint" || written.provider == "aw";
  spec.target = text.substr(0, plus);
  std::string shown;
  if (place == 1) {
    // Without a binary it is that of the process of -p or -c.
    if (!read_binary(context, point, spec, &shown)) return false;
    point.parts = {point.parts[0], spec.target};
    if (!check_function(context, point, spec)) return false;
    shown += ":";
  }
  spec.name = fmt::format("watchpoint:{}{}:{}:{}", shown, text, spec.length, spec.mode);
  return true;
}

bool read_usdt(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  std::string shown;
  if (!read_binary(context, point, spec, &shown)) return false;
  spec.target = point.parts.back();
  if (spec.target.empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, family_name(spec.family), "a name");
    return false;
  }
  if (point.parts.size() == 3) spec.category = point.parts[1];
  // Without a provider, several may have a probe of the name.
  spec.has_wildcard = has_wildcard(spec.binary) || has_wildcard(spec.target) ||
                      has_wildcard(spec.category) || spec.category.empty();
  spec.name = fmt::format("usdt:{}{}:{}", shown, spec.category.empty() ? "" : ":" + spec.category,
                          spec.target);
  return check_usdt(context, point, spec);
}

}  // namespace awl::frontend
