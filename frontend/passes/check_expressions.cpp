// Types of all expressions but operators and casts.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>

#include "base/number.h"
#include "frontend/ast/visit.h"
#include "frontend/builtins/check_builtin.h"
#include "frontend/builtins/config.h"
#include "frontend/diagnostics/nearest_name.h"
#include "frontend/passes/expand_macros.h"
#include "frontend/passes/type_checker.h"
#include "frontend/probes/network.h"
#include "frontend/probes/syscall_table.h"
#include "runtime/object/description.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kImportedArgument, Error, "imported-argument",
               "{}() expects '{}' here ({} provided)", std::string, std::string, std::string);
AWL_DIAGNOSTIC(kStringTooLong, Error, "string-too-long",
               "The string takes {} bytes, more than max_strlen allows ({})", size_t, uint64_t);
AWL_DIAGNOSTIC(kUnresolvedVariable, Error, "unresolved-variable",
               "Could not resolve the type of this variable");
AWL_DIAGNOSTIC(kUndefinedMap, Error, "undefined-map", "Undefined map: {}", std::string_view);
AWL_DIAGNOSTIC(kNoField, Error, "no-such-field", "'{}' has no field named '{}'", std::string,
               std::string_view);
AWL_DIAGNOSTIC(kArgumentUnreadable, Error, "argument-unreadable", "'{}' cannot be read: {}",
               std::string_view, std::string);
AWL_DIAGNOSTIC(kNotAStruct, Error, "not-a-struct",
               "Can not access field '{}' on expression of type '{}'", std::string_view,
               std::string);
AWL_DIAGNOSTIC(kTupleIndex, Error, "tuple-index",
               "Invalid tuple index: {}. Found {} elements in tuple.", int64_t, size_t);
AWL_DIAGNOSTIC(kNotATuple, Error, "not-a-tuple",
               "Can not access index {} on expression of type '{}'", uint32_t, std::string);
AWL_DIAGNOSTIC(kTupleIndexConstant, Error, "tuple-index-constant",
               "The index of a tuple must be a constant");
AWL_DIAGNOSTIC(kNotIndexable, Error, "not-indexable",
               "The array index operator [] can only be used on arrays, pointers, strings and "
               "tuples, found {}",
               std::string);
AWL_DIAGNOSTIC(kIndexType, Error, "index-type",
               "The array index operator [] only accepts integer indices, found {}", std::string);
AWL_DIAGNOSTIC(kIndexOutOfBounds, Error, "index-out-of-bounds",
               "the index {} is out of bounds for array of size {}", int64_t, uint32_t);
AWL_DIAGNOSTIC(kElementType, Error, "element-type", "'{}' cannot be part of a tuple or record",
               std::string);
AWL_DIAGNOSTIC(kDuplicateField, Error, "duplicate-field", "The record has two fields named '{}'",
               std::string_view);
AWL_DIAGNOSTIC(kOffsetofBitfield, Error, "offsetof-bitfield",
               "'{}' is a bitfield and has no offset in bytes", std::string_view);
AWL_DIAGNOSTIC(kAggregationNotAssigned, Error, "aggregation-not-assigned",
               "{}() must be assigned directly to a map", std::string_view);
AWL_DIAGNOSTIC(
    kTypeofValue, Error, "typeof-value",
    "typeof() is a type: it can stand in declarations, in casts, and as an argument of a "
    "macro that expects a type");
AWL_DIAGNOSTIC(kPinnedOutput, Error, "pinned-output",
               "{}() cannot be used in a pinned iterator: all that its readers see is printf()",
               std::string_view);
AWL_DIAGNOSTIC(kOpaquePointer, Error, "opaque-pointer", "Nothing is known of what a '{}' points to",
               std::string);

AWL_DIAGNOSTIC(kParameterMissing, Warning, "parameter-missing",
               "Positional parameter ${} is empty or not provided.", uint32_t);

