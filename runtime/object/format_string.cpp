#include "runtime/object/format_string.h"

#include <fmt/format.h>

namespace awl::object {
namespace {

// Conversions of C that the language has not, and refuses rather than prints as text.
constexpr std::string_view kUnsupported = "aAeEfFgGn";  // but %gr
constexpr std::string_view kSupported = "diuxXocpsr";

// Reads one conversion that starts at the '%' at `position`.
class ConversionReader {
 public:
  ConversionReader(std::string_view format, size_t position)
      : format_(format), start_(position), position_(position + 1) {}

  // False: what stands there is plain text.
  bool read(FormatConversion &out) {
    read_flags(out);
    if (!read_number(out.width)) return false;
    if (peek() == '.') {
      ++position_;
      out.precision = 0;
      if (!read_number(out.precision)) return false;
    }
    read_length(out);
    char conversion = peek();
    if (conversion == 0 || (conversion != '%' && kSupported.find(conversion) == kSupported.npos &&
                            kUnsupported.find(conversion) == kUnsupported.npos)) {
      return false;
    }
    out.conversion = conversion;
    ++position_;
    if (conversion == 'g' && peek() == 'r') {
      out.hex = 'g';
      ++position_;
    }
    if (conversion == 'r' && (peek() == 'x' || peek() == 'h')) out.hex = format_[position_++];
    out.position = static_cast<uint32_t>(start_);
    out.size = static_cast<uint32_t>(position_ - start_);
    return true;
  }

 private:
  char peek() const { return position_ < format_.size() ? format_[position_] : '\0'; }

  void read_flags(FormatConversion &out) {
    for (;; ++position_) {
      switch (peek()) {
        case '-':
          out.is_left = true;
          break;
        case '+':
          out.has_plus = true;
          break;
        case ' ':
          out.has_space = true;
          break;
        case '#':
          out.is_alternate = true;
          break;
        case '0':
          out.is_zero_padded = true;
          break;
        default:
          return;
      }
    }
  }

  bool read_number(int &number) {
    if (peek() < '0' || peek() > '9') return true;
    int value = 0;
    while (peek() >= '0' && peek() <= '9') {
      value = value * 10 + (peek() - '0');
      if (value > kMaxFormatWidth) return false;
      ++position_;
    }
    number = value;
    return true;
  }

  void read_length(FormatConversion &out) {
    for (;; ++position_) {
      switch (peek()) {
        case 'h':
          out.length = out.length == FormatLength::kH ? FormatLength::kHh : FormatLength::kH;
          break;
        case 'l':
          out.length = out.length == FormatLength::kL ? FormatLength::kLl : FormatLength::kL;
          break;
        case 'L':
          out.length = FormatLength::kLl;
          break;
        case 'j':
          out.length = FormatLength::kJ;
          break;
        case 'z':
          out.length = FormatLength::kZ;
          break;
        case 't':
          out.length = FormatLength::kT;
          break;
        default:
          return;
      }
    }
  }

  std::string_view format_;
  size_t start_, position_;
};

}  // namespace

bool FormatConversion::is_integer() const {
  return std::string_view("diuxXocp").find(conversion) != std::string_view::npos;
}

Result<std::vector<FormatPiece>> parse_format(std::string_view format) {
  std::vector<FormatPiece> pieces;
  std::string literal;
  for (size_t i = 0; i < format.size();) {
    FormatConversion conversion;
    if (format[i] != '%' || !ConversionReader(format, i).read(conversion)) {
      literal += format[i++];
      continue;
    }
    i += conversion.size;
    if (conversion.conversion == '%') {
      literal += '%';
      continue;
    }
    bool is_flags = conversion.conversion == 'g' && conversion.hex == 'g';
    if (!is_flags && kUnsupported.find(conversion.conversion) != kUnsupported.npos) {
      return Error{fmt::format("unsupported format specifier: {}", conversion.conversion),
                   static_cast<int>(conversion.position) + 1};
    }
    pieces.push_back({std::move(literal), true, conversion});
    literal.clear();
  }
  if (!literal.empty()) pieces.push_back({std::move(literal), false, {}});
  return pieces;
}

size_t conversion_count(const std::vector<FormatPiece> &pieces) {
  size_t count = 0;
  for (const FormatPiece &piece : pieces) count += piece.has_conversion;
  return count;
}

}  // namespace awl::object
