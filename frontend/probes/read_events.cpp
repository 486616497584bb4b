// Attach points of timers, of events counted by perf, and of what the runtime itself fires.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/event_period.h"
#include "frontend/diagnostics/nearest_name.h"
#include "frontend/probes/probe_text.h"
#include "frontend/probes/read_parts.h"

namespace awl::frontend {

// Those that the runtime can pass on without losing its own way to end.
const std::vector<std::string> &self_signals() {
  static const std::vector<std::string> names = {"SIGUSR1", "SIGUSR2"};
  return names;
}

namespace {

// Names as perf_event_open(2) has them, and the short forms that people use.
const std::vector<std::string> kSoftwareEvents = {
    "cpu-clock",
    "cpu",
    "task-clock",
    "page-faults",
    "faults",
    "context-switches",
    "cs",
    "cpu-migrations",
    "minor-faults",
    "major-faults",
    "alignment-faults",
    "emulation-faults",
    "dummy",
    "bpf-output",
};
const std::vector<std::string> kHardwareEvents = {
    "cpu-cycles",          "cycles",     "instructions",  "cache-references", "cache-misses",
    "branch-instructions", "branches",   "branch-misses", "bus-cycles",       "frontend-stalls",
    "backend-stalls",      "ref-cycles",
};

// Reports what is wrong with the parts from `first` on; false where something is.
bool report_problem(ProbeContext &context, const ast::AttachPoint &point, size_t first,
                    const EventPeriod &period, const char *what) {
  using Problem = EventPeriod::Problem;
  const size_t part = first + period.part;
  const std::string &text = point.parts[part];
  const Span span = part_span(point, part);
  switch (period.problem) {
    case Problem::kNone:
      return true;
    case Problem::kNotANumber:
      context.diagnostics.emit(span, kProbeBadNumber, text, "a number");
      break;
    case Problem::kNotATime:
      context.diagnostics.emit(span, kProbeBadNumber, text, "a time")
          .hint(fmt::format("write {}", find_family(point.provider)->usage));
      break;
    case Problem::kHasUnit:
      context.diagnostics.emit(span, kProbeBadNumber, text, "a number without a unit");
      break;
    case Problem::kNotPositive:
      context.diagnostics.emit(span, kProbeBadPeriod, what, find_family(point.provider)->name);
      break;
    case Problem::kTooShort: {
      auto diagnostic = context.diagnostics.emit(span, kProbeShortPeriod, period.period_ns);
      // `profile:99`, `interval:1`: no unit was meant by that.
      if (point.parts.size() == 1 && text.find_first_not_of("0123456789") == text.npos) {
        const bool is_interval = find_family(point.provider)->family == ProbeFamily::kInterval;
        diagnostic.hint(
            is_interval ? fmt::format("in seconds: {}:s:{}", point.provider, text)
                        : fmt::format("{} times a second: {}:hz:{}", text, point.provider, text));
      }
      break;
    }
    case Problem::kTooLong:
      context.diagnostics.emit(span, kProbeBadNumber, text, "a period of less than 500 years");
      break;
    case Problem::kUnknownUnit:
      context.diagnostics.emit(span, kProbeUnknownUnit, text);
      break;
  }
  return false;
}

// `interval:s:$1` of an object: the runtime reads the parts from `first` on when it knows the
// parameters.
bool leave_to_runtime(ProbeContext &context, const ast::AttachPoint &point, size_t first,
                      ProbeSpec &spec) {
  const bool is_open =
      std::any_of(point.parts.begin() + static_cast<std::ptrdiff_t>(first), point.parts.end(),
                  [](const std::string &part) { return part.find('$') != std::string::npos; });
  if (!context.options.is_ahead_of_time || !is_open) return false;
  for (size_t i = first; i < point.parts.size(); ++i) {
    spec.period_text += (i == first ? "" : ":") + point.parts[i];
  }
  return true;
}

}  // namespace

bool read_timer(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  if (leave_to_runtime(context, point, 0, spec)) {
    const bool has_unit = point.parts.size() > 1 && point.parts[0].find('$') == std::string::npos;
    return !has_unit ||
           report_problem(context, point, 0, read_timer_period({point.parts[0], "1"}), "period");
  }
  EventPeriod period = read_timer_period(point.parts);
  const bool is_frequency = point.parts.size() > 1 && point.parts[0] == "hz";
  if (!report_problem(context, point, 0, period, is_frequency ? "frequency" : "period")) {
    return false;
  }
  spec.period_ns = period.period_ns;
  spec.frequency = period.frequency;
  spec.name = fmt::format("{}:{}", family_name(spec.family), period.name);
  return true;
}

bool read_perf_event(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  const char *family = family_name(spec.family);
  const std::string &event = point.parts[0];
  if (event.empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, family, "an event");
    return false;
  }
  if (has_wildcard(event)) {
    context.diagnostics.emit(part_span(point, 0), kProbeWildcardNotAllowed, family);
    return false;
  }
  const std::vector<std::string> &events =
      spec.family == ProbeFamily::kSoftware ? kSoftwareEvents : kHardwareEvents;
  if (std::find(events.begin(), events.end(), event) == events.end()) {
    context.diagnostics.emit(part_span(point, 0), kProbeUnknownEvent, family, event)
        .hint(suggestion(nearest_name(event, events)));
    return false;
  }
  spec.target = event;
  spec.name = std::string(family) + ":" + event;
  if (point.parts.size() == 1) return true;
  if (point.parts[1].empty() || point.parts[1] == "0") return true;  // the default, said aloud
  if (leave_to_runtime(context, point, 1, spec)) {
    spec.name += ":" + spec.period_text;
    return true;
  }
  EventPeriod period = read_event_count(point.parts[1]);
  if (!report_problem(context, point, 1, period, "count")) return false;
  spec.sample_period = period.count;
  spec.name += fmt::format(":{}", period.count);
  return true;
}

