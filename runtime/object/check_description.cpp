#include "runtime/object/check_description.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/usdt_arguments.h"
#include "runtime/object/histogram.h"
#include "runtime/object/tseries.h"

namespace awl::object {
namespace {

constexpr uint32_t kMaxValueSize = 16u << 20;
constexpr uint32_t kMaxRecordSize = 16u << 20;
constexpr int kMaxTypeDepth = 32;
constexpr uint32_t kMaxStackFrames = 4096;

bool is_integer_size(uint32_t size) { return size == 1 || size == 2 || size == 4 || size == 8; }

Status check_type(const ValueType &type, int depth);

Status check_field(const Field &field, uint32_t size, int depth) {
  if (field.type.size() != 1) return Error{fmt::format("field {} has no type", field.name)};
  const ValueType &type = field.type[0];
  if (Status status = check_type(type, depth); !status) {
    return status.error().with_context(field.name.empty() ? "field" : field.name);
  }
  uint64_t end = field.offset + uint64_t{type.size};
  if (field.bit_size != 0) {
    bool is_integral = type.kind == ValueKind::kInteger || type.kind == ValueKind::kEnum ||
                       type.kind == ValueKind::kBool;
    if (!is_integral || field.bit_size > 64 || field.bit_offset > 64) {
      return Error{"bitfield out of range"};
    }
    end = field.offset + (uint64_t{field.bit_offset} + field.bit_size + 7) / 8;
  }
  if (end > size) return Error{fmt::format("field {} lies outside of its value", field.name)};
  return ok();
}

Status check_fields(const ValueType &type, int depth) {
  for (const Field &field : type.fields) {
    if (Status status = check_field(field, type.size, depth + 1); !status) return status;
  }
  return ok();
}

Status check_array(const ValueType &type, int depth) {
  if (type.fields.size() != 1 || type.fields[0].type.size() != 1) {
    return Error{"array without element type"};
  }
  const ValueType &element = type.fields[0].type[0];
  if (Status status = check_type(element, depth + 1); !status) return status;
  // Elements of no size would let a count of any size through.
  if (element.size == 0 && type.count != 0) return Error{"array of elements without size"};
  if (uint64_t{element.size} * type.count > type.size) return Error{"array exceeds its size"};
  return ok();
}

Status check_histogram(const ValueType &type) {
  uint64_t count = 0;
  if (type.kind == ValueKind::kHist) {
    if (type.bits < 0 || type.bits > kMaxHistBits) return Error{"hist with wrong bits"};
    count = hist_bucket_count(type.bits);
  } else {
    if (type.step <= 0 || type.min >= type.max) return Error{"lhist with wrong range"};
    uint64_t range = static_cast<uint64_t>(type.max) - static_cast<uint64_t>(type.min);
    if (range / static_cast<uint64_t>(type.step) > kMaxValueSize / 8)
      return Error{"lhist with too many buckets"};
    count = lhist_bucket_count(type.min, type.max, type.step);
  }
  if (type.count > count) return Error{"more buckets than there are"};
  if (uint64_t{type.count} * 8 > type.size) return Error{"buckets exceed the value"};
  return ok();
}

// Bytes that a value of this kind needs at least.
uint32_t minimum_size(ValueKind kind) {
  switch (kind) {
    case ValueKind::kBool:
      return 1;
    case ValueKind::kPointer:
    case ValueKind::kKernelStack:
    case ValueKind::kKernelSymbol:
    case ValueKind::kTimestamp:
    case ValueKind::kCgroupPath:
    case ValueKind::kCount:
    case ValueKind::kSum:
      return 8;
    case ValueKind::kUserStack:
    case ValueKind::kUserSymbol:
    case ValueKind::kMin:
    case ValueKind::kMax:
    case ValueKind::kAvg:
    case ValueKind::kStats:
      return 16;
    case ValueKind::kInet:
      return 20;
    case ValueKind::kMacAddress:
      return 6;
    case ValueKind::kBuffer:
    case ValueKind::kUsername:
    case ValueKind::kProbeName:
    case ValueKind::kProbeType:
      return 4;
    default:
      return 0;
  }
}

Status check_type(const ValueType &type, int depth) {
  if (depth > kMaxTypeDepth) return Error{"types nested too deeply"};
  if (type.size > kMaxValueSize) return Error{"value too large"};
  if (type.size < minimum_size(type.kind)) return Error{"value too small for its kind"};
  switch (type.kind) {
    case ValueKind::kInteger:
    case ValueKind::kEnum:
      if (!is_integer_size(type.size)) return Error{"integer of odd size"};
      return ok();
    case ValueKind::kArray:
      return check_array(type, depth);
    case ValueKind::kStruct:
    case ValueKind::kTuple:
    case ValueKind::kRecord:
      return check_fields(type, depth);
    case ValueKind::kKernelStack:
    case ValueKind::kUserStack:
      if (type.stack_limit > kMaxStackFrames) return Error{"stack with too many frames"};
      return ok();
    case ValueKind::kHist:
    case ValueKind::kLhist:
      return check_histogram(type);
    case ValueKind::kTseries: {
      bool is_right = type.interval_ns > 0 && type.intervals > 0 &&
                      type.intervals <= kMaxSeriesIntervals &&
                      type.size >= series_size(type.intervals);
      return is_right ? ok() : Status(Error{"tseries with wrong intervals"});
    }
    default:
      return ok();
  }
}

bool is_control(EventKind kind) {
  return kind >= EventKind::kExit && kind != EventKind::kSkboutput;
}

// How many arguments an event of this kind has at least, each an integer of 4 bytes or more.
size_t integer_arguments(EventKind kind) {
  switch (kind) {
    case EventKind::kExit:
    case EventKind::kJoin:
    case EventKind::kUnwatch:
      return 1;
    case EventKind::kPrintMap:
    case EventKind::kRuntimeError:
      return 2;
    case EventKind::kSkboutput:
    case EventKind::kWatch:
      return 3;
    default:
      return 0;
  }
}

Status check_event(const Event &event, size_t map_count) {
  if (event.size > kMaxRecordSize) return Error{"record too large"};
  uint32_t header = is_control(event.kind) ? sizeof(ControlHeader) : sizeof(RecordHeader);
  if (event.size < header) return Error{"record without room for its header"};
  for (const Field &argument : event.arguments) {
    if (argument.offset < header) return Error{"argument inside the header"};
    if (argument.bit_size != 0) return Error{"argument is a bitfield"};
    if (Status status = check_field(argument, event.size, 0); !status) return status;
  }
  size_t integers = integer_arguments(event.kind);
  if (event.arguments.size() < integers) return Error{"arguments are missing"};
  for (size_t i = 0; i < integers; ++i) {
    const ValueType &type = event.arguments[i].type[0];
    if (type.kind != ValueKind::kInteger || type.size < 4) return Error{"argument is no number"};
  }
  if (event.kind == EventKind::kPrintValue && event.arguments.size() != 1) {
    return Error{"print needs one argument"};
  }
  bool needs_map = event.kind == EventKind::kPrintMap || event.kind == EventKind::kClear ||
                   event.kind == EventKind::kZero;
  if (event.map < (needs_map ? 0 : -1) || event.map >= static_cast<int64_t>(map_count)) {
    return Error{"no such map"};
  }
  return ok();
}

Status check_map(const Map &map) {
  if (map.name.empty() || map.name[0] != '@') return Error{"name without @"};
  if (map.key_size == 0 || map.key_size > kMaxValueSize || map.value_size == 0 ||
      map.value_size > kMaxValueSize) {
    return Error{"key or value of wrong size"};
  }
  if (Status status = check_type(map.key, 0); !status) return status.error().with_context("key");
  if (Status status = check_type(map.value, 0); !status) {
    return status.error().with_context("value");
  }
  if (map.key.kind == ValueKind::kVoid && !map.is_scalar) return Error{"no key, but not a scalar"};
  bool is_histogram = map.value.kind == ValueKind::kHist || map.value.kind == ValueKind::kLhist;
  if (map.is_bucket_keyed && (map.is_scalar || !is_histogram)) {
    return Error{"keyed by bucket, but no histogram by key"};
  }
  if (map.is_scalar &&
      (map.key_size != 4 || (map.type != MapType::kArray && map.type != MapType::kPercpuArray))) {
    return Error{"a scalar that is no array"};
  }
  uint64_t key_end = uint64_t{map.key.size} + (map.is_bucket_keyed ? 8 : 0);
  if (!map.is_scalar && key_end > map.key_size) return Error{"key exceeds its size"};
  uint64_t value_end = map.is_bucket_keyed ? 8 : map.value.size;
  // A scalar's flag stands in its last 8 bytes.
  if (map.is_scalar) value_end = (value_end + 7) / 8 * 8 + 8;
  if (value_end > map.value_size) return Error{"value exceeds its size"};
  return ok();
}

Status check_program(const Program &program) {
  if (program.name.empty() || program.section.empty()) return Error{"no name or section"};
  // What the runtime does with a program depends on the family of its first one.
  if (program.attach_points.empty()) return Error{"no attach point"};
  if (program.dispatch_columns > kMostDispatchColumns ||
      program.dispatch_column >= program.dispatch_columns) {
    return Error{"dispatch outside of its table"};
  }
  for (const Relocation &relocation : program.relocations) {
    if (relocation.instruction > 1000000) return Error{"relocation past the program"};
    if (relocation.kind == Relocation::Kind::kTracepointField && relocation.field.empty()) {
      return Error{"relocation without field"};
    }
    if (relocation.kind == Relocation::Kind::kUserSymbol &&
        (relocation.field.empty() || relocation.argument >= kUserSymbolParts)) {
      return Error{"relocation without symbol"};
    }
    if (relocation.kind == Relocation::Kind::kUsdtArgument) {
      const bool is_known =
          std::any_of(std::begin(kUsdtFields), std::end(kUsdtFields),
                      [&](const char *field) { return relocation.field == field; });
      if (!is_known || relocation.argument >= kMaxUsdtArguments) {
        return Error{"relocation of an argument that no probe has"};
      }
    }
  }
  return ok();
}

// Checks each element, naming it when it is wrong.
template <class T, class F>
Status check_all(const char *what, const std::vector<T> &values, F check) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (Status status = check(values[i]); !status) {
      return status.error().with_context(fmt::format("{} {}", what, i));
    }
  }
  return ok();
}

}  // namespace

Status check_type(const ValueType &type) { return check_type(type, 0); }

Status check_description(const Description &description) {
  if (Status status = check_all("program", description.programs, check_program); !status) {
    return status;
  }
  if (Status status = check_all("map", description.maps, check_map); !status) return status;
  return check_all("event", description.events,
                   [&](const Event &event) { return check_event(event, description.maps.size()); });
}

}  // namespace awl::object
