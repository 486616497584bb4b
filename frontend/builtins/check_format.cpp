#include "frontend/builtins/check_format.h"

#include <cctype>

#include "runtime/object/format_string.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kFormatConversion, Error, "format-conversion", "{}", std::string);
AWL_DIAGNOSTIC(kFormatUnknown, Warning, "format-unknown",
               "'{}' is no format specifier, and printed as it stands", std::string);
AWL_DIAGNOSTIC(kFormatTooFew, Error, "format-too-few-arguments",
               "not enough arguments for format string ({} supplied, {} expected)", size_t, size_t);
AWL_DIAGNOSTIC(kFormatTooMany, Error, "format-too-many-arguments",
               "too many arguments for format string ({} supplied, {} expected)", size_t, size_t);
AWL_DIAGNOSTIC(kFormatType, Error, "format-type", "unsupported format specifier for type '{}': {}",
               std::string, std::string);

AWL_DIAGNOSTIC(kKernelFormat, Error, "kernel-format",
               "the kernel, which does the formatting here, has no '{}' for type '{}'", std::string,
               std::string);

namespace {

using object::FormatConversion;

// What the record of one event can hold.
constexpr size_t kMaxArguments = 64;

// Whether %s prints values of the type.
bool is_text(TypeRef type) { return type->kind != TypeKind::kVoid && !type->is_aggregation(); }

bool fits(const object::FormatConversion &conversion, TypeRef type) {
  switch (conversion.conversion) {
    case 's':
      return is_text(type);
    case 'r':
      return type->kind == TypeKind::kBuffer;
    case 'g':
      return type->is_integer();
    default:
      return type->is_integral() || type->is_pointer();
  }
}

// The place of a conversion in the script, where that can be told: escapes are longer there than
// in the text that they stand for.
Span conversion_span(const ast::StringLiteral &format, const object::FormatConversion &conversion) {
  bool is_verbatim = format.span.end - format.span.begin == format.value.size() + 2;
  uint32_t until = conversion.position + conversion.size;
  bool has_no_escape = format.value.find_first_of("\n\t\r\\\"\033") >= until;
  if (format.is_joined || (!is_verbatim && !has_no_escape)) return format.span;
  uint32_t begin = format.span.begin + 1 + conversion.position;
  if (begin + conversion.size >= format.span.end) return format.span;
  return {format.span.source, begin, begin + conversion.size};
}

// `%*d`: the bytes of what C takes for one conversion and two arguments; 0: there is none.
size_t star_size(std::string_view text) {
  const size_t star = text.find_first_not_of("-+ #0123456789.", 1);
  if (star == text.npos || text[star] != '*' || star + 1 >= text.size()) return 0;
  return std::isalpha(static_cast<unsigned char>(text[star + 1])) ? star + 2 : 0;
}

// `%y` prints as it stands; so does `100%` at the end of a word.
void warn_of_percent(BuiltinContext &context, const ast::StringLiteral &format) {
  const std::string &text = format.value;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '%') continue;
    FormatConversion unknown;
    unknown.position = static_cast<uint32_t>(i);
    unknown.size = 2;
    if (const size_t size = star_size(std::string_view(text).substr(i))) {
      unknown.size = static_cast<uint32_t>(size);
      context.report(conversion_span(format, unknown), kFormatUnknown, text.substr(i, size))
          .hint("widths and precisions are numbers: %5d, %.3s");
      continue;
    }
    auto pieces = object::parse_format(std::string_view(text).substr(i, 2));
    bool is_known = !pieces || object::conversion_count(*pieces) > 0 || text[i + 1] == '%';
    if (text[i + 1] == '%') ++i;
    if (is_known || !std::isalpha(static_cast<unsigned char>(text[i + 1]))) continue;
    if (std::string_view("hljztL").find(text[i + 1]) != std::string_view::npos) continue;
    context.report(conversion_span(format, unknown), kFormatUnknown, text.substr(i, 2))
        .hint("write %% for a percent sign");
  }
}

// The pieces of the format, when the arguments fit; null after a report.
std::optional<std::vector<object::FormatPiece>> check_pieces(BuiltinContext &context,
                                                             Arguments &arguments) {
  if (!context.text(arguments, 0)) return std::nullopt;
  auto &format = *ast::as<ast::StringLiteral>(arguments[0]);
  auto pieces = object::parse_format(format.value);
  if (!pieces) {
    object::FormatConversion wrong;
    wrong.position = pieces.error().code > 0 ? static_cast<uint32_t>(pieces.error().code) - 1 : 0;
    wrong.size = wrong.position + 1 < format.value.size() ? 2 : 1;
    context.report(conversion_span(format, wrong), kFormatConversion, pieces.error().message);
    return std::nullopt;
  }
  warn_of_percent(context, format);
  size_t expected = object::conversion_count(*pieces), supplied = arguments.size() - 1;
  Span span = format.span.to(arguments.back()->span);
  if (supplied < expected) {
    context.report(span, kFormatTooFew, supplied, expected);
    return std::nullopt;
  }
  if (supplied > expected) {
    context.report(span, kFormatTooMany, supplied, expected);
    return std::nullopt;
  }
  if (supplied > kMaxArguments) {
    context.refuse(span, "more than 64 values to format");
    return std::nullopt;
  }
  size_t position = 1;
  bool is_right = true;
  for (const object::FormatPiece &piece : *pieces) {
    if (!piece.has_conversion) continue;
    ast::Expr &argument = *arguments[position++];
    if (piece.conversion.conversion == 's') context.checker.make_text(argument);
    if (fits(piece.conversion, argument.type)) continue;
    Span where = conversion_span(format, piece.conversion);
    std::string text = format.value.substr(piece.conversion.position, piece.conversion.size);
    context.report(where, kFormatType, to_string(argument.type), text)
        .note(argument.span, "this value");
    is_right = false;
  }
  if (!is_right) return std::nullopt;
  return *pieces;
}

}  // namespace

bool check_format(BuiltinContext &context, Arguments &arguments) {
  // What bpf_seq_printf() takes.
  constexpr size_t kMaxPinnedArguments = 12;
  bool is_pinned = context.probe().family == ProbeFamily::kIter && !context.probe().binary.empty();
  if (is_pinned) return check_kernel_format(context, arguments, kMaxPinnedArguments);
  return check_pieces(context, arguments).has_value();
}

bool check_kernel_format(BuiltinContext &context, Arguments &arguments, size_t most) {
  auto pieces = check_pieces(context, arguments);
  if (!pieces) return false;
  auto &format = *ast::as<ast::StringLiteral>(arguments[0]);
  if (arguments.size() - 1 > most) {
    context.refuse(format.span,
                   "the kernel formats no more than " + std::to_string(most) + " values here");
    return false;
  }
  size_t position = 1;
  for (const object::FormatPiece &piece : *pieces) {
    if (!piece.has_conversion) continue;
    const FormatConversion &conversion = piece.conversion;
    TypeRef type = arguments[position++]->type;
    bool is_number = std::string_view("diuxX").find(conversion.conversion) != std::string::npos;
    bool is_right = (is_number || (conversion.conversion == 's' && type->is_string())) &&
                    conversion.precision < 0 && !conversion.is_alternate;
    if (is_right) continue;
    context.report(conversion_span(format, conversion), kKernelFormat,
                   format.value.substr(conversion.position, conversion.size), to_string(type));
    return false;
  }
  return true;
}

}  // namespace awl::frontend