namespace {

constexpr size_t kFewNames = 12;  // of fields, to be listed in a hint

TypeRef with_space(TypeStore &types, TypeRef type, AddressSpace space) {
  if (!type->is_pointer() || type->address_space != AddressSpace::kNone) return type;
  return types.pointer(type->element, space);
}

// Whether the first argument is text for the runtime, which never is a value of the program.
bool takes_format(const Builtin &builtin) {
  return builtin.is_async && builtin.is_statement && builtin.map_argument == MapArgument::kNever &&
         builtin.name != "join" && builtin.name != "exit";
}

bool is_number(const std::string &text) {
  int64_t value = 0;
  return parse_number(text, &value);
}

}  // namespace

TypeRef TypeChecker::check(ast::Expr *&expr) {
  return check_raw(expr) ? read_aggregation(expr) : nullptr;
}

TypeRef TypeChecker::check_raw(ast::Expr *&expr) {
  TypeRef type = check_node(expr);
  expr->type = type;
  return type;
}

TypeRef TypeChecker::check_node(ast::Expr *&expr) {
  switch (expr->kind) {
    case ast::NodeKind::kIntegerLiteral:
      return literal_type(types_, static_cast<ast::IntegerLiteral &>(*expr));
    case ast::NodeKind::kBoolLiteral:
      return types_.boolean();
    case ast::NodeKind::kStringLiteral: {
      size_t size = static_cast<ast::StringLiteral &>(*expr).value.size() + 1;
      if (size > config().max_strlen && !is_format_) {
        report(expr->span, kStringTooLong, size, config().max_strlen);
        return nullptr;
      }
      return types_.string(static_cast<uint32_t>(size));
    }
    case ast::NodeKind::kIdentifier:
      return check_identifier(static_cast<ast::Identifier &>(*expr), expr);
    case ast::NodeKind::kPositionalParameter:
      return check_parameter(static_cast<ast::PositionalParameter &>(*expr));
    case ast::NodeKind::kPositionalCount:
      return int64();
    case ast::NodeKind::kVariable: {
      auto &node = static_cast<ast::Variable &>(*expr);
      TypeRef type = node.decl ? variable(*node.decl).shape.type : nullptr;
      // Without errors before, which explain it.
      if (!type && !compilation_.diagnostics.has_errors()) report(node.span, kUnresolvedVariable);
      if (is_final_ && node.decl) node.decl->type = type;
      return type;
    }
    case ast::NodeKind::kMap: {
      auto &node = static_cast<ast::Map &>(*expr);
      TypeRef type = map(node.name, node.span).value.shape.type;
      if (!type) report(node.span, kUndefinedMap, node.name).hint(nearest_map(node.name));
      return type;
    }
    case ast::NodeKind::kMapAccess:
      return check_map_access(static_cast<ast::MapAccess &>(*expr));
    case ast::NodeKind::kUnary:
      if (auto &node = static_cast<ast::Unary &>(*expr); node.op == ast::UnaryOp::kComptime) {
        return check_comptime(node, expr);
      }
      return check_unary(static_cast<ast::Unary &>(*expr), expr);
    case ast::NodeKind::kIncDec:
      return check_inc_dec(static_cast<ast::IncDec &>(*expr));
    case ast::NodeKind::kBinary:
      return check_binary(static_cast<ast::Binary &>(*expr));
    case ast::NodeKind::kTernary:
      if (TypeRef type = nullptr;
          check_comptime_ternary(static_cast<ast::Ternary &>(*expr), expr, &type)) {
        return type;
      }
      return check_ternary(static_cast<ast::Ternary &>(*expr));
    case ast::NodeKind::kFieldAccess:
      if (ast::Expr *value = config_value(*this, static_cast<ast::FieldAccess &>(*expr))) {
        return check(expr = value);
      }
      return check_field_access(static_cast<ast::FieldAccess &>(*expr));
    case ast::NodeKind::kTupleAccess:
      return check_tuple_access(static_cast<ast::TupleAccess &>(*expr));
    case ast::NodeKind::kIndex:
      return check_index(static_cast<ast::Index &>(*expr), expr);
    case ast::NodeKind::kCast:
      return check_cast(static_cast<ast::Cast &>(*expr));
    case ast::NodeKind::kTuple:
      return check_tuple(static_cast<ast::Tuple &>(*expr));
    case ast::NodeKind::kRecord:
      return check_record(static_cast<ast::Record &>(*expr));
    case ast::NodeKind::kCall:
      return check_call(static_cast<ast::Call &>(*expr), expr);
    case ast::NodeKind::kSizeof:
      return check_sizeof(static_cast<ast::Sizeof &>(*expr));
    case ast::NodeKind::kOffsetof:
      return check_offsetof(static_cast<ast::Offsetof &>(*expr));
    case ast::NodeKind::kTypeof:
      report(expr->span, kTypeofValue).hint("to ask for the size of a type: sizeof(…)");
      return nullptr;
    case ast::NodeKind::kBlockExpr:
      return check_block(static_cast<ast::BlockExpr &>(*expr));
    default:
      return nullptr;
  }
}

