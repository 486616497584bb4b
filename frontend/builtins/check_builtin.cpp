#include "frontend/builtins/check_builtin.h"

#include <algorithm>

#include "frontend/passes/evaluate_constant.h"
#include "frontend/probes/syscall_table.h"
#include "runtime/object/description.h"

namespace awl::frontend {
AWL_DIAGNOSTIC(kUnstableFeature, Error, "unstable-feature",
               "{} is an unstable feature, and forbidden: set unstable_{} to enable",
               std::string_view, std::string_view);
AWL_DIAGNOSTIC(kUnstableFeatureUsed, Warning, "unstable-feature-used",
               "{} is an unstable feature: set unstable_{} to enable to be told no more",
               std::string_view, std::string_view);

namespace {

std::string_view ordinal(size_t position) {
  static constexpr std::string_view kNames[] = {"first", "second", "third", "fourth"};
  return position < std::size(kNames) ? kNames[position] : "next";
}

// Of the probes that fire where those of a family return; empty: there are none.
std::string_view exit_family(ProbeFamily family) {
  switch (family) {
    case ProbeFamily::kKprobe:
      return "kretprobe";
    case ProbeFamily::kUprobe:
      return "uretprobe";
    case ProbeFamily::kFentry:
      return "fexit";
    default:
      return {};
  }
}

}  // namespace

TypeRef BuiltinContext::refuse(Span span, const std::string &why) {
  report(span, kArgumentValue, builtin.name, why);
  return nullptr;
}

bool BuiltinContext::refuse_type(const ast::Expr &argument, std::string_view expected,
                                 size_t position) {
  report(argument.span, kArgumentType, builtin.name, expected, ordinal(position),
         to_string(argument.type));
  return false;
}

bool BuiltinContext::is_in(std::initializer_list<ProbeFamily> families, const std::string &hint) {
  if (std::find(families.begin(), families.end(), probe().family) != families.end()) return true;
  auto *value = ast::as<ast::Identifier>(expr_);
  report(expr_->span, kBuiltinProbe, value ? value->name : builtin.name,
         family_name(probe().family))
      .hint(hint);
  return false;
}

bool BuiltinContext::is_at_exit() {
  if (is_exit_probe(probe())) return true;
  const std::string_view exit = exit_family(probe().family);
  std::string hint = exit.empty() ? "" : "a " + std::string(exit) + " has it";
  if (const std::string syscall = syscall_exit_of(probe()); !syscall.empty()) {
    hint = builtin.name == "retval" ? "args.ret is what the call returns" : syscall + " has it";
  }
  report(expr_->span, kBuiltinProbe, builtin.name, probe().name).hint(hint);
  return false;
}

bool BuiltinContext::integer(std::vector<ast::Expr *> &arguments, size_t position, TypeRef to) {
  ast::Expr *&argument = arguments[position];
  if (!argument->type->is_integral()) return refuse_type(*argument, "an integer", position);
  if (to) {
    checker.convert(argument, to);
  } else {
    checker.widen(argument);
  }
  return true;
}

bool BuiltinContext::address(std::vector<ast::Expr *> &arguments, size_t position) {
  ast::Expr *&argument = arguments[position];
  if (argument->type->is_pointer()) return true;
  if (!argument->type->is_integer()) {
    return refuse_type(*argument, "an integer or pointer", position);
  }
  checker.convert(argument, types().pointer(checker.integer(1, true), checker.default_space()));
  return true;
}

const std::string *BuiltinContext::text(const std::vector<ast::Expr *> &arguments,
                                        size_t position) {
  if (auto *literal = ast::as<ast::StringLiteral>(arguments[position])) return &literal->value;
  refuse_type(*arguments[position], "a string literal", position);
  return nullptr;
}

bool BuiltinContext::string(std::vector<ast::Expr *> &arguments, size_t position) {
  ast::Expr *&argument = arguments[position];
  if (ast::as<ast::PositionalParameter>(argument)) {
    argument->type = types().string(object::kParameterStringSize);
  }
  TypeKind kind = argument->type->kind;
  if (kind == TypeKind::kProbeName || kind == TypeKind::kProbeType) {
    checker.convert(argument, types().string(object::kProbeNameSize));
    return true;
  }
  return argument->type->is_string() || refuse_type(*argument, "a string", position);
}

bool BuiltinContext::string_like(std::vector<ast::Expr *> &arguments, size_t position) {
  ast::Expr *&argument = arguments[position];
  TypeRef type = argument->type;
  if (type->kind == TypeKind::kArray && type->element->is_integral() && type->element->size == 1) {
    // With room for a NUL behind bytes that fill the array.
    checker.convert(argument, types().string(type->count + 1));
    return true;
  }
  if (!type->is_pointer()) return string(arguments, position);
  if (!is_final()) return true;
  ast::Expr *read = checker.nodes().make<ast::Call>(
      argument->span, "str", std::vector<ast::Expr *>{argument}, argument->span);
  if (!checker.check(read)) return false;
  argument = read;
  return true;
}

std::optional<int64_t> BuiltinContext::try_constant(std::vector<ast::Expr *> &arguments,
                                                    size_t position) {
  ast::Expr *&argument = arguments[position];
  if (auto *parameter = ast::as<ast::PositionalParameter>(argument)) {
    argument = checker.fix_parameter(*parameter);
  }
  std::optional<int64_t> value;
  if (auto *size = ast::as<ast::Sizeof>(argument)) {
    value = static_cast<int64_t>(size->value);
  } else {
    value = evaluate_constant(types(), *argument);
  }
  if (value && is_final() && !ast::as<ast::IntegerLiteral>(argument)) {
    auto *literal =
        checker.nodes().make<ast::IntegerLiteral>(argument->span, static_cast<uint64_t>(*value));
    literal->is_negative = *value < 0;
    literal->type = checker.int64();
    argument = literal;
  }
  return value;
}

std::optional<int64_t> BuiltinContext::constant(std::vector<ast::Expr *> &arguments,
                                                size_t position) {
  std::optional<int64_t> value = try_constant(arguments, position);
  if (!value) refuse_type(*arguments[position], "a constant integer", position);
  return value;
}

MapSlot *BuiltinContext::map(const std::vector<ast::Expr *> &arguments, size_t position) {
  auto *map = ast::as<ast::Map>(arguments[position]);
  return map ? &checker.map(map->name, map->span) : nullptr;
}

bool BuiltinContext::allow_unstable(Span span, std::string_view feature,
                                    const std::string &policy) {
  if (policy == "error") {
    report(span, kUnstableFeature, feature, feature);
    return false;
  }
  if (policy == "warn" && checker.is_first(&builtin))
    report(span, kUnstableFeatureUsed, feature, feature);
  return true;
}

}  // namespace awl::frontend
