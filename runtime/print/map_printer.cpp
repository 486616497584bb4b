#include "runtime/print/map_printer.h"

#include <cstring>

#include "runtime/print/histogram_printer.h"
#include "runtime/print/json.h"
#include "runtime/print/series_printer.h"

namespace awl::runtime {
namespace {

using object::ValueKind;
using object::ValueType;

bool is_histogram(const ValueType &type) {
  return type.kind == ValueKind::kHist || type.kind == ValueKind::kLhist;
}

bool is_statistic(const ValueType &type) {
  return type.kind == ValueKind::kAvg || type.kind == ValueKind::kStats;
}

template <class T>
T load(const uint8_t *data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

uint64_t divide(uint64_t value, bool is_signed, uint64_t div) {
  if (!is_signed || div > INT64_MAX) return value / div;
  return static_cast<uint64_t>(static_cast<int64_t>(value) / static_cast<int64_t>(div));
}

// The number that a value prints as, divided; false: it is none.
bool divided(const ValueType &type, const uint8_t *data, uint64_t div, uint64_t &out) {
  switch (type.kind) {
    case ValueKind::kInteger:
      out = static_cast<uint64_t>(load_integer(data, type.size, type.is_signed));
      break;
    case ValueKind::kCount:
    case ValueKind::kSum:
    case ValueKind::kMin:
    case ValueKind::kMax:
      out = load<uint64_t>(data);
      break;
    case ValueKind::kAvg: {
      uint64_t count = load<uint64_t>(data + 8);
      out = count == 0 ? 0 : divide(load<uint64_t>(data), type.is_signed, count);
      break;
    }
    default:
      return false;
  }
  out = divide(out, type.is_signed, div);
  return true;
}

const char *json_type(const ValueType &type) {
  if (type.kind == ValueKind::kTseries) return "tseries";
  return is_histogram(type) ? "hist" : is_statistic(type) ? "stats" : "map";
}

}  // namespace

void MapPrinter::print(const object::Map &map, const MapSnapshot &snapshot, uint64_t top,
                       uint64_t div) {
  if (div == 0) div = 1;
  if (map.is_scalar && snapshot.count == 0 && !is_histogram(map.value)) {
    MapSnapshot zero;
    zero.key_size = map.key_size;
    zero.value_size = map.value.size;
    zero.count = 1;
    zero.keys.resize(zero.key_size);
    zero.values.resize(zero.value_size);
    return print(map, zero, top, div);
  }
  std::vector<size_t> order = sort_entries(map, snapshot, top, values_);
  if (output_.is_json()) {
    print_json(map, snapshot, order, div);
  } else {
    print_text(map, snapshot, order, div);
  }
}

void MapPrinter::print_final(const object::Map &map, const MapSnapshot &snapshot) {
  std::vector<size_t> order = sort_entries(map, snapshot, 0, values_);
  if (output_.is_json()) {
    print_json(map, snapshot, order, 1);
  } else {
    print_text(map, snapshot, order, 1);
  }
}

void MapPrinter::print_text(const object::Map &map, const MapSnapshot &snapshot,
                            const std::vector<size_t> &order, uint64_t div) {
  std::string &out = output_.writer().buffer();
  for (size_t index : order) {
    const uint8_t *value = snapshot.value(index);
    out += map.name;
    if (!map.is_scalar) {
      out += '[';
      values_.key(map.key, snapshot.key(index), out);
      out += ']';
    }
    uint64_t number = 0;
    if (is_histogram(map.value)) {
      out += ":\n";
      append_histogram(out, map.value, value, div);
    } else if (map.value.kind == ValueKind::kTseries) {
      out += ":\n";
      append_series(out, map.value, value);
    } else if (div != 1 && divided(map.value, value, div, number)) {
      out += ": ";
      out += map.value.is_signed ? std::to_string(static_cast<int64_t>(number))
                                 : std::to_string(number);
    } else {
      out += ": ";
      values_.text(map.value, value, out);
    }
    out += '\n';
  }
  output_.writer().written();
}

void MapPrinter::print_json(const object::Map &map, const MapSnapshot &snapshot,
                            const std::vector<size_t> &order, uint64_t div) {
  // An empty map prints nothing, but statistics print as an empty object.
  if (order.empty() && !is_statistic(map.value)) return;
  std::string &out = output_.writer().buffer();
  out.append("{\"type\": \"").append(json_type(map.value)).append("\", \"data\": {");
  append_json_string(out, map.name);
  out += ": ";
  bool has_braces = !map.is_scalar || order.empty();
  if (has_braces) out += '{';
  std::string key;
  bool is_first = true;
  for (size_t index : order) {
    const uint8_t *value = snapshot.value(index);
    if (!is_first) out += ", ";
    is_first = false;
    if (!map.is_scalar) {
      key.clear();
      values_.json_key(map.key, snapshot.key(index), key);
      append_json_string(out, key);
      out += ": ";
    }
    uint64_t number = 0;
    if (is_histogram(map.value)) {
      append_json_histogram(out, map.value, value, div);
    } else if (map.value.kind == ValueKind::kTseries) {
      append_json_series(out, map.value, value);
    } else if (div != 1 && divided(map.value, value, div, number)) {
      if (map.value.is_signed) {
        append_json_integer(out, static_cast<int64_t>(number));
      } else {
        append_json_unsigned(out, number);
      }
    } else {
      values_.json(map.value, value, out);
    }
  }
  if (has_braces) out += '}';
  out += "}}\n";
  output_.writer().written();
}

}  // namespace awl::runtime
