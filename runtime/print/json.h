// Pieces of JSON: strings and numbers as the output needs them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace awl::runtime {

// Appends `bytes` as the inside of a JSON string: quotes, backslashes and control characters
// escaped; well-formed UTF-8 as it is, other bytes as \u00XX.
void append_json_escaped(std::string &out, std::string_view bytes);
// The same between quotes.
void append_json_string(std::string &out, std::string_view bytes);

// Integers that a double cannot hold exactly are quoted, so that JavaScript and jq do not round
// them.
void append_json_integer(std::string &out, int64_t value);
void append_json_unsigned(std::string &out, uint64_t value);

}  // namespace awl::runtime
