// tseries() as text, a line for each interval with its value on an axis, or as JSON.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/object/value_type.h"

namespace awl::runtime {

// `slots` are those of one value, of all CPUs together (object/tseries.h).
void append_series(std::string &out, const object::ValueType &type, const uint8_t *slots);
void append_json_series(std::string &out, const object::ValueType &type, const uint8_t *slots);

// Merges the slots of one CPU into those at `to`.
void combine_series(const object::ValueType &type, const uint8_t *from, uint8_t *to);

}  // namespace awl::runtime
