#include "runtime/print/series_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <optional>
#include <vector>

#include "runtime/object/tseries.h"

namespace awl::runtime {
namespace {

using object::SeriesSlot;
using object::ValueType;

constexpr uint64_t kSecond = 1000000000;
// The axis, its ends among it.
constexpr size_t kAxisWidth = 53;

SeriesSlot slot_at(const uint8_t *slots, uint64_t index) {
  SeriesSlot slot;
  std::memcpy(&slot, slots + index * sizeof slot, sizeof slot);
  return slot;
}

// Wide enough for signed and unsigned values.
using Wide = __int128;

Wide value_of(const ValueType &type, const SeriesSlot &slot) {
  Wide value = type.is_signed ? Wide{static_cast<int64_t>(slot.value)} : Wide{slot.value};
  return type.function == "avg" && slot.extra != 0 ? value / Wide{slot.extra} : value;
}

std::string text_of(Wide value) {
  return value < 0 ? std::to_string(static_cast<int64_t>(value))
                   : std::to_string(static_cast<uint64_t>(value));
}

struct Row {
  uint64_t start;  // ns since 1970
  std::optional<Wide> value;
};

// From the oldest interval that still counts to the newest one, gaps among them.
std::vector<Row> rows_of(const ValueType &type, const uint8_t *slots) {
  auto count = static_cast<uint64_t>(type.intervals);
  uint64_t newest = 0;
  for (uint64_t i = 0; i < count; ++i) newest = std::max(newest, slot_at(slots, i).interval);
  if (newest == 0) return {};
  uint64_t oldest = newest;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t interval = slot_at(slots, i).interval;
    if (interval != 0 && newest - interval < count) oldest = std::min(oldest, interval);
  }
  std::vector<Row> rows;
  for (uint64_t interval = oldest; interval <= newest; ++interval) {
    SeriesSlot slot = slot_at(slots, (interval - 1) % count);
    Row row{(interval - 1) * static_cast<uint64_t>(type.interval_ns), std::nullopt};
    if (slot.interval == interval) row.value = value_of(type, slot);
    rows.push_back(row);
  }
  return rows;
}

std::string time_text(uint64_t ns, const char *format) {
  auto seconds = static_cast<time_t>(ns / kSecond);
  tm broken{};
  char text[64] = "";
  if (localtime_r(&seconds, &broken)) strftime(text, sizeof text, format, &broken);
  return text;
}

// How exactly times are shown: what tells the intervals apart.
struct Resolution {
  const char *label;
  int digits;  // of the fraction of a second
};

Resolution resolution_of(const std::vector<Row> &rows, uint64_t interval_ns) {
  if (rows.size() > 1) {
    if (interval_ns % kSecond == 0) return {"hh:mm:ss", 0};
    if (interval_ns % 1000000 == 0) return {"hh:mm:ss.ms", 3};
    if (interval_ns % 1000 == 0) return {"hh:mm:ss.μs", 6};
  }
  return {"hh:mm:ss.ns", 9};
}

std::string row_time(uint64_t ns, int digits) {
  std::string text = time_text(ns, "%H:%M:%S");
  if (digits == 0) return text;
  return text + fmt::format(".{:09}", ns % kSecond).substr(0, static_cast<size_t>(digits) + 1);
}

// The values at both ends of the axis.
struct Axis {
  Wide min, max;
  size_t position(Wide value) const {
    return static_cast<size_t>((value - min) * Wide{kAxisWidth - 1} / (max - min));
  }
};

Axis axis_of(const ValueType &type, const std::vector<Row> &rows) {
  Axis axis{0, 0};
  bool is_first = true;
  for (const Row &row : rows) {
    if (!row.value) continue;
    axis.min = is_first ? *row.value : std::min(axis.min, *row.value);
    axis.max = is_first ? *row.value : std::max(axis.max, *row.value);
    is_first = false;
  }
  if (axis.min == axis.max) {
    Wide lowest = type.is_signed ? Wide{INT64_MIN} : Wide{0};
    Wide highest = type.is_signed ? Wide{INT64_MAX} : Wide{UINT64_MAX};
    if (axis.min > lowest) --axis.min;
    if (axis.max < highest) ++axis.max;
  }
  return axis;
}

}  // namespace

void append_series(std::string &out, const ValueType &type, const uint8_t *slots) {
  std::vector<Row> rows = rows_of(type, slots);
  if (rows.empty()) {
    out += "<no data>\n";
    return;
  }
  Axis axis = axis_of(type, rows);
  Resolution resolution = resolution_of(rows, static_cast<uint64_t>(type.interval_ns));
  size_t margin = row_time(0, resolution.digits).size() + 1;
  std::string min = text_of(axis.min), max = text_of(axis.max);
  auto ends = [&] {
    size_t gap = kAxisWidth > min.size() + max.size() ? kAxisWidth - min.size() - max.size() : 1;
    out.append(margin, ' ').append(min).append(gap, ' ').append(max) += '\n';
  };
  ends();
  // As long in bytes as the margin, as the peer has it: a column less where a letter takes two.
  std::string label = resolution.label;
  label.resize(margin, ' ');
  out.append(label).append("|").append(kAxisWidth - 2, '_').append("|\n");
  for (const Row &row : rows) {
    std::string line(kAxisWidth, ' ');
    line.front() = line.back() = '|';
    if (axis.min < 0 && axis.max > 0) line[axis.position(0)] = '.';
    if (row.value) line[axis.position(*row.value)] = '*';
    out.append(row_time(row.start, resolution.digits)).append(" ").append(line);
    out.append(" ").append(row.value ? text_of(*row.value) : "-").append("\n");
  }
  out.append(margin, ' ').append("v").append(kAxisWidth - 2, '_').append("v\n");
  ends();
}

void append_json_series(std::string &out, const ValueType &type, const uint8_t *slots) {
  out += '[';
  bool is_first = true;
  for (const Row &row : rows_of(type, slots)) {
    if (!row.value) continue;
    out += is_first ? "" : ",";
    is_first = false;
    out += fmt::format("{{\"interval_start\":\"{}.{:09}\",\"value\":{}}}",
                       time_text(row.start, "%Y-%m-%d %H:%M:%S"), row.start % kSecond,
                       text_of(*row.value));
  }
  out += ']';
}

void combine_series(const ValueType &type, const uint8_t *from, uint8_t *to) {
  for (uint64_t i = 0; i < static_cast<uint64_t>(type.intervals); ++i) {
    SeriesSlot theirs = slot_at(from, i), ours = slot_at(to, i);
    if (theirs.interval == 0 || theirs.interval < ours.interval) continue;
    if (theirs.interval == ours.interval) {
      bool is_less = type.is_signed
                         ? static_cast<int64_t>(theirs.value) < static_cast<int64_t>(ours.value)
                         : theirs.value < ours.value;
      if (type.function == "sum" || type.function == "avg") {
        theirs.value += ours.value;
        theirs.extra += ours.extra;
      } else if (type.function == "min"   ? !is_less
                 : type.function == "max" ? is_less
                                          : theirs.extra < ours.extra) {
        continue;
      }
    }
    std::memcpy(to + i * sizeof theirs, &theirs, sizeof theirs);
  }
}

}  // namespace awl::runtime
