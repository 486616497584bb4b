#include "codegen/kernel_format.h"

#include <cassert>

#include "runtime/object/format_string.h"

namespace awl::codegen {

namespace {

// "%5d" becomes "%5lld".
std::string kernel_conversion(const object::FormatConversion &conversion) {
  std::string text = "%";
  if (conversion.is_left) text += '-';
  if (conversion.has_plus) text += '+';
  if (conversion.has_space) text += ' ';
  if (conversion.is_zero_padded) text += '0';
  if (conversion.width >= 0) text += std::to_string(conversion.width);
  if (conversion.conversion != 's') text += "ll";
  return text + conversion.conversion;
}

}  // namespace

std::string kernel_format(const std::string &format) {
  std::string text;
  Result<std::vector<object::FormatPiece>> pieces = object::parse_format(format);
  assert(pieces && "the check has read it");
  for (const object::FormatPiece &piece : *pieces) {
    for (char c : piece.literal) text += c == '%' ? "%%" : std::string(1, c);
    if (piece.has_conversion) text += kernel_conversion(piece.conversion);
  }
  return text;
}

}  // namespace awl::codegen
