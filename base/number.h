// Whole numbers as the language writes them, where they come from a command line.
#pragma once

#include <cstdint>
#include <string_view>

namespace awl {

// Reads 42, -1, 0x2a, 052, 1_000, 1e6, 42UL, and durations such as 5ms or 1h, which become
// nanoseconds. Numbers from 2^63 to 2^64-1 arrive as negative ones with the same bits. False: the
// text is no such number.
bool parse_number(std::string_view text, int64_t *out);

}  // namespace awl
