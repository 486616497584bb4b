// Joins the tables of lowerings, and calls them.
#include "codegen/lower_builtin.h"

#include <map>

namespace awl::codegen {

namespace {

using Table = std::map<std::string_view, const BuiltinLowering *>;

Table join_tables() {
  Table result;
  for (auto table :
       {value_lowerings(), context_lowerings(), map_lowerings(), output_lowerings(),
        string_lowerings(), symbol_lowerings(), network_lowerings(), process_lowerings()}) {
    for (const BuiltinLowering &lowering : table) {
      assert(frontend::find_builtin(lowering.name) && "a lowering goes by its builtin's name");
      result[lowering.name] = &lowering;
    }
  }
  return result;
}

}  // namespace

llvm::Value *Lowering::builtin(ast::Expr &expr, const std::string &name,
                               std::vector<ast::Expr *> &arguments, llvm::Value *to) {
  static const Table table = join_tables();
  const frontend::Builtin *builtin = frontend::find_builtin(name);
  assert(builtin && "resolve_calls lets only builtins through");
  auto found = table.find(builtin->name);
  if (found == table.end()) {
    unsupported_.push_back(name);
    return expr.type->kind == TypeKind::kVoid ? nullptr : undefined(expr.type, to);
  }
  e_.set_location(expr.span);
  BuiltinCall call{*this, expr, name, arguments, to};
  return found->second->lower(call);
}

llvm::Value *Lowering::undefined(TypeRef type, llvm::Value *to) {
  if (!is_in_memory(type)) return e_.i64(0);
  llvm::Value *memory = temporary(type, to);
  zero(memory, program_.types->size_of(type));
  return memory;
}

}  // namespace awl::codegen