TypeRef TypeChecker::check_identifier(ast::Identifier &node, ast::Expr *&expr) {
  if (node.constant) {
    TypeStore::Constant constant;
    if (types_.find_constant(node.name, &constant) && constant.of) {
      return types_.enum_type(constant.of);
    }
    return int64();
  }
  const Builtin *builtin = find_builtin(node.name);
  std::vector<ast::Expr *> no_arguments;
  return builtin ? check_builtin(*builtin, expr, no_arguments) : nullptr;
}

TypeRef TypeChecker::check_call(ast::Call &node, ast::Expr *&expr) {
  const Builtin *builtin = find_builtin(node.name);
  if (!builtin) return check_imported(node);
  if (builtin->is_aggregation) {
    report(node.span, kAggregationNotAssigned, node.name)
        .hint("write @ = " + node.name + "(...), or @[key] = ...");
    return nullptr;
  }
  bool is_pinned = program_->probes.front().family == ProbeFamily::kIter &&
                   !program_->probes.front().binary.empty();
  if (is_pinned && builtin->is_async && node.name != "printf") {
    report(node.span, kPinnedOutput, node.name);
    return nullptr;
  }
  bool is_known = true;
  for (size_t i = 0; i < node.arguments.size(); ++i) {
    // Keys are checked with their map, and what find() writes to gets its type from it.
    if (builtin->map_argument == MapArgument::kAlways && i > 0) continue;
    if (auto *type = ast::as<ast::Typeof>(node.arguments[i]); type && node.name == "typeinfo") {
      type->type = resolve_spec(*type->type_spec);
      is_known &= type->type != nullptr;
      continue;
    }
    // A map as a whole is no value, and print takes aggregations as they are.
    bool is_raw = ast::as<ast::Map>(node.arguments[i]) || (builtin->name == "print" && i == 0);
    is_format_ = i == 0 && takes_format(*builtin);
    is_known &= (is_raw ? check_raw(node.arguments[i]) : check(node.arguments[i])) != nullptr ||
                ast::as<ast::Map>(node.arguments[i]) != nullptr;
    is_format_ = false;
  }
  return is_known ? check_builtin(*builtin, expr, node.arguments) : nullptr;
}

// A function of an imported object. Text is handed over as a pointer to it.
TypeRef TypeChecker::check_imported(ast::Call &node) {
  const ImportedFunction *function = compilation_.checked.find_function(node.name);
  if (!function || function->parameters.size() != node.arguments.size()) return nullptr;
  for (size_t i = 0; i < node.arguments.size(); ++i) {
    ast::Expr *&argument = node.arguments[i];
    const ImportedFunction::Parameter &parameter = function->parameters[i];
    if (!check(argument)) return nullptr;
    const bool is_text = parameter.type->is_pointer() && argument->type->is_string() &&
                         parameter.type->element->size <= 1;
    if (is_text) continue;
    const bool is_number = parameter.type->is_integral() && argument->type->is_integral();
    const bool is_address = parameter.type->is_pointer() &&
                            (argument->type->is_pointer() || argument->type->is_integer());
    if (!is_number && !is_address) {
      report(argument->span, kImportedArgument, node.name, parameter.type_text,
             to_string(argument->type));
      return nullptr;
    }
    if (is_number || !argument->type->is_pointer()) convert(argument, parameter.type);
  }
  return function->return_type;
}

