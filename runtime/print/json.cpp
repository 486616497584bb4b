#include "runtime/print/json.h"

#include <fmt/format.h>

#include <bit>

#include "runtime/object/utf8.h"

namespace awl::runtime {
namespace {

void append_escape(std::string &out, unsigned char byte) {
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
  }
}

// Whether a double holds it: at most 53 bits between the highest and the lowest that is set.
bool is_exact(uint64_t magnitude) {
  return magnitude == 0 || 64 - std::countl_zero(magnitude) - std::countr_zero(magnitude) <= 53;
}

}  // namespace

void append_json_escaped(std::string &out, std::string_view bytes) {
  size_t plain = 0;  // what stands before needs no escape and is copied at once
  size_t i = 0;
  while (i < bytes.size()) {
    unsigned char byte = static_cast<unsigned char>(bytes[i]);
    size_t length =
        byte < 0x20 || byte == '"' || byte == '\\' ? 0 : object::utf8_length(bytes.substr(i));
    if (length != 0) {
      i += length;
      continue;
    }
    out.append(bytes, plain, i - plain);
    append_escape(out, byte);
    plain = ++i;
  }
  out.append(bytes, plain, i - plain);
}

void append_json_string(std::string &out, std::string_view bytes) {
  out += '"';
  append_json_escaped(out, bytes);
  out += '"';
}

void append_json_unsigned(std::string &out, uint64_t value) {
  fmt::format_int digits(value);
  bool is_quoted = !is_exact(value);
  if (is_quoted) out += '"';
  out.append(digits.data(), digits.size());
  if (is_quoted) out += '"';
}

void append_json_integer(std::string &out, int64_t value) {
  if (value >= 0) return append_json_unsigned(out, static_cast<uint64_t>(value));
  fmt::format_int digits(value);
  bool is_quoted = !is_exact(0 - static_cast<uint64_t>(value));
  if (is_quoted) out += '"';
  out.append(digits.data(), digits.size());
  if (is_quoted) out += '"';
}

}  // namespace awl::runtime
