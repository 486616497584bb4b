#include "runtime/print/format_printer.h"

#include <fmt/format.h>

#include "runtime/symbols/symbols.h"

namespace awl::runtime {
namespace {

using object::Field;
using object::FormatConversion;
using object::FormatLength;
using object::ValueKind;

// Whether a value of this kind is a number in its first bytes, for %d, %x and the like.
bool is_number(ValueKind kind) {
  switch (kind) {
    case ValueKind::kBool:
    case ValueKind::kInteger:
    case ValueKind::kEnum:
    case ValueKind::kPointer:
    case ValueKind::kCount:
    case ValueKind::kSum:
    case ValueKind::kMin:
    case ValueKind::kMax:
    case ValueKind::kKernelSymbol:
    case ValueKind::kUserSymbol:
    case ValueKind::kTimestamp:
    case ValueKind::kCgroupPath:
    case ValueKind::kUsername:
      return true;
    default:
      return false;
  }
}

uint64_t load_number(const Field &field, const uint8_t *record) {
  if (field.bit_size != 0) return static_cast<uint64_t>(load_field(field, record));
  const object::ValueType &type = field.type[0];
  // Composite kinds hold their number in front.
  uint32_t size = type.kind == ValueKind::kUsername ? 4 : std::min(type.size, 8u);
  return static_cast<uint64_t>(load_integer(record + field.offset, size, type.is_signed));
}

uint32_t bits_of(FormatLength length) {
  switch (length) {
    case FormatLength::kHh:
      return 8;
    case FormatLength::kH:
      return 16;
    case FormatLength::kNone:
      return 32;
    default:
      return 64;
  }
}

uint64_t truncate(uint64_t value, uint32_t bits) {
  return bits == 64 ? value : value & ((uint64_t{1} << bits) - 1);
}

int64_t sign_extend(uint64_t value, uint32_t bits) {
  return static_cast<int64_t>(value << (64 - bits)) >> (64 - bits);
}

void append_padded(std::string &out, std::string_view text, const FormatConversion &conversion) {
  size_t width = conversion.width < 0 ? 0 : static_cast<size_t>(conversion.width);
  size_t padding = width > text.size() ? width - text.size() : 0;
  if (!conversion.is_left) out.append(padding, conversion.is_zero_padded ? '0' : ' ');
  out += text;
  if (conversion.is_left) out.append(padding, ' ');
}

// Digits of a number in the base of its conversion, written to the end of `buffer`.
std::string_view format_digits(uint64_t value, char conversion, char (&buffer)[24]) {
  char *end = buffer + sizeof buffer;
  char *at = end;
  uint32_t base = 10;
  if (conversion == 'x' || conversion == 'X' || conversion == 'p') base = 16;
  if (conversion == 'o') base = 8;
  const char *symbols = conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  do {
    *--at = symbols[value % base];
    value /= base;
  } while (value != 0);
  return {at, static_cast<size_t>(end - at)};
}

// As C does: sign or prefix, zeros up to the precision or width, digits.
void append_integer(std::string &out, uint64_t value, uint32_t bits,
                    const FormatConversion &conversion) {
  bool is_signed = conversion.conversion == 'd' || conversion.conversion == 'i';
  bool is_pointer = conversion.conversion == 'p';
  value = truncate(value, bits);
  std::string_view prefix;
  if (is_signed) {
    int64_t number = sign_extend(value, bits);
    value = number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
    prefix = number < 0 ? "-" : conversion.has_plus ? "+" : conversion.has_space ? " " : "";
  } else if (value != 0 && (conversion.is_alternate || is_pointer)) {
    char c = conversion.conversion;
    prefix = c == 'X' ? "0X" : c == 'x' || is_pointer ? "0x" : c == 'o' ? "0" : "";
  }
  char buffer[24];
  std::string_view digits = format_digits(value, conversion.conversion, buffer);
  if (conversion.precision == 0 && value == 0) digits = {};

  size_t zeros = 0;
  size_t precision = conversion.precision < 0 ? 0 : static_cast<size_t>(conversion.precision);
  if (precision > digits.size()) zeros = precision - digits.size();
  size_t width = conversion.width < 0 ? 0 : static_cast<size_t>(conversion.width);
  size_t length = prefix.size() + zeros + digits.size();
  size_t padding = width > length ? width - length : 0;
  if (conversion.is_zero_padded && !conversion.is_left && conversion.precision < 0) {
    zeros += padding;
    padding = 0;
  }
  if (!conversion.is_left) out.append(padding, ' ');
  out += prefix;
  out.append(zeros, '0');
  out += digits;
  if (conversion.is_left) out.append(padding, ' ');
}

// %rx: each byte as \x61, %rh: "61 62".
void append_hex_bytes(std::string &out, std::string_view bytes, char hex) {
  bool is_first = true;
  for (char c : bytes) {
    if (hex == 'h' && !is_first) out += ' ';
    is_first = false;
    if (hex == 'x') out += "\\x";
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  }
}

}  // namespace

Result<FormatPrinter::Operation> FormatPrinter::choose(const FormatConversion &conversion,
                                                       const Field &argument) {
  ValueKind kind = argument.type[0].kind;
  switch (conversion.conversion) {
    case 's':
      if (kind == ValueKind::kString && conversion.is_plain()) return Operation::kString;
      return Operation::kText;
    case 'r':
      if (kind == ValueKind::kBuffer) return Operation::kBuffer;
      return Error{"%r takes a buffer"};
    case 'c':
      if (is_number(kind)) return Operation::kCharacter;
      break;
    case 'd':
    case 'i':
    case 'u':
      if (is_number(kind)) return conversion.is_plain() ? Operation::kDecimal : Operation::kInteger;
      break;
    case 'g':
      if (is_number(kind)) return Operation::kFlags;
      break;
    default:
      if (is_number(kind)) return Operation::kInteger;
  }
  return Error{fmt::format("%{} takes a number", conversion.conversion)};
}

Result<FormatPrinter> FormatPrinter::compile(const std::string &format,
                                             const std::vector<Field> &arguments) {
  auto pieces = object::parse_format(format);
  if (!pieces) return pieces.error();
  if (object::conversion_count(*pieces) > arguments.size()) {
    return Error{"fewer arguments than the format takes"};
  }
  FormatPrinter printer;
  size_t next = 0;
  for (object::FormatPiece &piece : *pieces) {
    Step step;
    step.literal = std::move(piece.literal);
    if (piece.has_conversion) {
      step.argument = &arguments[next++];
      step.conversion = piece.conversion;
      step.bits = piece.conversion.conversion == 'p' ? 64 : bits_of(piece.conversion.length);
      Result<Operation> operation = choose(step.conversion, *step.argument);
      if (!operation) return operation.error();
      step.operation = *operation;
    }
    printer.steps_.push_back(std::move(step));
  }
  return printer;
}

void FormatPrinter::print(const ValuePrinter &values, const uint8_t *record,
                          std::string &out) const {
  for (const Step &step : steps_) {
    out += step.literal;
    if (step.operation != Operation::kNone) run(step, values, record, out);
  }
}

void FormatPrinter::run(const Step &step, const ValuePrinter &values, const uint8_t *record,
                        std::string &out) {
  const Field &argument = *step.argument;
  const object::ValueType &type = argument.type[0];
  const uint8_t *data = record + argument.offset;
  switch (step.operation) {
    case Operation::kNone:
      return;
    case Operation::kDecimal: {
      uint64_t value = truncate(load_number(argument, record), step.bits);
      bool is_signed = step.conversion.conversion != 'u';
      fmt::format_int digits =
          is_signed ? fmt::format_int(sign_extend(value, step.bits)) : fmt::format_int(value);
      out.append(digits.data(), digits.size());
      return;
    }
    case Operation::kInteger:
      return append_integer(out, load_number(argument, record), step.bits, step.conversion);
    case Operation::kCharacter: {
      char c = static_cast<char>(load_number(argument, record));
      return append_padded(out, {&c, 1}, step.conversion);
    }
    case Operation::kFlags:
      return append_padded(out, allocation_flags(load_number(argument, record)), step.conversion);
    case Operation::kString:
      return values.text(type, data, out);
    case Operation::kText: {
      // Written in place, then cut and padded.
      size_t start = out.size();
      if (argument.bit_size != 0) {
        out += std::to_string(load_field(argument, record));
      } else {
        values.text(type, data, out);
      }
      if (step.conversion.is_plain()) return;
      std::string text = out.substr(start);
      if (step.conversion.precision >= 0) {
        text.resize(std::min<size_t>(text.size(), static_cast<size_t>(step.conversion.precision)));
      }
      out.resize(start);
      return append_padded(out, text, step.conversion);
    }
    case Operation::kBuffer: {
      std::string text;
      if (step.conversion.hex) {
        append_hex_bytes(text, load_buffer(type, data), step.conversion.hex);
      } else {
        values.text(type, data, text);
      }
      return append_padded(out, text, step.conversion);
    }
  }
}

}  // namespace awl::runtime
