// The order of a map's entries.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime/print/map_printer.h"

namespace awl::runtime {
namespace {

using object::ValueKind;
using object::ValueType;

uint64_t load_word(const uint8_t *data) {
  uint64_t value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

// Wide enough for every signed and unsigned integer.
__int128 widen(uint64_t value, bool is_signed) {
  return is_signed ? static_cast<__int128>(static_cast<int64_t>(value))
                   : static_cast<__int128>(value);
}

// Whether the value is a number that people read the map for.
bool sorts_by_value(const ValueType &type) {
  switch (type.kind) {
    case ValueKind::kInteger:
    case ValueKind::kCount:
    case ValueKind::kSum:
    case ValueKind::kMin:
    case ValueKind::kMax:
    case ValueKind::kAvg:
      return true;
    default:
      return false;
  }
}

// What `top` ranks by.
__int128 rank(const ValueType &type, const uint8_t *data) {
  switch (type.kind) {
    case ValueKind::kBool:
      return data[0];
    case ValueKind::kInteger:
    case ValueKind::kEnum:
      return widen(static_cast<uint64_t>(load_integer(data, type.size, type.is_signed)),
                   type.is_signed);
    case ValueKind::kCount:
      return widen(load_word(data), false);
    case ValueKind::kSum:
    case ValueKind::kMin:
    case ValueKind::kMax:
      return widen(load_word(data), type.is_signed);
    case ValueKind::kAvg:
    case ValueKind::kStats: {
      uint64_t count = load_word(data + 8);
      return count == 0 ? 0 : widen(load_word(data), type.is_signed) / static_cast<__int128>(count);
    }
    case ValueKind::kHist:
    case ValueKind::kLhist: {
      __int128 total = 0;
      for (uint32_t i = 0; i < type.count; ++i) total += load_word(data + size_t{i} * 8);
      return total;
    }
    default:
      return 0;
  }
}

int compare(const ValueType &type, const uint8_t *a, const uint8_t *b);

int compare_fields(const ValueType &type, const uint8_t *a, const uint8_t *b) {
  for (const object::Field &field : type.fields) {
    int order = 0;
    if (field.bit_size != 0) {
      int64_t x = load_field(field, a), y = load_field(field, b);
      order = x < y ? -1 : x > y;
    } else {
      order = compare(field.type[0], a + field.offset, b + field.offset);
    }
    if (order != 0) return order;
  }
  return 0;
}

// Less than, equal to or greater than 0, as `a` comes before, with or after `b`.
int compare(const ValueType &type, const uint8_t *a, const uint8_t *b) {
  switch (type.kind) {
    case ValueKind::kBool:
    case ValueKind::kInteger:
    case ValueKind::kEnum: {
      __int128 x = rank(type, a), y = rank(type, b);
      return x < y ? -1 : x > y;
    }
    case ValueKind::kString:
      return load_string(type, a).compare(load_string(type, b));
    case ValueKind::kBuffer:
      return load_buffer(type, a).compare(load_buffer(type, b));
    case ValueKind::kArray: {
      const ValueType &element = type.fields[0].type[0];
      for (uint32_t i = 0; i < type.count; ++i) {
        size_t offset = size_t{i} * element.size;
        if (int order = compare(element, a + offset, b + offset); order != 0) return order;
      }
      return 0;
    }
    case ValueKind::kStruct:
    case ValueKind::kTuple:
    case ValueKind::kRecord:
      return compare_fields(type, a, b);
    case ValueKind::kPointer:
    case ValueKind::kKernelSymbol:
    case ValueKind::kTimestamp:
    case ValueKind::kCgroupPath: {
      uint64_t x = load_word(a), y = load_word(b);
      return x < y ? -1 : x > y;
    }
    default:
      return std::memcmp(a, b, type.size);
  }
}

// Whether the bytes are an index that differs from run to run.
bool is_opaque(const ValueType &type) {
  switch (type.kind) {
    case ValueKind::kKernelStack:
    case ValueKind::kUserStack:
    case ValueKind::kUserSymbol:
    case ValueKind::kProbeName:
    case ValueKind::kProbeType:
      return true;
    default:
      return std::any_of(type.fields.begin(), type.fields.end(),
                         [](const object::Field &field) { return is_opaque(field.type[0]); });
  }
}

}  // namespace

std::vector<size_t> sort_entries(const object::Map &map, const MapSnapshot &snapshot, uint64_t top,
                                 const ValuePrinter &values) {
  std::vector<size_t> order(snapshot.count);
  std::iota(order.begin(), order.end(), size_t{0});
  if (map.is_scalar) return order;
  bool is_ranked = map.value.kind != ValueKind::kTseries;
  bool is_cut = top != 0 && top < snapshot.count && is_ranked;
  bool is_by_value = sorts_by_value(map.value);
  std::vector<__int128> ranks;
  if (is_by_value || is_cut) {
    ranks.resize(snapshot.count);
    for (size_t i = 0; i < snapshot.count; ++i) ranks[i] = rank(map.value, snapshot.value(i));
  }
  std::vector<std::string> texts;
  if (is_opaque(map.key)) {
    texts.resize(snapshot.count);
    for (size_t i = 0; i < snapshot.count; ++i) values.key(map.key, snapshot.key(i), texts[i]);
  }
  auto by_key = [&](size_t a, size_t b) {
    int result = texts.empty() ? compare(map.key, snapshot.key(a), snapshot.key(b))
                               : texts[a].compare(texts[b]);
    return result != 0 ? result < 0 : a < b;
  };
  auto by_value = [&](size_t a, size_t b) {
    return ranks[a] != ranks[b] ? ranks[a] < ranks[b] : by_key(a, b);
  };
  if (is_by_value || is_cut) {
    std::sort(order.begin(), order.end(), by_value);
  } else {
    std::sort(order.begin(), order.end(), by_key);
  }
  if (is_cut) {
    order.erase(order.begin(), order.end() - static_cast<ptrdiff_t>(top));
    if (!is_by_value) std::sort(order.begin(), order.end(), by_key);
  }
  return order;
}

}  // namespace awl::runtime
