// Builtins that are decided when the script is compiled or the object is loaded.
//
// After the checks the is_…() questions have become literals. getopt's name and description are
// string literals, its default a literal.
#include <algorithm>
#include <cctype>

#include "frontend/builtins/check_format.h"
#include "runtime/object/description.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kFail, Error, "fail", "{}", std::string);

namespace {

// A question about the argument's type: a literal in the last walk, when types are settled.
TypeRef answer(BuiltinContext &c, ast::Expr &call, bool value) {
  static_cast<ast::Call &>(call).answer = value;
  if (c.is_final()) c.replace(c.checker.nodes().make<ast::BoolLiteral>(call.span, value));
  return c.types().boolean();
}

TypeRef check_is_literal(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  ast::NodeKind kind = arguments[0]->kind;
  return answer(c, call,
                kind == ast::NodeKind::kIntegerLiteral || kind == ast::NodeKind::kBoolLiteral ||
                    kind == ast::NodeKind::kStringLiteral);
}

TypeRef check_is_str(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  return answer(c, call, arguments[0]->type->is_string());
}

TypeRef check_is_integer(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  return answer(c, call, arguments[0]->type->is_integer());
}

TypeRef check_is_unsigned(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  return answer(c, call, arguments[0]->type->is_integer() && !arguments[0]->type->is_signed);
}

TypeRef check_is_ptr(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  return answer(c, call, arguments[0]->type->is_pointer());
}

TypeRef check_is_array(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  return answer(c, call, arguments[0]->type->kind == TypeKind::kArray);
}

TypeRef check_getopt(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  const std::string *name = c.text(arguments, 0);
  if (!name || (arguments.size() > 2 && !c.text(arguments, 2))) return nullptr;
  if (arguments.size() == 1 || ast::as<ast::BoolLiteral>(arguments[1])) return c.types().boolean();
  if (ast::as<ast::StringLiteral>(arguments[1])) {
    return c.types().string(object::kParameterStringSize);
  }
  if (ast::as<ast::IntegerLiteral>(arguments[1])) return c.checker.int64();
  c.refuse_type(*arguments[1], "a literal", 1);
  return nullptr;
}

const char *base_type(TypeRef type) {
  switch (type->kind) {
    case TypeKind::kInteger:
    case TypeKind::kEnum:
      return "int";
    case TypeKind::kStruct:
      return "c_type";
    case TypeKind::kPointer:
      return "pointer";
    case TypeKind::kArray:
      return "array";
    case TypeKind::kString:
      return "string";
    case TypeKind::kBuffer:
      return "buffer";
    case TypeKind::kTuple:
      return "tuple";
    case TypeKind::kRecord:
      return "record";
    case TypeKind::kKernelStack:
      return "kstack";
    case TypeKind::kUserStack:
      return "ustack";
    default:
      return nullptr;  // its name says it all
  }
}

// A record of literals, in which the types of the last walk count.
TypeRef check_typeinfo(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  TypeRef type = arguments[0]->type;
  ast::Context &nodes = c.checker.nodes();
  auto *record = nodes.make<ast::Record>(call.span);
  std::string full = to_string(type);
  const char *base = base_type(type);
  record->names = {"btf_id", "base_type", "full_type"};
  record->elements = {nodes.make<ast::IntegerLiteral>(call.span, 0),
                      nodes.make<ast::StringLiteral>(call.span, base ? base : full),
                      nodes.make<ast::StringLiteral>(call.span, full)};
  ast::Expr *node = record;
  TypeRef result = c.checker.check(node);
  if (c.is_final()) c.replace(node);
  return result;
}

TypeRef check_fail(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  if (!check_format(c, arguments)) return nullptr;
  if (!c.checker.is_reached()) {
    // Nothing is left of it.
    std::vector<ast::Stmt *> nothing;
    if (c.is_final())
      c.replace(c.checker.nodes().make<ast::BlockExpr>(call.span, nothing, nullptr));
    return c.types().void_type();
  }
  std::optional<std::string> message = format_literals(c, arguments);
  if (message) c.report(call.span, kFail, *message);
  return message ? c.types().void_type() : nullptr;
}

TypeRef check_kfunc(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  const std::string *name = c.text(arguments, 0);
  if (!name) return nullptr;
  bool is_name = !name->empty() && std::all_of(name->begin(), name->end(), [](unsigned char ch) {
    return std::isalnum(ch) || ch == '_';
  });
  if (!is_name) return c.refuse(arguments[0]->span, "'" + *name + "' is not the name of a function");
  return c.types().boolean();
}

Builtin question(std::string_view name, std::string_view signature, std::string_view description,
                 decltype(Builtin::check) check) {
  Builtin builtin{.name = name, .signature = signature, .description = description};
  builtin.min_arguments = builtin.max_arguments = 1;
  builtin.check = check;
  return builtin;
}

}  // namespace

std::vector<Builtin> compile_time_builtins() {
  return {
      question("is_literal", "bool is_literal(value)", "Whether the argument is a literal.",
               check_is_literal),
      question("is_str", "bool is_str(value)", "Whether the argument is a string.", check_is_str),
      question("is_integer", "bool is_integer(value)", "Whether the argument is an integer.",
               check_is_integer),
      question("is_unsigned_integer", "bool is_unsigned_integer(value)",
               "Whether the argument is an unsigned integer.", check_is_unsigned),
      question("is_ptr", "bool is_ptr(value)", "Whether the argument is a pointer.", check_is_ptr),
      question("is_array", "bool is_array(value)", "Whether the argument is an array.",
               check_is_array),
      {.name = "getopt",
       .signature = "T getopt(const string name [, T default [, const string description]])",
       .description = "A named parameter of the script.",
       .min_arguments = 1,
       .max_arguments = 3,
       .check = check_getopt},
      {.name = "typeinfo",
       .signature = "record typeinfo(type or expression)",
       .description = "What a type is: its btf_id, base_type and full_type.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_typeinfo},
      {.name = "fail",
       .signature = "void fail(const string format, args...)",
       .description = "Fails to compile where it is reached.",
       .min_arguments = 1,
       .max_arguments = -1,
       .is_statement = true,
       .check = check_fail},
      {.name = "kfunc_exist",
       .signature = "bool kfunc_exist(const string name)",
       .description = "Whether the kernel has a kfunc.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_kfunc},
      {.name = "kfunc_allowed",
       .signature = "bool kfunc_allowed(const string name)",
       .description = "Whether the program may call a kfunc.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_kfunc},
  };
}

}  // namespace awl::frontend
