// Statements and control flow.
#include <llvm/IR/Constants.h>

#include <cassert>

#include "codegen/lower.h"

namespace awl::codegen {

using ast::NodeKind;

namespace {

// Ranges known to be at most this long are loops of the program itself; others are bodies called by
// bpf_loop, which the verifier looks at once instead of once per round.
constexpr uint64_t kShortRange = 32;

std::optional<int64_t> constant_of(llvm::Value *value) {
  if (auto *constant = llvm::dyn_cast<llvm::ConstantInt>(value)) return constant->getSExtValue();
  return std::nullopt;
}

}  // namespace

void Lowering::jump(llvm::BasicBlock *block) {
  if (!b().GetInsertBlock()->getTerminator()) b().CreateBr(block);
}

void Lowering::if_then(llvm::Value *condition, const std::function<void()> &then) {
  llvm::BasicBlock *body = e_.new_block("then"), *done = e_.new_block("endif");
  b().CreateCondBr(condition, body, done);
  b().SetInsertPoint(body);
  then();
  jump(done);
  b().SetInsertPoint(done);
}

llvm::Value *Lowering::choose(llvm::Value *condition, const std::function<llvm::Value *()> &then,
                              const std::function<llvm::Value *()> &otherwise) {
  llvm::BasicBlock *first = e_.new_block("choose.then"), *second = e_.new_block("choose.else"),
                   *done = e_.new_block("choose.done");
  b().CreateCondBr(condition, first, second);
  b().SetInsertPoint(first);
  llvm::Value *first_value = then();
  llvm::BasicBlock *first_end = b().GetInsertBlock();
  jump(done);
  b().SetInsertPoint(second);
  llvm::Value *second_value = otherwise();
  llvm::BasicBlock *second_end = b().GetInsertBlock();
  jump(done);
  b().SetInsertPoint(done);
  llvm::PHINode *result = b().CreatePHI(b().getInt64Ty(), 2);
  result->addIncoming(first_value, first_end);
  result->addIncoming(second_value, second_end);
  return result;
}

void Lowering::count_loop(llvm::Value *count,
                          const std::function<llvm::Value *(llvm::Value *)> &body) {
  llvm::BasicBlock *before = b().GetInsertBlock(), *head = e_.new_block("loop"),
                   *inside = e_.new_block("loop.body"), *done = e_.new_block("loop.done");
  jump(head);
  b().SetInsertPoint(head);
  llvm::PHINode *i = b().CreatePHI(b().getInt64Ty(), 2);
  i->addIncoming(e_.i64(0), before);
  b().CreateCondBr(b().CreateICmpULT(i, count), inside, done);
  b().SetInsertPoint(inside);
  llvm::Value *go_on = body(i);
  llvm::Value *next = b().CreateAdd(i, e_.i64(1));
  i->addIncoming(next, b().GetInsertBlock());
  if (go_on) {
    b().CreateCondBr(go_on, head, done);
  } else {
    jump(head);
  }
  b().SetInsertPoint(done);
}

void Lowering::leave(llvm::Value *result) {
  if (!frontend::returns_value(family())) result = nullptr;
  if (function_.is_callback) {
    // The program ends when the helper that calls us has returned. A verdict is handed over with
    // it.
    llvm::Value *flag = e_.i64(1);
    if (frontend::returns_value(family())) {
      llvm::Value *given = result ? result : e_.i64(frontend::passing_verdict(family()));
      flag = b().CreateOr(b().CreateShl(given, 1), flag);
    }
    b().CreateAlignedStore(flag, return_flag_, llvm::Align(8));
    e_.emit_return(e_.i64(1));
  } else {
    e_.emit_return(result ? verdict(result) : nullptr);
  }
  b().SetInsertPoint(e_.new_block("unreachable"));
}

void Lowering::leave_if(llvm::Value *condition) {
  if_then(condition, [this] { leave(); });
}

void Lowering::block(const std::vector<ast::Stmt *> &statements) {
  if (has_parts_ && !function_.is_callback && function_.loops.empty()) {
    block_in_parts(statements);
    return;
  }
  for (ast::Stmt *stmt : statements) statement(*stmt);
}

void Lowering::statement(ast::Stmt &stmt) {
  e_.set_location(stmt.span);
  size_t mark = function_.taken.size();
  switch (stmt.kind) {
    case NodeKind::kExprStmt:
      value(*static_cast<ast::ExprStmt &>(stmt).expr);
      break;
    case NodeKind::kDiscard:
      value(*static_cast<ast::Discard &>(stmt).value);
      break;
    case NodeKind::kAssign:
      assign(static_cast<ast::Assign &>(stmt));
      break;
    case NodeKind::kLet:
      let(static_cast<ast::Let &>(stmt));
      break;
    case NodeKind::kIf:
      if_statement(static_cast<ast::If &>(stmt));
      break;
    case NodeKind::kWhile:
      while_loop(static_cast<ast::While &>(stmt));
      break;
    case NodeKind::kUnroll:
      unroll(static_cast<ast::Unroll &>(stmt));
      break;
    case NodeKind::kForMap:
      for_map(static_cast<ast::ForMap &>(stmt));
      break;
    case NodeKind::kForRange:
      for_range(static_cast<ast::ForRange &>(stmt));
      break;
    case NodeKind::kBlock:
      block(static_cast<ast::Block &>(stmt).statements);
      break;
    case NodeKind::kReturn: {
      ast::Expr *result = static_cast<ast::Return &>(stmt).value;
      bool is_verdict = frontend::is_network(family()) || family() == ProbeFamily::kLsm;
      if (result && is_verdict) e_.description().settings.needs_unsafe = true;
      leave(result ? value(*result) : nullptr);
      break;
    }
    case NodeKind::kBreak:
    case NodeKind::kContinue: {
      const Loop &loop = function_.loops.back();
      jump(stmt.kind == NodeKind::kBreak ? loop.on_break : loop.on_continue);
      b().SetInsertPoint(e_.new_block("unreachable"));
      break;
    }
    default:
      assert(false && "not a statement");
  }
  release(mark);
}

llvm::Value *Lowering::variable_slot(const frontend::ast::VariableDecl *decl) {
  auto it = slots_.find(decl);
  if (it != slots_.end()) return it->second;
  // Declared where it is assigned first, which is before all other uses.
  llvm::Value *slot = allocate(std::max<uint32_t>(decl->type->size, 8), decl->name.substr(1));
  slots_[decl] = slot;
  return slot;
}

llvm::Value *Lowering::variable(ast::Variable &node) {
  if (auto pair = pairs_.find(node.decl); pair != pairs_.end()) {
    llvm::Value *memory = temporary(node.type->size);
    zero(memory, node.type->size);
    const auto &fields = node.type->fields;
    store_value(pair->second.key, fields[0].type, at(memory, fields[0].offset));
    store_value(pair->second.value, fields[1].type, at(memory, fields[1].offset));
    return memory;
  }
  return load(variable_slot(node.decl), node.decl->type);
}

void Lowering::assign_variable(ast::Variable &node, ast::Expr &value_node) {
  // Not made in place: the value may be computed from what the variable holds.
  llvm::Value *result = value(value_node);
  store_value(result, node.decl->type, variable_slot(node.decl));
  auto constant = is_in_memory(node.decl->type) ? std::nullopt : constant_of(result);
  if (constant) {
    last_constants_[node.decl] = *constant;
  } else {
    last_constants_.erase(node.decl);
  }
}

void Lowering::assign(ast::Assign &node) {
  if (auto *target = ast::as<ast::Variable>(node.target)) {
    assign_variable(*target, *node.value);
    return;
  }
  auto &target = static_cast<ast::MapAccess &>(*node.target);
  const MapInfo &info = map_info(target.name);
  auto *call = ast::as<ast::Call>(node.value);
  if (call && call->type->is_aggregation()) {
    aggregate(info, target.key, *call, node.span);
  } else {
    assign_map(info, target.key, *node.value, node.span);
  }
}

void Lowering::let(ast::Let &node) {
  TypeRef type = node.variable->decl->type;
  if (node.value) {
    assign_variable(*node.variable, *node.value);
  } else if (!type) {
    return;  // never assigned, nor used
  } else if (is_in_memory(type)) {
    zero(variable_slot(node.variable->decl), type->size);
  } else if (type->size) {
    store_value(e_.i64(0), type, variable_slot(node.variable->decl));
  }
}

void Lowering::if_statement(ast::If &node) {
  size_t mark = function_.taken.size();
  llvm::Value *chosen = condition(*node.condition);
  release(mark);
  llvm::BasicBlock *then = e_.new_block("if.then"), *done = e_.new_block("if.done");
  llvm::BasicBlock *otherwise = node.otherwise ? e_.new_block("if.else") : done;
  b().CreateCondBr(chosen, then, otherwise);
  b().SetInsertPoint(then);
  block(node.then->statements);
  jump(done);
  if (node.otherwise) {
    b().SetInsertPoint(otherwise);
    statement(*node.otherwise);
    jump(done);
  }
  b().SetInsertPoint(done);
}

void Lowering::unroll(ast::Unroll &node) {
  llvm::Value *count = value(*node.count);
  llvm::BasicBlock *done = e_.new_block("unroll.done");
  count_loop(count, [&](llvm::Value *) -> llvm::Value * {
    llvm::BasicBlock *next = e_.new_block("unroll.next");
    function_.loops.push_back({done, next});
    block(node.body->statements);
    function_.loops.pop_back();
    jump(next);
    b().SetInsertPoint(next);
    return nullptr;
  });
  jump(done);
  b().SetInsertPoint(done);
}

void Lowering::for_range(ast::ForRange &node) {
  llvm::Value *begin = value(*node.begin);
  llvm::Value *end = value(*node.end);
  std::optional<int64_t> first = constant_of(begin), last = constant_of(end);
  if (first && last && *last - *first <= static_cast<int64_t>(kShortRange)) {
    range_loop(node, begin, end);
  } else {
    range_callback(node, begin, end);
  }
}

void Lowering::range_loop(ast::ForRange &node, llvm::Value *begin, llvm::Value *end) {
  bool is_signed = node.variable->type->is_signed;
  llvm::Value *slot = variable_slot(node.variable->decl);
  llvm::BasicBlock *before = b().GetInsertBlock(), *head = e_.new_block("for"),
                   *body = e_.new_block("for.body"), *next = e_.new_block("for.next"),
                   *done = e_.new_block("for.done");
  jump(head);
  b().SetInsertPoint(head);
  llvm::PHINode *i = b().CreatePHI(b().getInt64Ty(), 2);
  i->addIncoming(begin, before);
  b().CreateCondBr(is_signed ? b().CreateICmpSLT(i, end) : b().CreateICmpULT(i, end), body, done);
  b().SetInsertPoint(body);
  store_value(i, node.variable->decl->type, slot);
  function_.loops.push_back({done, next});
  block(node.body->statements);
  function_.loops.pop_back();
  jump(next);
  b().SetInsertPoint(next);
  i->addIncoming(b().CreateAdd(i, e_.i64(1)), next);
  b().CreateBr(head);
  b().SetInsertPoint(done);
}

}  // namespace awl::codegen
