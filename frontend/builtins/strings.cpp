// Builtins on strings and bytes.
//
// After the checks: the first argument of str and buf is a string, an array, or a pointer with its
// address space; str's length is an integer literal or uint64; the size of the result is that of
// the call's type. strncmp's first two arguments are strings, the third an integer literal.
#include <algorithm>

#include "frontend/builtins/check_builtin.h"
#include "runtime/object/description.h"

namespace awl::frontend {
namespace {

bool is_byte_array(TypeRef type) {
  return type->kind == TypeKind::kArray && type->element->is_integral() && type->element->size == 1;
}

// `str($1)` and `str($1 + 1)`: the parameter's text, whatever it looks like.
bool make_parameter_text(BuiltinContext &c, ast::Expr *argument) {
  TypeRef text = c.types().string(object::kParameterStringSize);
  if (auto *sum = ast::as<ast::Binary>(argument); sum && sum->op == ast::BinaryOp::kAdd) {
    if (!ast::as<ast::PositionalParameter>(sum->left) ||
        !ast::as<ast::IntegerLiteral>(sum->right)) {
      return false;
    }
    sum->left->type = sum->type = text;
    return true;
  }
  if (!ast::as<ast::PositionalParameter>(argument)) return false;
  argument->type = text;
  return true;
}

// `str(5)`: its digits. A number that is written there is no address that anybody meant.
void make_digits(BuiltinContext &c, ast::Expr *&argument) {
  auto *number = ast::as<ast::IntegerLiteral>(argument);
  if (!number) return;
  const std::string digits = number->is_negative
                                 ? std::to_string(static_cast<int64_t>(number->value))
                                 : std::to_string(number->value);
  argument = c.checker.nodes().make<ast::StringLiteral>(argument->span, digits);
  c.checker.check(argument);
}

// The length argument: null for "not constant", which has become a uint64; `is_right` is false
// after a report.
std::optional<uint64_t> length_of(BuiltinContext &c, Arguments &arguments, size_t position,
                                  bool &is_right) {
  std::optional<int64_t> length = c.try_constant(arguments, position);
  if (!length) {
    is_right = c.integer(arguments, position, c.checker.uint64());
    return std::nullopt;
  }
  if (*length < 0) {
    c.refuse(arguments[position]->span, "the length cannot be negative");
    is_right = false;
  }
  return static_cast<uint64_t>(*length);
}

TypeRef check_str(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  uint64_t size = c.max_strlen();
  bool is_right = true;
  bool counts_nul = false;  // of a text: as for what is read from memory
  make_digits(c, arguments[0]);
  if (make_parameter_text(c, arguments[0])) {
    size = object::kParameterStringSize;
  } else if (TypeRef type = arguments[0]->type; type->is_string()) {
    size = type->size;
    counts_nul = ast::as<ast::StringLiteral>(arguments[0]) == nullptr;
  } else if (is_byte_array(type)) {
    size = type->size;
    c.checker.convert(arguments[0], c.types().string(type->size));
  } else if (type->kind == TypeKind::kProbeName) {
    is_right = c.string(arguments, 0);
    size = object::kProbeNameSize;
  } else if (!type->is_pointer() && !type->is_integer()) {
    c.refuse_type(*arguments[0], "a string, integer or pointer", 0);
    return nullptr;
  } else {
    is_right = c.address(arguments, 0);
  }
  if (arguments.size() > 1) {
    std::optional<uint64_t> length = length_of(c, arguments, 1, is_right);
    if (length) size = std::min(size, *length + (counts_nul ? 0 : 1));
  }
  return is_right ? c.types().string(static_cast<uint32_t>(std::max<uint64_t>(size, 1))) : nullptr;
}

TypeRef check_buf(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  TypeRef type = arguments[0]->type;
  bool is_right = true;
  uint64_t limit = c.max_strlen();
  if (type->kind == TypeKind::kArray) {
    limit = type->size;
  } else if (type->is_string()) {
    limit = std::min<uint64_t>(limit, type->size);
  } else if (type->is_pointer() || type->is_integer()) {
    is_right = c.address(arguments, 0);
  } else {
    c.refuse_type(*arguments[0], "an integer, pointer, string or array", 0);
    return nullptr;
  }
  if (arguments.size() > 1) {
    std::optional<uint64_t> length = length_of(c, arguments, 1, is_right);
    if (length) limit = std::min(limit, *length);
  } else if (type->kind != TypeKind::kArray) {
    return c.refuse(arguments[0]->span, "needs a length for a value of type " + to_string(type));
  }
  return is_right ? c.types().buffer(static_cast<uint32_t>(limit)) : nullptr;
}

TypeRef check_strncmp(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  if (!c.string_like(arguments, 0) || !c.string_like(arguments, 1)) return nullptr;
  std::optional<int64_t> length = c.constant(arguments, 2);
  if (!length) return nullptr;
  if (*length < 0) return c.refuse(arguments[2]->span, "the length cannot be negative");
  return c.checker.uint64();
}

TypeRef check_strlen(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  return c.string_like(arguments, 0) ? c.checker.uint64() : nullptr;
}

// How much memory the text takes, which is known without looking; the length of what a pointer
// points to.
TypeRef check_strcap(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  TypeRef type = arguments[0]->type;
  if (type->is_pointer()) return check_strlen(c, call, arguments);
  bool is_right = is_byte_array(type) || c.string(arguments, 0);
  return is_right ? c.checker.uint64() : nullptr;
}

TypeRef check_strstr(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  return c.string_like(arguments, 0) && c.string_like(arguments, 1) ? c.checker.int64() : nullptr;
}

// The room that a text takes: pointers are read as far as strings go.
uint64_t text_size(BuiltinContext &c, const ast::Expr &argument) {
  TypeRef type = argument.type;
  if (type->is_pointer()) return c.max_strlen();
  return type->kind == TypeKind::kArray ? uint64_t{type->count} + 1 : type->size;
}

TypeRef check_str_concat(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  if (!c.string_like(arguments, 0) || !c.string_like(arguments, 1)) return nullptr;
  uint64_t size = text_size(c, *arguments[0]) + text_size(c, *arguments[1]) - 1;
  return c.types().string(static_cast<uint32_t>(std::min<uint64_t>(size, c.max_strlen())));
}

TypeRef check_bswap(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  TypeRef type = arguments[0]->type;
  if (!type->is_integer()) {
    c.refuse_type(*arguments[0], "an integer", 0);
    return nullptr;
  }
  TypeRef word = c.checker.integer(type->size, false);
  c.checker.convert(arguments[0], word);
  return word;
}

TypeRef check_name_of_number(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  constexpr uint32_t kSize = 64;  // the longest has 49 bytes
  return c.integer(arguments, 0, c.checker.int64()) ? c.types().string(kSize) : nullptr;
}

TypeRef check_memcmp(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  for (size_t i : {0, 1}) {
    TypeRef type = arguments[i]->type;
    if (type->is_string() || type->kind == TypeKind::kArray || type->is_pointer()) continue;
    c.refuse_type(*arguments[i], "a string, array or pointer", i);
    return nullptr;
  }
  if (std::optional<int64_t> count = c.try_constant(arguments, 2)) {
    if (*count < 0) return c.refuse(arguments[2]->span, "the count cannot be negative");
    if (static_cast<uint64_t>(*count) > c.max_strlen() &&
        (arguments[0]->type->is_pointer() || arguments[1]->type->is_pointer())) {
      return c.refuse(arguments[2]->span, "no more bytes than max_strlen are read from memory");
    }
    return c.checker.int64();
  }
  return c.integer(arguments, 2, c.checker.uint64()) ? c.checker.int64() : nullptr;
}

}  // namespace

std::vector<Builtin> string_builtins() {
  return {
      {.name = "str",
       .signature = "string str(char * data [, uint64 length])",
       .description = "Reads a string from memory.",
       .min_arguments = 1,
       .max_arguments = 2,
       .check = check_str},
      {.name = "buf",
       .signature = "buffer buf(void * data [, uint64 length])",
       .description = "Reads bytes from memory.",
       .min_arguments = 1,
       .max_arguments = 2,
       .check = check_buf},
      {.name = "strncmp",
       .signature = "uint64 strncmp(string a, string b, const uint64 length)",
       .description = "0 when the first bytes of two strings are the same.",
       .min_arguments = 3,
       .max_arguments = 3,
       .check = check_strncmp},
      {.name = "strlen",
       .signature = "uint64 strlen(string text)",
       .description = "The length of a string.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_strlen},
      {.name = "strcap",
       .signature = "int64 strcap(string text)",
       .description = "The number of bytes a string can hold.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_strcap},
      {.name = "strstr",
       .signature = "int64 strstr(string text, string part)",
       .description = "Where a string holds another; -1 for nowhere.",
       .min_arguments = 2,
       .max_arguments = 2,
       .check = check_strstr},
      {.name = "str_concat",
       .signature = "string str_concat(string a, string b)",
       .description = "Two strings put together.",
       .min_arguments = 2,
       .max_arguments = 2,
       .check = check_str_concat},
      {.name = "memcmp",
       .signature = "int64 memcmp(left, right, uint64 count)",
       .description = "Compares the first bytes of two values.",
       .min_arguments = 3,
       .max_arguments = 3,
       .check = check_memcmp},
      {.name = "bswap",
       .signature = "uintN bswap(uintN value)",
       .description = "An integer with its bytes in reverse order.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_bswap},
      {.name = "strerror",
       .signature = "string strerror(int error)",
       .description = "The text of an errno code.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_name_of_number},
      {.name = "signal_name",
       .signature = "string signal_name(int signal)",
       .description = "The name of a signal.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_name_of_number},
      {.name = "syscall_name",
       .signature = "string syscall_name(int number)",
       .description = "The name of a system call.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_name_of_number},
  };
}

}  // namespace awl::frontend
