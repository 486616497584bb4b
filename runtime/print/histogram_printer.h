// Histograms as bars and as JSON.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/object/value_type.h"

namespace awl::runtime {

// A line per bucket between the first and the last that are not empty; `buckets` holds
// type.count u64. Each count is divided by `div` (not 0).
void append_histogram(std::string &out, const object::ValueType &type, const uint8_t *buckets,
                      uint64_t div);
// [{"min": 0, "max": 1, "count": 2},…]
void append_json_histogram(std::string &out, const object::ValueType &type, const uint8_t *buckets,
                           uint64_t div);

}  // namespace awl::runtime