TypeRef TypeChecker::check_builtin(const Builtin &builtin, ast::Expr *&expr,
                                   std::vector<ast::Expr *> &arguments) {
  if (!takes(builtin, arguments.size())) return nullptr;  // resolve_calls has said so
  if (builtin.map_argument == MapArgument::kAlways && !ast::as<ast::Map>(arguments[0])) {
    return nullptr;
  }
  BuiltinContext context(*this, builtin, expr);
  ProbeFamily family = context.probe().family;
  if (std::string_view reason = why_unavailable(builtin.name, family); !reason.empty()) {
    report(expr->span, kBuiltinProbe, builtin.name, family_name(family)).hint(std::string(reason));
    return nullptr;
  }
  return builtin.check(context, *expr, arguments);
}

TypeRef TypeChecker::check_parameter(ast::PositionalParameter &node) {
  // str() and comparisons with text have made it one already.
  if (node.type && node.type->is_string()) return node.type;
  bool is_given = node.index >= 1 && node.index <= options_.parameters.size();
  if (is_given && !is_number(options_.parameters[node.index - 1])) {
    return types_.string(object::kParameterStringSize);
  }
  const bool may_be_missing = options_.is_ahead_of_time || asks_for_count();
  if (!is_given && !may_be_missing) report(node.span, kParameterMissing, node.index);
  return int64();
}

// A script that asks how many parameters there are knows what to do without.
bool TypeChecker::asks_for_count() {
  if (asks_for_count_) return *asks_for_count_;
  asks_for_count_ = false;
  for (ProgramInfo &program : compilation_.checked.programs) {
    ast::walk(*program.clause, [this](ast::Node &node) {
      if (node.kind == ast::NodeKind::kPositionalCount) asks_for_count_ = true;
    });
  }
  return *asks_for_count_;
}

void TypeChecker::make_text(ast::Expr &expr) {
  auto *parameter = ast::as<ast::PositionalParameter>(&expr);
  bool is_open = parameter && options_.is_ahead_of_time;
  if (is_open) parameter->type = types_.string(object::kParameterStringSize);
}

void TypeChecker::make_printed(ast::Expr &expr) {
  make_text(expr);
  auto *parameter = ast::as<ast::PositionalParameter>(&expr);
  if (parameter && options_.is_ahead_of_time) parameter->is_printed = true;
}

ast::Expr *TypeChecker::fix_parameter(ast::PositionalParameter &parameter) {
  bool is_given = parameter.index >= 1 && parameter.index <= options_.parameters.size();
  if (options_.is_ahead_of_time) return &parameter;
  int64_t value = 0;
  if (is_given && !parse_number(options_.parameters[parameter.index - 1], &value))
    return &parameter;
  auto *literal = nodes().make<ast::IntegerLiteral>(parameter.span, static_cast<uint64_t>(value));
  literal->is_negative = value < 0;
  literal->type = literal_type(types_, *literal);
  return literal;
}

TypeRef TypeChecker::check_map_access(ast::MapAccess &node) {
  MapSlot &slot = map(node.name, node.span);
  bool is_right = node.key ? put_key(slot, node.key, node.span) : use_map(slot, false, node.span);
  return is_right ? slot.value.shape.type : nullptr;
}

