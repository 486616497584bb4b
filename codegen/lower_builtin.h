// The lowerings of builtins: one record each, found by the same name as the record of the frontend
// (frontend/builtins/builtin.h). Adding a builtin means adding one record to one of the tables.
#pragma once

#include <llvm/IR/Constants.h>

#include <cassert>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/lower.h"
#include "frontend/builtins/builtin.h"

namespace awl::codegen {

// A call of a builtin, or its bare name. What the check of its record guarantees about the
// arguments may be relied upon.
struct BuiltinCall {
  Lowering &lowering;
  ast::Expr &expr;
  const std::string &name;  // "arg0" and others share a record
  std::vector<ast::Expr *> &arguments;
  llvm::Value *to;  // where a result in memory may be made; null: anywhere

  Emitter &emitter() const { return lowering.emitter(); }
  llvm::IRBuilder<> &b() const { return lowering.b(); }
  TypeRef type() const { return expr.type; }
  Span span() const { return expr.span; }
  bool has(size_t position) const { return position < arguments.size(); }
  ast::Expr &argument(size_t position) const { return *arguments.at(position); }
  llvm::Value *value(size_t position) const { return lowering.value(argument(position)); }
  const MapInfo &map(size_t position) const {
    auto *access = ast::as<ast::MapAccess>(&argument(position));  // a bare @x may have stayed one
    return lowering.map_info(access ? access->name
                                    : static_cast<ast::Map &>(argument(position)).name);
  }
  // Arguments that are literals.
  const std::string &text(size_t position) const {
    return static_cast<ast::StringLiteral &>(argument(position)).value;
  }
  std::optional<int64_t> constant(size_t position) const {
    auto *literal = ast::as<ast::IntegerLiteral>(&argument(position));
    if (!literal) return std::nullopt;
    return static_cast<int64_t>(literal->value);
  }
  // A mode, such as the clock of nsecs(); null: none given.
  const std::string *word(size_t position) const {
    auto *node = has(position) ? ast::as<ast::StringLiteral>(&argument(position)) : nullptr;
    return node ? &node->value : nullptr;
  }
  llvm::Value *memory() const { return lowering.temporary(type(), to); }
  AddressSpace space(size_t position) const {
    TypeRef pointer = argument(position).type;
    bool is_known = pointer->is_pointer() && pointer->address_space != AddressSpace::kNone;
    return is_known ? pointer->address_space : AddressSpace::kKernel;
  }
};

struct BuiltinLowering {
  std::string_view name;
  // The value as Lowering::value() gives it; null when there is none.
  llvm::Value *(*lower)(BuiltinCall &call);
};

// A user symbol: its address with the process and the probe that saw it.
llvm::Value *user_symbol(BuiltinCall &call, llvm::Value *address);

// dw_ustack, and how many frames it has (lower_unwind.cpp).
llvm::Value *unwound_stack(BuiltinCall &call);
llvm::Value *unwound_length(BuiltinCall &call, uint32_t limit);

std::span<const BuiltinLowering> value_lowerings();
std::span<const BuiltinLowering> context_lowerings();
std::span<const BuiltinLowering> map_lowerings();
std::span<const BuiltinLowering> output_lowerings();
std::span<const BuiltinLowering> string_lowerings();
std::span<const BuiltinLowering> symbol_lowerings();
std::span<const BuiltinLowering> network_lowerings();
std::span<const BuiltinLowering> process_lowerings();

}  // namespace awl::codegen
