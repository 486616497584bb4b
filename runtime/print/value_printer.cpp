#include "runtime/print/value_printer.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <cstring>
#include <ctime>

#include "runtime/print/json.h"
#include "runtime/print/stack_printer.h"

namespace awl::runtime {
namespace {

using object::Field;
using object::ValueKind;
using object::ValueType;

template <class T>
T load(const uint8_t *data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

void append_signed(std::string &out, int64_t value) {
  fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

void append_unsigned(std::string &out, uint64_t value) {
  fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

void append_number(std::string &out, const ValueType &type, int64_t value) {
  if (type.is_signed) {
    append_signed(out, value);
  } else {
    append_unsigned(out, static_cast<uint64_t>(value));
  }
}

void append_json_number(std::string &out, const ValueType &type, int64_t value) {
  if (type.is_signed) {
    append_json_integer(out, value);
  } else {
    append_json_unsigned(out, static_cast<uint64_t>(value));
  }
}

void append_hex(std::string &out, uint64_t value) {
  fmt::format_to(std::back_inserter(out), "0x{:x}", value);
}

// An integer, bool or enum of any width.
void append_integral(std::string &out, const ValueType &type, int64_t value) {
  if (type.kind == ValueKind::kBool) {
    out += value ? "true" : "false";
    return;
  }
  if (type.kind == ValueKind::kEnum) {
    for (const auto &[number, name] : type.enumerators) {
      if (number == value) {
        out += name;
        return;
      }
    }
  }
  append_number(out, type, value);
}

void append_buffer(std::string &out, std::string_view bytes) {
  for (char c : bytes) {
    unsigned char byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    }
  }
}

void append_inet(std::string &out, const uint8_t *data) {
  char text[INET6_ADDRSTRLEN] = "";
  uint32_t family = load<uint32_t>(data);
  // Other families have no text form.
  if (family == AF_INET || family == AF_INET6) {
    inet_ntop(static_cast<int>(family), data + 4, text, sizeof text);
  }
  out += text;
}

void append_mac(std::string &out, const uint8_t *data) {
  fmt::format_to(std::back_inserter(out), "{:02X}:{:02X}:{:02X}:{:02X}:{:02X}:{:02X}", data[0],
                 data[1], data[2], data[3], data[4], data[5]);
}

bool is_integral(ValueKind kind) {
  return kind == ValueKind::kInteger || kind == ValueKind::kEnum || kind == ValueKind::kBool;
}

// total / count as `type` has its sign; 0 when there is no sample.
int64_t average(const ValueType &type, const uint8_t *data) {
  uint64_t total = load<uint64_t>(data), count = load<uint64_t>(data + 8);
  if (count == 0) return 0;
  if (!type.is_signed) return static_cast<int64_t>(total / count);
  if (count > INT64_MAX) return 0;
  return static_cast<int64_t>(total) / static_cast<int64_t>(count);
}

}  // namespace

int64_t load_integer(const uint8_t *data, uint32_t size, bool is_signed) {
  switch (size) {
    case 1:
      return is_signed ? load<int8_t>(data) : int64_t{load<uint8_t>(data)};
    case 2:
      return is_signed ? load<int16_t>(data) : int64_t{load<uint16_t>(data)};
    case 4:
      return is_signed ? load<int32_t>(data) : int64_t{load<uint32_t>(data)};
    case 8:
      return load<int64_t>(data);
    default:
      return 0;
  }
}

int64_t load_field(const Field &field, const uint8_t *data) {
  const ValueType &type = field.type[0];
  data += field.offset;
  if (field.bit_size == 0) return load_integer(data, type.size, type.is_signed);
  uint64_t value = 0;
  for (uint32_t i = 0; i < field.bit_size; ++i) {
    uint32_t bit = field.bit_offset + i;
    value |= uint64_t{static_cast<uint64_t>(data[bit / 8] >> (bit % 8)) & 1} << i;
  }
  uint32_t unused = 64 - field.bit_size;
  if (type.is_signed) return static_cast<int64_t>(value << unused) >> unused;
  return static_cast<int64_t>(value);
}

std::string_view load_string(const ValueType &type, const uint8_t *data) {
  const char *text = reinterpret_cast<const char *>(data);
  return {text, strnlen(text, type.size)};
}

std::string_view load_buffer(const ValueType &type, const uint8_t *data) {
  uint32_t length = std::min(load<uint32_t>(data), type.size - 4);
  return {reinterpret_cast<const char *>(data + 4), length};
}

void append_time(std::string &out, const std::string &format, int64_t realtime_ns) {
  time_t seconds = realtime_ns / 1'000'000'000;
  int64_t rest = realtime_ns % 1'000'000'000;
  std::tm local{};
  localtime_r(&seconds, &local);
  // %f is ours, the rest is strftime's.
  std::string pattern;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      pattern += format[i];
    } else if (format[i + 1] == 'f') {
      pattern += fmt::format("{:06}", rest / 1000);
      ++i;
    } else {
      pattern += format[i];
      pattern += format[++i];
    }
  }
  if (pattern.empty()) return;
  char text[1024];
  out.append(text, std::strftime(text, sizeof text, pattern.c_str(), &local));
}

void ValuePrinter::text(const ValueType &type, const uint8_t *data, std::string &out) const {
  text(type, data, out, Style::kText, false);
}

void ValuePrinter::key(const ValueType &type, const uint8_t *data, std::string &out) const {
  text(type, data, out, Style::kKey, true);
}

void ValuePrinter::json_key(const ValueType &type, const uint8_t *data, std::string &out) const {
  text(type, data, out, Style::kJsonKey, true);
}

void ValuePrinter::text(const ValueType &type, const uint8_t *data, std::string &out, Style style,
                        bool is_outermost) const {
  switch (type.kind) {
    case ValueKind::kBool:
      out += data[0] ? "true" : "false";
      return;
    case ValueKind::kInteger:
      return append_number(out, type, load_integer(data, type.size, type.is_signed));
    case ValueKind::kEnum:
      return append_integral(out, type, load_integer(data, type.size, type.is_signed));
    case ValueKind::kPointer:
      return append_hex(out, load<uint64_t>(data));
    case ValueKind::kString: {
      std::string_view characters = load_string(type, data);
      out += characters;
      if (characters.size() == type.size && type.size > 0) out += context_.truncation_trailer;
      return;
    }
    case ValueKind::kBuffer:
      return append_buffer(out, load_buffer(type, data));
    case ValueKind::kArray:
      return array(type, data, out, style);
    case ValueKind::kStruct:
    case ValueKind::kTuple:
    case ValueKind::kRecord:
      return fields(type, data, out, style, is_outermost);
    case ValueKind::kCount:
      return append_unsigned(out, load<uint64_t>(data));
    case ValueKind::kSum:
    case ValueKind::kMin:
    case ValueKind::kMax:
      return append_number(out, type, load<int64_t>(data));
    case ValueKind::kAvg:
      return append_number(out, type, average(type, data));
    case ValueKind::kStats:
      fmt::format_to(std::back_inserter(out),
                     "{{ .count = {}, .average = ", load<uint64_t>(data + 8));
      append_number(out, type, average(type, data));
      out += ", .total = ";
      append_number(out, type, load<int64_t>(data));
      out += " }";
      return;
    default:
      return named(type, data, out, style);
  }
}

// What becomes text by a table or a look-up.
void ValuePrinter::named(const ValueType &type, const uint8_t *data, std::string &out,
                         Style style) const {
  switch (type.kind) {
    case ValueKind::kKernelStack:
    case ValueKind::kUserStack:
      return stack(type, data, out, style);
    case ValueKind::kKernelSymbol:
      return append_kernel_symbol(out, context_, load<uint64_t>(data));
    case ValueKind::kUserSymbol:
      return append_user_symbol(out, context_, load<uint64_t>(data), load<uint32_t>(data + 8));
    case ValueKind::kInet:
      return append_inet(out, data);
    case ValueKind::kMacAddress:
      return append_mac(out, data);
    case ValueKind::kUsername:
      if (context_.symbols) out += context_.symbols->username(load<uint32_t>(data));
      return;
    case ValueKind::kTimestamp:
      return append_time(out, type.format, load<int64_t>(data) + context_.realtime_offset_ns);
    case ValueKind::kCgroupPath:
      if (context_.symbols) out += context_.symbols->cgroup_path(load<uint64_t>(data), type.format);
      return;
    case ValueKind::kProbeName:
    case ValueKind::kProbeType:
      return probe(type, data, out);
    default:
      return;
  }
}

void ValuePrinter::field_text(const Field &field, const uint8_t *data, std::string &out,
                              Style style) const {
  if (field.bit_size != 0 && is_integral(field.type[0].kind)) {
    append_integral(out, field.type[0], load_field(field, data));
  } else {
    text(field.type[0], data + field.offset, out, style == Style::kKey ? Style::kText : style,
         false);
  }
}

// "(1, a)", "{ .a = 1, .b = x }"; a map's key of several parts stands without its brackets.
void ValuePrinter::fields(const ValueType &type, const uint8_t *data, std::string &out, Style style,
                          bool is_outermost) const {
  bool is_tight = style == Style::kJsonKey;
  bool is_tuple = type.kind == ValueKind::kTuple;
  bool is_bare = is_tuple && is_outermost;
  const char *separator = is_tight ? "," : ", ";
  if (!is_bare) out += is_tuple ? "(" : is_tight ? "{" : "{ ";
  bool is_first = true;
  for (const Field &field : type.fields) {
    if (!is_first) out += separator;
    is_first = false;
    if (!is_tuple) out.append(".").append(field.name).append(is_tight ? "=" : " = ");
    field_text(field, data, out, style);
  }
  if (!is_bare) out += is_tuple ? ")" : is_tight ? "}" : " }";
}

void ValuePrinter::array(const ValueType &type, const uint8_t *data, std::string &out,
                         Style style) const {
  const ValueType &element = type.fields[0].type[0];
  out += '[';
  for (uint32_t i = 0; i < type.count; ++i) {
    if (i > 0) out += ',';
    text(element, data + size_t{i} * element.size, out, style == Style::kKey ? Style::kText : style,
         false);
  }
  out += ']';
}

void ValuePrinter::stack(const ValueType &type, const uint8_t *data, std::string &out,
                         Style style) const {
  StackValue value;
  value.is_user = type.kind == ValueKind::kUserStack;
  value.id = load<int32_t>(data);
  if (value.is_user) {
    value.pid = load<uint32_t>(data + 4);
    value.id_above = load<uint32_t>(data + 12);
  }
  append_stack(out, context_, type, value, style == Style::kJsonKey ? "" : "        ");
}

void ValuePrinter::probe(const ValueType &type, const uint8_t *data, std::string &out) const {
  uint32_t id = load<uint32_t>(data);
  if (!context_.probes || id >= context_.probes->size()) return;
  const std::string &name = (*context_.probes)[id].name;
  if (type.kind == ValueKind::kProbeName) {
    out += name;
    return;
  }
  std::string_view family = std::string_view(name).substr(0, name.find(':'));
  out += family == "begin" || family == "end" || family == "self" ? "special" : family;
}

void ValuePrinter::json_field(const Field &field, const uint8_t *data, std::string &out) const {
  const ValueType &type = field.type[0];
  if (field.bit_size == 0 || !is_integral(type.kind)) {
    json(type, data + field.offset, out);
  } else if (type.kind == ValueKind::kBool) {
    out += load_field(field, data) ? "true" : "false";
  } else {
    append_json_number(out, type, load_field(field, data));
  }
}

void ValuePrinter::json_fields(const ValueType &type, const uint8_t *data, std::string &out) const {
  bool is_tuple = type.kind == ValueKind::kTuple;
  out += is_tuple ? '[' : '{';
  bool is_first = true;
  for (const Field &field : type.fields) {
    if (!is_first) out += is_tuple ? "," : ", ";
    is_first = false;
    if (!is_tuple) {
      append_json_string(out, field.name);
      out += ": ";
    }
    json_field(field, data, out);
  }
  out += is_tuple ? ']' : '}';
}

void ValuePrinter::json(const ValueType &type, const uint8_t *data, std::string &out) const {
  switch (type.kind) {
    case ValueKind::kBool:
      out += data[0] ? "true" : "false";
      return;
    case ValueKind::kInteger:
    case ValueKind::kEnum:
      return append_json_number(out, type, load_integer(data, type.size, type.is_signed));
    case ValueKind::kPointer:
    case ValueKind::kCount:
      return append_json_unsigned(out, load<uint64_t>(data));
    case ValueKind::kSum:
    case ValueKind::kMin:
    case ValueKind::kMax:
      return append_json_number(out, type, load<int64_t>(data));
    case ValueKind::kAvg:
      return append_json_number(out, type, average(type, data));
    case ValueKind::kStats:
      out += "{\"count\": ";
      append_json_unsigned(out, load<uint64_t>(data + 8));
      out += ", \"average\": ";
      append_json_number(out, type, average(type, data));
      out += ", \"total\": ";
      append_json_number(out, type, load<int64_t>(data));
      out += '}';
      return;
    case ValueKind::kBuffer: {
      // Bytes as numbers, signed as C's char is.
      out += '[';
      bool is_first = true;
      for (char byte : load_buffer(type, data)) {
        if (!is_first) out += ',';
        is_first = false;
        append_signed(out, static_cast<signed char>(byte));
      }
      out += ']';
      return;
    }
    case ValueKind::kArray: {
      const ValueType &element = type.fields[0].type[0];
      out += '[';
      for (uint32_t i = 0; i < type.count; ++i) {
        if (i > 0) out += ',';
        json(element, data + size_t{i} * element.size, out);
      }
      out += ']';
      return;
    }
    case ValueKind::kStruct:
    case ValueKind::kTuple:
    case ValueKind::kRecord:
      return json_fields(type, data, out);
    case ValueKind::kVoid:
      out += "null";
      return;
    default: {
      std::string characters;
      text(type, data, characters);
      return append_json_string(out, characters);
    }
  }
}

}  // namespace awl::runtime
