// Whole numbers as the language writes them, in scripts, attach points and on command lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace awl {

// What a text says: 42, -1, 0x2a, 052, 1_000, 1e6, 42UL, and durations such as 5ms or 1h, which
// become nanoseconds.
struct NumberText {
  enum class Problem { kNone, kNoDigits, kNotOctal, kNoExponent, kTooLarge, kSuffix };
  enum class Suffix { kNone, kOfC, kUnit };
  Problem problem = Problem::kNone;
  uint64_t value = 0;  // without the sign
  bool is_negative = false;
  Suffix suffix = Suffix::kNone;
  size_t suffix_position = 0;  // in the text; the end when there is none
};
NumberText read_number(std::string_view text);

// Numbers from 2^63 to 2^64-1 arrive as negative ones with the same bits. False: the text is no
// such number.
bool parse_number(std::string_view text, int64_t *out);

}  // namespace awl
