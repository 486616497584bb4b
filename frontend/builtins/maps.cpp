// Builtins on maps as a whole. After the checks the first argument is an ast::Map, keys have
// exactly the type of the map's keys, and find's third argument is a Variable.
#include "frontend/builtins/check_builtin.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kNeedsKeyedMap, Error, "needs-keyed-map",
               "call to {}() expects a map with explicit keys (non-scalar map)", std::string_view);
AWL_DIAGNOSTIC(kNeedsScalarMap, Error, "needs-scalar-map",
               "call to {}() with a single argument expects a map without explicit keys (scalar map)",
               std::string_view);

namespace {

TypeRef check_clear(BuiltinContext &c, ast::Expr &, Arguments &) { return c.types().void_type(); }

// Whether the map has keys, as far as it is known; and its key at arguments[1].
bool check_key(BuiltinContext &c, Arguments &arguments) {
  MapSlot &map = *c.map(arguments);
  if (map.is_used && !map.is_keyed) {
    c.report(arguments[0]->span, kNeedsKeyedMap, c.builtin.name);
    return false;
  }
  return c.checker.put_key(map, arguments[1], arguments[0]->span.to(arguments[1]->span));
}

TypeRef check_delete(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  if (arguments.size() == 2) return check_key(c, arguments) ? c.types().boolean() : nullptr;
  if (c.map(arguments)->is_keyed) {
    c.report(arguments[0]->span, kNeedsScalarMap, c.builtin.name);
    return nullptr;
  }
  return c.types().boolean();
}

TypeRef check_has_key(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  return check_key(c, arguments) ? c.types().boolean() : nullptr;
}

TypeRef check_find(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  if (!check_key(c, arguments)) return nullptr;
  auto *variable = ast::as<ast::Variable>(arguments[2]);
  if (!variable) {
    c.report(arguments[2]->span, kArgumentType, c.builtin.name, "a scratch variable", "third", "an expression");
    return nullptr;
  }
  TypeRef value = c.map(arguments)->value.shape.type;
  if (!value || !variable->decl) return nullptr;
  if (value->is_integer_aggregation()) value = c.checker.integer(8, value->is_signed);
  Slot &slot = c.checker.variable(*variable->decl);
  if (!c.checker.widen_slot(slot, {value, false, {}})) {
    return c.refuse(variable->span, "the variable is of another type than the map's values");
  }
  variable->type = slot.shape.type;
  if (c.is_final()) {
    variable->decl->type = slot.shape.type;
    if (slot.shape.type != value) {
      return c.refuse(variable->span, "the variable is of type '" + to_string(slot.shape.type) +
                                          "', the map's values are of type '" + to_string(value) + "'");
    }
  }
  return c.types().boolean();
}

TypeRef check_len(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  TypeRef type = arguments[0]->type;
  if (MapSlot *map = c.map(arguments)) {
    if (!map->is_used || map->is_keyed) return c.checker.int64();
    c.report(arguments[0]->span, kNeedsKeyedMap, c.builtin.name);
    return nullptr;
  }
  if (type->kind == TypeKind::kKernelStack || type->kind == TypeKind::kUserStack) {
    return c.checker.int64();
  }
  c.refuse_type(*arguments[0], "a map, ustack or kstack", 0);
  return nullptr;
}

}  // namespace

std::vector<Builtin> map_builtins() {
  return {
      {.name = "clear", .signature = "void clear(@map)",
       .description = "Removes all elements of a map.", .min_arguments = 1, .max_arguments = 1,
       .is_async = true, .is_statement = true, .map_argument = MapArgument::kAlways, .check = check_clear},
      {.name = "zero", .signature = "void zero(@map)",
       .description = "Sets all values of a map to zero.", .min_arguments = 1, .max_arguments = 1,
       .is_async = true, .is_statement = true, .map_argument = MapArgument::kAlways, .check = check_clear},
      {.name = "delete", .signature = "bool delete(@map [, key])",
       .description = "Removes an element; whether there was one.", .min_arguments = 1,
       .max_arguments = 2, .map_argument = MapArgument::kAlways, .check = check_delete},
      {.name = "has_key", .signature = "bool has_key(@map, key)",
       .description = "Whether a map has an element.", .min_arguments = 2, .max_arguments = 2,
       .map_argument = MapArgument::kAlways, .check = check_has_key},
      {.name = "find", .signature = "bool find(@map, key, $variable)",
       .description = "Puts an element into a variable; whether there was one.", .min_arguments = 3,
       .max_arguments = 3, .map_argument = MapArgument::kAlways, .check = check_find},
      {.name = "len", .signature = "int64 len(@map), int64 len(stack)",
       .description = "The number of elements of a map, or of frames of a stack.", .min_arguments = 1,
       .max_arguments = 1, .map_argument = MapArgument::kMaybe, .check = check_len},
  };
}

}  // namespace awl::frontend
