#include "runtime/print/histogram_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "runtime/object/histogram.h"
#include "runtime/print/json.h"

namespace awl::runtime {
namespace {

using object::BucketRange;
using object::ValueKind;
using object::ValueType;

constexpr size_t kBarWidth = 52;

uint64_t count_at(const uint8_t *buckets, uint32_t index) {
  uint64_t count;
  std::memcpy(&count, buckets + size_t{index} * 8, sizeof count);
  return count;
}

// First and one past the last bucket that is not empty.
struct Span {
  uint32_t begin = 0, end = 0;
};

Span used_buckets(const ValueType &type, const uint8_t *buckets) {
  Span span;
  for (uint32_t i = 0; i < type.count; ++i) {
    if (count_at(buckets, i) == 0) continue;
    if (span.end == 0) span.begin = i;
    span.end = i + 1;
  }
  return span;
}

BucketRange range_of(const ValueType &type, uint32_t index) {
  return type.kind == ValueKind::kHist ? object::hist_range(index, type.bits)
                                       : object::lhist_range(index, type.min, type.max, type.step);
}

std::string with_suffix(int64_t value, uint32_t powers) {
  constexpr const char *kSuffixes[] = {"", "K", "M", "G", "T", "P", "E"};
  return fmt::format("{}{}", value, kSuffixes[std::min(powers, 6u)]);
}

// The least value of a bucket of hist: its mantissa of `bits` + 1 bits, shifted by what is left
// of the exponent after the suffix, so that neighbours carry the same suffix as long as they can.
std::string hist_bound(uint32_t index, int64_t bits) {
  uint32_t slot = index - 1;
  if (slot < (1u << bits)) return std::to_string(slot);
  uint32_t shift = (slot >> bits) - 1;
  uint64_t mantissa = (1u << bits) + (slot & ((1u << bits) - 1));
  return with_suffix(static_cast<int64_t>(mantissa << (shift % 10)), shift / 10);
}

// As long as it divides by 1024 without rest.
std::string lhist_bound(int64_t value) {
  uint32_t powers = 0;
  while (value != 0 && value % 1024 == 0 && powers < 6) {
    value /= 1024;
    ++powers;
  }
  return with_suffix(value, powers);
}

std::string label(const ValueType &type, uint32_t index) {
  BucketRange range = range_of(type, index);
  bool is_hist = type.kind == ValueKind::kHist;
  if (!range.has_min) return fmt::format("(..., {})", is_hist ? "0" : lhist_bound(type.min));
  if (!range.has_max) return fmt::format("[{}, ...)", lhist_bound(range.min));
  if (range.min == range.max) return fmt::format("[{}]", range.min);
  if (is_hist) {
    return fmt::format("[{}, {})", hist_bound(index, type.bits), hist_bound(index + 1, type.bits));
  }
  return fmt::format("[{}, {})", lhist_bound(range.min), lhist_bound(range.max + 1));
}

}  // namespace

void append_histogram(std::string &out, const ValueType &type, const uint8_t *buckets,
                      uint64_t div) {
  Span span = used_buckets(type, buckets);
  uint64_t most = 0;
  for (uint32_t i = span.begin; i < span.end; ++i) {
    most = std::max(most, count_at(buckets, i) / div);
  }
  for (uint32_t i = span.begin; i < span.end; ++i) {
    uint64_t count = count_at(buckets, i) / div;
    size_t length =
        most == 0 ? 0 : static_cast<size_t>(static_cast<__uint128_t>(count) * kBarWidth / most);
    fmt::format_to(std::back_inserter(out), "{:<16}{:>8} |", label(type, i), count);
    out.append(length, '@');
    out.append(kBarWidth - length, ' ');
    out += "|\n";
  }
}

void append_json_histogram(std::string &out, const ValueType &type, const uint8_t *buckets,
                           uint64_t div) {
  Span span = used_buckets(type, buckets);
  out += '[';
  for (uint32_t i = span.begin; i < span.end; ++i) {
    BucketRange range = range_of(type, i);
    out += i == span.begin ? "{" : ",{";
    if (range.has_min) {
      out += "\"min\": ";
      append_json_integer(out, range.min);
      out += ", ";
    }
    if (range.has_max) {
      out += "\"max\": ";
      append_json_integer(out, range.max);
      out += ", ";
    }
    out += "\"count\": ";
    append_json_unsigned(out, count_at(buckets, i) / div);
    out += '}';
  }
  out += ']';
}

}  // namespace awl::runtime
