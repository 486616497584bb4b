// printf formats, taken apart once: the frontend checks arguments against the pieces, the printer
// runs over them for every record.
//
// A piece is literal text followed by at most one conversion. `%%` has become literal text. The
// language has C's conversions and, for buffers, %r (escaped text), %rx (hexadecimal with \x) and
// %rh (hexadecimal in columns), and for numbers %gr (flags of the kernel's page allocator by name).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl::object {

enum class FormatLength : uint8_t { kNone, kHh, kH, kL, kLl, kJ, kZ, kT };

struct FormatConversion {
  bool is_left = false;         // '-'
  bool has_plus = false;        // '+'
  bool has_space = false;       // ' '
  bool is_alternate = false;    // '#'
  bool is_zero_padded = false;  // '0'
  int width = -1;               // -1: none
  int precision = -1;           // -1: none
  FormatLength length = FormatLength::kNone;
  // 'd' 'i' 'u' 'x' 'X' 'o' 'c' 'p' 's'; 'r' with `hex` for %r, %rx, %rh; 'g' for %gr.
  char conversion = 0;
  char hex = 0;           // 'x' for %rx, 'h' for %rh, 'g' for %gr, else 0
  uint32_t position = 0;  // of the '%' in the format
  uint32_t size = 0;      // characters of the conversion, '%' included

  bool is_integer() const;  // takes an integer
  bool is_plain() const {
    return width < 0 && precision < 0 && !has_plus && !has_space && !is_alternate;
  }
};

struct FormatPiece {
  std::string literal;  // comes first
  bool has_conversion = false;
  FormatConversion conversion;
};

inline constexpr int kMaxFormatWidth = 65536;

// Fails on a conversion that the language does not have; the error's `code` is the position of
// its '%' in the format plus 1.
Result<std::vector<FormatPiece>> parse_format(std::string_view format);

// Conversions in `pieces`: as many arguments are needed.
size_t conversion_count(const std::vector<FormatPiece> &pieces);

}  // namespace awl::object