TypeRef TypeChecker::check_field_access(ast::FieldAccess &node) {
  member_object_ = node.object;
  TypeRef object = check(node.object);
  if (!object) return nullptr;
  if (object->kind == TypeKind::kRecord) {
    for (const TypeField &field : object->fields) {
      if (field.name == node.field) return field.type;
    }
    report(node.field_span, kNoField, to_string(object), node.field);
    return nullptr;
  }
  bool is_struct = object->is_struct() || (object->is_pointer() && object->element->is_struct());
  if (!is_struct) {
    report(node.span, kNotAStruct, node.field, to_string(object));
    return nullptr;
  }
  return check_struct_field(node, object);
}

TypeRef TypeChecker::check_struct_field(ast::FieldAccess &node, TypeRef object) {
  TypeRef type = object->is_pointer() ? object->element : object;
  MemberPath path;
  if (!find_member(types_, type->struct_def, node.field, &path)) {
    auto diagnostic = report(node.field_span, kNoField, to_string(type), node.field);
    if (is_final_) {
      std::vector<std::string> names;
      for (const auto &member : types_.complete(type->struct_def).members) {
        if (!member.name.empty()) names.push_back(member.name);
      }
      std::string nearest = nearest_name(node.field, names);
      const ProbeSpec &probe = program().probes.front();
      std::string syscall = type == probe.args_type ? syscall_exit_of(probe) : "";
      if (!syscall.empty() && !has_syscall_parameter(probe, node.field)) syscall.clear();
      if (!nearest.empty()) {
        diagnostic.hint("did you mean " + nearest + "?");
      } else if (!syscall.empty()) {
        diagnostic.hint("what the call was given is in entry." + node.field + " of " + syscall);
      } else if (!names.empty() && names.size() <= kFewNames) {
        diagnostic.hint(fmt::format("it has {}", fmt::join(names, ", ")));
      }
    }
    return nullptr;
  }
  const std::vector<UserArgumentPlace> &places = program().probes.front().argument_places;
  if (type->struct_def->origin == StructDef::Origin::kProbeArguments && !places.empty()) {
    const UserArgumentPlace &place = places.at(path.indices.front());
    if (place.kind == UserArgumentPlace::Kind::kNone) {
      report(node.span, kArgumentUnreadable, node.field, place.problem);
      return nullptr;
    }
  }
  AddressSpace space = default_space();
  if (object->is_pointer()) {
    space = object->address_space;
  } else if (type->struct_def->origin == StructDef::Origin::kKernel) {
    space = AddressSpace::kKernel;
  }
  TypeRef member = path.members.back()->type;
  return member ? with_space(types_, value_type(types_, member), space) : nullptr;
}

TypeRef TypeChecker::check_tuple_access(ast::TupleAccess &node) {
  TypeRef object = check(node.object);
  if (!object) return nullptr;
  if (object->kind != TypeKind::kTuple) {
    const bool is_fraction = ast::as<ast::IntegerLiteral>(node.object) != nullptr;
    report(node.span, kNotATuple, node.index, to_string(object))
        .hint(is_fraction ? "numbers are integers: there are no fractions" : "");
    return nullptr;
  }
  if (node.index >= object->fields.size()) {
    report(node.span, kTupleIndex, static_cast<int64_t>(node.index), object->fields.size());
    return nullptr;
  }
  return object->fields[node.index].type;
}

