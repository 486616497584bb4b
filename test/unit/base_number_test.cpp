#include <gtest/gtest.h>

#include <utility>

#include "base/number.h"

namespace awl {
namespace {

TEST(NumberTest, ReadsWhatTheLanguageWrites) {
  const std::pair<const char *, int64_t> good[] = {{"0", 0},
                                                   {"42", 42},
                                                   {"-1", -1},
                                                   {"+7", 7},
                                                   {"0x2a", 42},
                                                   {"0X2A", 42},
                                                   {"052", 42},
                                                   {"1_000", 1000},
                                                   {"1e3", 1000},
                                                   {"5s", 5'000'000'000},
                                                   {"3ms", 3000000},
                                                   {"2us", 2000},
                                                   {"1m", 60000000000},
                                                   {"12UL", 12},
                                                   {"-5ns", -5},
                                                   {"18446744073709551615", -1},
                                                   {"-9223372036854775808", INT64_MIN}};
  for (const auto &[text, expected] : good) {
    int64_t value = 0;
    EXPECT_TRUE(parse_number(text, &value)) << text;
    EXPECT_EQ(value, expected) << text;
  }
}

TEST(NumberTest, RefusesTheRest) {
  for (const char *text : {"",
                           "-",
                           "x",
                           "1x",
                           "_1",
                           "1_",
                           "1__0",
                           " 1",
                           "1 ",
                           "1.5",
                           "0x",
                           "08",
                           "1e",
                           "1e99",
                           "5sec",
                           "99999999999999999999",
                           "-9223372036854775809",
                           "400000000d",
                           "s",
                           "0xs"}) {
    int64_t value = 0;
    EXPECT_FALSE(parse_number(text, &value)) << text;
  }
}

}  // namespace
}  // namespace awl
