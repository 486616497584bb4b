// Formats what is known when the script is compiled, for fail().
#include <fmt/format.h>

#include <algorithm>

#include "frontend/builtins/check_format.h"
#include "runtime/object/format_string.h"

namespace awl::frontend {
namespace {

std::string pad(std::string text, const object::FormatConversion &conversion) {
  auto width = static_cast<size_t>(std::max(conversion.width, 0));
  if (text.size() >= width) return text;
  size_t missing = width - text.size();
  if (conversion.is_left) return text + std::string(missing, ' ');
  bool is_zero_padded = conversion.is_zero_padded && conversion.is_integer();
  size_t sign = is_zero_padded && (text[0] == '-' || text[0] == '+');
  return text.insert(sign, missing, is_zero_padded ? '0' : ' ');
}

std::string format_integer(const object::FormatConversion &conversion, int64_t value) {
  auto bits = static_cast<uint64_t>(value);
  switch (conversion.conversion) {
    case 'c':
      return std::string(1, static_cast<char>(value));
    case 'u':
      return fmt::format("{}", bits);
    case 'x':
      return fmt::format("{}{:x}", conversion.is_alternate && bits ? "0x" : "", bits);
    case 'X':
      return fmt::format("{}{:X}", conversion.is_alternate && bits ? "0X" : "", bits);
    case 'o':
      return fmt::format("{}{:o}", conversion.is_alternate && bits ? "0" : "", bits);
    case 'p':
      return fmt::format("{:#x}", bits);
    default:
      return fmt::format("{}{}", conversion.has_plus && value >= 0 ? "+" : "", value);
  }
}

}  // namespace

std::optional<std::string> format_literals(BuiltinContext &context, Arguments &arguments) {
  std::string text;
  size_t position = 1;
  auto pieces = object::parse_format(ast::as<ast::StringLiteral>(arguments[0])->value);
  for (const object::FormatPiece &piece : *pieces) {
    text += piece.literal;
    if (!piece.has_conversion) continue;
    const object::FormatConversion &conversion = piece.conversion;
    if (auto *literal = ast::as<ast::StringLiteral>(arguments[position])) {
      auto most = static_cast<size_t>(conversion.precision);  // none: everything
      text += pad(literal->value.substr(0, most), conversion);
    } else if (auto *truth = ast::as<ast::BoolLiteral>(arguments[position]);
               truth && !conversion.is_integer()) {
      text += pad(truth->value ? "true" : "false", conversion);
    } else if (std::optional<int64_t> value = context.try_constant(arguments, position)) {
      text += pad(format_integer(conversion, *value), conversion);
    } else {
      context.refuse_type(*arguments[position], "literals, one", position);
      return std::nullopt;
    }
    ++position;
  }
  return text;
}

}  // namespace awl::frontend
