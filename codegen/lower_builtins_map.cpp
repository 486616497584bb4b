// Builtins on maps.
#include "codegen/lower_builtin.h"

namespace awl::codegen {

namespace {

ast::Expr *key_of(BuiltinCall &call) { return call.has(1) ? &call.argument(1) : nullptr; }

llvm::Value *delete_entry(BuiltinCall &call) {
  auto *node = ast::as<ast::Call>(&call.expr);
  bool is_reported = node && !node->is_result_used;
  return call.lowering.delete_map(call.map(0), key_of(call), call.span(), is_reported);
}

llvm::Value *has_key(BuiltinCall &call) {
  const MapInfo &info = call.map(0);
  llvm::Value *found = call.lowering.find_map(info, call.lowering.map_key(info, key_of(call)));
  return call.b().CreateZExt(call.b().CreateIsNotNull(found), call.b().getInt64Ty());
}

// find(@map, key, $value): the variable is set when there is such an entry.
llvm::Value *find(BuiltinCall &call) {
  const MapInfo &info = call.map(0);
  Lowering &lowering = call.lowering;
  auto &variable = static_cast<ast::Variable &>(call.argument(2));
  llvm::Value *key = lowering.map_key(info, key_of(call));
  llvm::Value *found = lowering.find_map(info, key);
  llvm::Value *slot = lowering.variable_slot(variable.decl);
  return lowering.choose(
      call.b().CreateIsNotNull(found),
      [&]() -> llvm::Value * {
        TypeRef type = variable.decl->type;
        llvm::Value *value =
            info.value->is_integer_aggregation()
                ? lowering.normalize(lowering.read_aggregation(info, key), type)
                : lowering.convert(lowering.load(found, info.value), info.value, type, call.span());
        lowering.store_value(value, type, slot);
        return call.emitter().i64(1);
      },
      [&]() -> llvm::Value * { return call.emitter().i64(0); });
}

llvm::Value *clear(BuiltinCall &call) {
  call.lowering.emit_control(object::EventKind::kClear, &call.map(0), {}, call.span());
  return nullptr;
}

llvm::Value *zero(BuiltinCall &call) {
  call.lowering.emit_control(object::EventKind::kZero, &call.map(0), {}, call.span());
  return nullptr;
}

constexpr BuiltinLowering kLowerings[] = {
    {"delete", delete_entry}, {"has_key", has_key}, {"find", find},
    {"clear", clear},         {"zero", zero},
};

}  // namespace

std::span<const BuiltinLowering> map_lowerings() { return kLowerings; }

}  // namespace awl::codegen
