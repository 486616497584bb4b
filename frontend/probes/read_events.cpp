// Attach points of timers, of events counted by perf, and of what the runtime itself fires.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

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

constexpr uint64_t kShortestPeriodNs = 1000;

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

// A positive number without a unit; null after an error was emitted.
std::optional<uint64_t> read_count(ProbeContext &context, const ast::AttachPoint &point,
                                   size_t index, const char *what) {
  const std::string &text = point.parts[index];
  std::optional<ProbeNumber> number = parse_probe_number(text);
  if (!number || number->has_unit) {
    context.diagnostics.emit(part_span(point, index), kProbeBadNumber, text,
                             number ? "a number without a unit" : "a number");
    return std::nullopt;
  }
  if (number->is_negative || number->value == 0) {
    context.diagnostics.emit(part_span(point, index), kProbeBadPeriod, what,
                             find_family(point.provider)->name);
    return std::nullopt;
  }
  return number->value;
}

// The only part is a time: nanoseconds, or what its suffix says.
bool read_period(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  std::optional<ProbeNumber> number = parse_probe_number(point.parts[0]);
  if (!number) {
    context.diagnostics.emit(part_span(point, 0), kProbeBadNumber, point.parts[0], "a time");
    return false;
  }
  if (number->is_negative) {
    context.diagnostics.emit(part_span(point, 0), kProbeBadPeriod, "period",
                             family_name(spec.family));
    return false;
  }
  if (number->value < kShortestPeriodNs) {
    context.diagnostics.emit(part_span(point, 0), kProbeShortPeriod, number->value);
    return false;
  }
  spec.period_ns = number->value;
  spec.name = fmt::format("{}:us:{}", family_name(spec.family), spec.period_ns / 1000);
  return true;
}

}  // namespace

bool read_timer(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  // `interval:s:$1` of an object gets its number when it is loaded.
  if (context.options.is_ahead_of_time && point.parts.back().find('$') != std::string::npos) {
    context.diagnostics.emit(part_span(point, point.parts.size() - 1), kProbeOptionUnsupported,
                             "parameters in the period of a timer, when compiling ahead of time,");
    return false;
  }
  if (point.parts.size() == 1) return read_period(context, point, spec);
  const std::string &unit = point.parts[0];
  uint64_t factor = unit == "us"   ? 1'000
                    : unit == "ms" ? 1'000'000
                    : unit == "s"  ? 1'000'000'000
                                   : 0;
  if (factor == 0 && unit != "hz") {
    context.diagnostics.emit(part_span(point, 0), kProbeUnknownUnit, unit);
    return false;
  }
  std::optional<uint64_t> count =
      read_count(context, point, 1, unit == "hz" ? "frequency" : "period");
  if (!count) return false;
  if (unit == "hz") {
    spec.frequency = *count;
  } else if (__builtin_mul_overflow(*count, factor, &spec.period_ns)) {
    context.diagnostics.emit(part_span(point, 1), kProbeBadNumber, point.parts[1],
                             "a period of less than 500 years");
    return false;
  }
  spec.name = fmt::format("{}:{}:{}", family_name(spec.family), unit, *count);
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
  std::optional<uint64_t> count = read_count(context, point, 1, "count");
  if (!count) return false;
  spec.sample_period = *count;
  spec.name += fmt::format(":{}", *count);
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
