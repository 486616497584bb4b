// How often timers and counted events fire, as attach points say it: `s:5`, `hz:99`, `100ms`,
// or a count of events. Read when a script is compiled, and when an object is run whose script
// has a parameter in that place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace awl {

struct EventPeriod {
  enum class Problem {
    kNone,
    kNotANumber,
    kNotATime,
    kHasUnit,  // `ms:5s`
    kNotPositive,
    kTooShort,
    kTooLong,
    kUnknownUnit
  };
  Problem problem = Problem::kNone;
  size_t part = 0;         // which of the parts has the problem
  uint64_t period_ns = 0;  // of timers; 0: use the frequency
  uint64_t frequency = 0;
  uint64_t count = 0;  // the number, as it was written
  std::string name;    // canonical: "s:5", "us:100000"
};

// The one or two parts of a timer.
EventPeriod read_timer_period(const std::vector<std::string> &parts);
// A positive number without a unit.
EventPeriod read_event_count(const std::string &text);

// What is wrong with a part, for messages: "'5x' is not a number".
std::string describe_problem(const EventPeriod &period, const std::vector<std::string> &parts);

}  // namespace awl
