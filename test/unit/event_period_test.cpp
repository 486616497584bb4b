#include "base/event_period.h"

#include <gtest/gtest.h>

namespace awl {
namespace {

using Problem = EventPeriod::Problem;

std::string problem_of(const std::vector<std::string> &parts) {
  return describe_problem(read_timer_period(parts), parts);
}

TEST(EventPeriod, Timers) {
  EXPECT_EQ(read_timer_period({"s", "5"}).period_ns, 5'000'000'000u);
  EXPECT_EQ(read_timer_period({"us", "7"}).period_ns, 7'000u);
  EXPECT_EQ(read_timer_period({"hz", "99"}).frequency, 99u);
  EXPECT_EQ(read_timer_period({"hz", "99"}).period_ns, 0u);
  EXPECT_EQ(read_timer_period({"100ms"}).period_ns, 100'000'000u);
  EXPECT_EQ(read_timer_period({"100ms"}).name, "us:100000");
  EXPECT_EQ(read_timer_period({"ms", "0x10"}).name, "ms:16");
}

TEST(EventPeriod, Problems) {
  EXPECT_EQ(problem_of({"s", "5"}), "");
  EXPECT_EQ(problem_of({"s", "x"}), "'x' is not a number");
  EXPECT_EQ(problem_of({"x"}), "'x' is not a time");
  EXPECT_EQ(problem_of({"s", "5ms"}), "'5ms' is not a number without a unit");
  EXPECT_EQ(problem_of({"s", "0"}), "'0' is not positive");
  EXPECT_EQ(problem_of({"s", "-1"}), "'-1' is not positive");
  EXPECT_EQ(problem_of({"999"}), "'999' is too short: 1 us is the least");
  EXPECT_EQ(problem_of({"s", "99999999999"}),
            "'99999999999' is not a period of less than 500 years");
  EXPECT_EQ(problem_of({"m", "1"}), "'m' is not a unit of time: us, ms, s and hz are");
}

TEST(EventPeriod, Counts) {
  EXPECT_EQ(read_event_count("1e3").count, 1000u);
  EXPECT_EQ(read_event_count("0").problem, Problem::kNotPositive);
  EXPECT_EQ(read_event_count("5UL").problem, Problem::kNotANumber);
}

}  // namespace
}  // namespace awl