TypeRef TypeChecker::check_index(ast::Index &node, ast::Expr *&expr) {
  TypeRef object = check(node.object);
  TypeRef index = check(node.index);
  if (!object || !index) return nullptr;
  auto *literal = ast::as<ast::IntegerLiteral>(node.index);
  if (object->kind == TypeKind::kTuple) {
    if (!literal) {
      report(node.index->span, kTupleIndexConstant);
      return nullptr;
    }
    if (literal->value >= object->fields.size()) {
      report(node.span, kTupleIndex, static_cast<int64_t>(literal->value), object->fields.size());
      return nullptr;
    }
    auto position = static_cast<uint32_t>(literal->value);
    expr = nodes().make<ast::TupleAccess>(node.span, node.object, position);
    return object->fields[position].type;
  }
  bool is_array = object->kind == TypeKind::kArray;
  if (!is_array && !object->is_pointer() && !object->is_string()) {
    report(node.span, kNotIndexable, to_string(object));
    return nullptr;
  }
  if (!index->is_integer()) {
    report(node.index->span, kIndexType, to_string(index));
    return nullptr;
  }
  if (literal && (object->count > 0 || object->is_string())) {
    uint32_t count = is_array ? object->count : object->size;
    if (!object->is_pointer() && (literal->is_negative || literal->value >= count)) {
      report(node.span, kIndexOutOfBounds, static_cast<int64_t>(literal->value), count);
      return nullptr;
    }
  }
  widen(node.index);
  if (object->is_string()) return integer(1, true);
  if (object->is_pointer() && types_.size_of(object->element) == 0) {
    report(node.span, kOpaquePointer, to_string(object));
    return nullptr;
  }
  AddressSpace space = object->is_pointer() ? object->address_space : default_space();
  return with_space(types_, value_type(types_, object->element), space);
}

bool TypeChecker::check_element(ast::Expr *&element) {
  TypeRef type = check(element);
  if (!type) return false;
  if (type->kind != TypeKind::kVoid) return true;
  report(element->span, kElementType, to_string(type));
  return false;
}

TypeRef TypeChecker::check_tuple(ast::Tuple &node) {
  std::vector<TypeRef> elements;
  bool is_right = true;
  for (ast::Expr *&element : node.elements) {
    is_right &= check_element(element);
    elements.push_back(element->type);
  }
  return is_right ? types_.tuple(elements) : nullptr;
}

TypeRef TypeChecker::check_record(ast::Record &node) {
  std::vector<std::pair<std::string, TypeRef>> fields;
  bool is_right = true;
  std::set<std::string_view> names;
  for (size_t i = 0; i < node.elements.size(); ++i) {
    is_right &= check_element(node.elements[i]);
    fields.emplace_back(node.names[i], node.elements[i]->type);
    if (names.insert(node.names[i]).second) continue;
    report(node.elements[i]->span, kDuplicateField, node.names[i]);
    is_right = false;
  }
  return is_right ? types_.record(fields) : nullptr;
}

TypeRef TypeChecker::check_sizeof(ast::Sizeof &node) {
  TypeRef type = node.type_spec ? resolve_spec(*node.type_spec) : check(node.operand);
  if (!type) return nullptr;
  if (is_final_ && node.type_spec) node.type_spec->type = type;
  node.value = types_.size_of(type);
  return uint64();
}

TypeRef TypeChecker::check_offsetof(ast::Offsetof &node) {
  TypeRef type = node.type_spec ? resolve_spec(*node.type_spec) : check(node.operand);
  if (!type) return nullptr;
  if (is_final_ && node.type_spec) node.type_spec->type = type;
  if (type->is_pointer()) type = type->element;
  uint64_t bits = 0;
  for (const std::string &name : node.path) {
    if (!type->is_struct()) {
      report(node.span, kNotAStruct, name, to_string(type));
      return nullptr;
    }
    MemberPath path;
    if (!find_member(types_, type->struct_def, name, &path)) {
      report(node.span, kNoField, to_string(type), name);
      return nullptr;
    }
    if (path.members.back()->bit_size) {
      report(node.span, kOffsetofBitfield, name);
      return nullptr;
    }
    bits += path.bit_offset;
    type = path.members.back()->type;
  }
  node.value = bits / 8;
  return uint64();
}

TypeRef TypeChecker::check_block(ast::BlockExpr &node) {
  bool is_macro = is_expansion(node);
  if (is_macro) expansions_.push_back(node.span);
  check_statements(node.statements);
  TypeRef type = node.result ? check(node.result) : types_.void_type();
  if (is_macro) expansions_.pop_back();
  return type;
}

}  // namespace awl::frontend