bool read_watchpoint(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  const size_t mode_part = point.parts.size() - 1, length_part = mode_part - 1;
  std::optional<ProbeNumber> address;
  if (point.parts.size() == 3) address = parse_probe_number(point.parts[0]);
  if (address && (address->has_unit || address->is_negative)) {
    context.diagnostics.emit(part_span(point, 0), kProbeBadNumber, point.parts[0], "an address");
    return false;
  }
  const std::string &written_length = point.parts[length_part];
  std::optional<ProbeNumber> length = parse_probe_number(written_length);
  const uint64_t bytes = length ? length->value : 0;
  if (!length || length->has_unit || length->is_negative ||
      (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)) {
    context.diagnostics.emit(part_span(point, length_part), kProbeBadNumber, written_length,
                             "a length that can be watched: 1, 2, 4 and 8 bytes are");
    return false;
  }
  std::string mode = point.parts[mode_part];
  std::sort(mode.begin(), mode.end());
  const bool is_set = !mode.empty() && mode.find_first_not_of("rwx") == std::string::npos &&
                      std::adjacent_find(mode.begin(), mode.end()) == mode.end();
  // The processor watches code or data (perf_event_open(2), bp_type).
  if (!is_set || (mode.size() > 1 && mode.find('x') != std::string::npos)) {
    context.diagnostics.emit(part_span(point, mode_part), kProbeWatchMode, point.parts[mode_part]);
    return false;
  }
  spec.length = static_cast<uint32_t>(bytes);
  spec.mode = mode;
  if (!address) return read_watched_function(context, point, spec);
  if (address->value % bytes != 0) {
    context.diagnostics.emit(part_span(point, 0), kProbeUnalignedWatch, bytes);
    return false;
  }
  spec.has_address = true;
  spec.address = address->value;
  spec.name = fmt::format("watchpoint:{:#x}:{}:{}", spec.address, bytes, mode);
  return true;
}

bool read_self(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  if (point.parts[0] != "signal") {
    context.diagnostics.emit(part_span(point, 0), kProbeUnknownTrigger, point.parts[0])
        .hint("write self:signal:SIGUSR1");
    return false;
  }
  const std::string &signal = point.parts[1];
  if (std::find(self_signals().begin(), self_signals().end(), signal) == self_signals().end()) {
    context.diagnostics.emit(part_span(point, 1), kProbeUnknownSignal, signal)
        .hint("SIGUSR1 and SIGUSR2 are the signals it can wait for");
    return false;
  }
  spec.category = "signal";
  spec.target = signal;
  return true;
}

// Tests and benchmarks run in a mode of their own; outside of it they are left out in silence, so
// that a script can hold its own tests.
bool read_named(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  bool is_test = spec.family == ProbeFamily::kTest;
  if (context.options.mode != (is_test ? Mode::kTest : Mode::kBench)) return false;
  if (point.parts[0].empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, family_name(spec.family), "a name");
    return false;
  }
  if (has_wildcard(point.parts[0])) {
    context.diagnostics.emit(part_span(point, 0), kProbeWildcardNotAllowed,
                             family_name(spec.family));
    return false;
  }
  spec.target = point.parts[0];
  return true;
}

}  // namespace awl::frontend
