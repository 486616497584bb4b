#include "base/event_period.h"

#include "base/number.h"

namespace awl {
namespace {

using Problem = EventPeriod::Problem;

constexpr uint64_t kShortestPeriodNs = 1000;

EventPeriod failed(Problem problem, size_t part) {
  EventPeriod period;
  period.problem = problem;
  period.part = part;
  return period;
}

// A number that is not negative. Of C's suffixes nothing is known here.
Problem read_positive(const std::string &text, NumberText &number) {
  number = read_number(text);
  if (number.problem != NumberText::Problem::kNone || text.starts_with('+') ||
      number.suffix == NumberText::Suffix::kOfC) {
    return Problem::kNotANumber;
  }
  return number.is_negative ? Problem::kNotPositive : Problem::kNone;
}

// The only part is a time: nanoseconds, or what its suffix says.
EventPeriod read_duration(const std::string &text) {
  NumberText number;
  if (Problem problem = read_positive(text, number); problem != Problem::kNone) {
    return failed(problem == Problem::kNotANumber ? Problem::kNotATime : problem, 0);
  }
  EventPeriod period;
  period.count = period.period_ns = number.value;
  if (number.value < kShortestPeriodNs) period.problem = Problem::kTooShort;
  period.name = "us:" + std::to_string(period.period_ns / 1000);
  return period;
}

}  // namespace

EventPeriod read_event_count(const std::string &text) {
  NumberText number;
  if (Problem problem = read_positive(text, number); problem == Problem::kNotANumber) {
    return failed(problem, 0);
  }
  if (number.suffix == NumberText::Suffix::kUnit) return failed(Problem::kHasUnit, 0);
  if (number.is_negative || number.value == 0) return failed(Problem::kNotPositive, 0);
  EventPeriod period;
  period.count = number.value;
  return period;
}

EventPeriod read_timer_period(const std::vector<std::string> &parts) {
  if (parts.size() == 1) return read_duration(parts[0]);
  const std::string &unit = parts[0];
  const uint64_t factor = unit == "us"   ? 1'000
                          : unit == "ms" ? 1'000'000
                          : unit == "s"  ? 1'000'000'000
                                         : 0;
  if (factor == 0 && unit != "hz") return failed(Problem::kUnknownUnit, 0);
  EventPeriod period = read_event_count(parts[1]);
  period.part = 1;
  if (period.problem != Problem::kNone) return period;
  if (factor == 0) {
    period.frequency = period.count;
  } else if (__builtin_mul_overflow(period.count, factor, &period.period_ns)) {
    period.problem = Problem::kTooLong;
  }
  period.name = unit + ":" + std::to_string(period.count);
  return period;
}

std::string describe_problem(const EventPeriod &period, const std::vector<std::string> &parts) {
  const std::string text = "'" + parts[period.part] + "'";
  switch (period.problem) {
    case Problem::kNone:
      return "";
    case Problem::kNotANumber:
      return text + " is not a number";
    case Problem::kNotATime:
      return text + " is not a time";
    case Problem::kHasUnit:
      return text + " is not a number without a unit";
    case Problem::kNotPositive:
      return text + " is not positive";
    case Problem::kTooShort:
      return text + " is too short: 1 us is the least";
    case Problem::kTooLong:
      return text + " is not a period of less than 500 years";
    case Problem::kUnknownUnit:
      return text + " is not a unit of time: us, ms, s and hz are";
  }
  return "";
}

}  // namespace awl
