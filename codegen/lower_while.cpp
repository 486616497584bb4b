// `while`: a loop of the program itself where the verifier can walk all its rounds, else a body
// that bpf_loop calls, which the verifier looks at once.
//
// Which of them is a guess from the script's text: rounds are counted in loops of the common form,
// `$i = 0; while ($i < 10) { …; $i++; }`, also with a `break` for the condition. A wrong guess
// costs nothing but the limits of the other form: kernels before 5.17 have no bpf_loop, and the
// verifier follows a million instructions and 8,192 branches.
#include <llvm/IR/Constants.h>

#include <algorithm>
#include <cerrno>

#include "codegen/lower.h"
#include "frontend/ast/visit.h"

namespace awl::codegen {

using ast::BinaryOp;
using ast::NodeKind;

namespace {

// What the verifier walks without trouble: rounds, and nodes of the tree times rounds.
constexpr uint64_t kMostRounds = 1000;
constexpr uint64_t kMostWalkedNodes = 16000;

std::optional<int64_t> literal_of(const ast::Expr *expr) {
  auto *literal = ast::as<ast::IntegerLiteral>(expr);
  if (!literal) return std::nullopt;
  return static_cast<int64_t>(literal->value);
}

// `$variable < limit`, or any other comparison of the two.
struct Limit {
  const ast::VariableDecl *variable;
  int64_t value;
};

std::optional<Limit> limit_of(const ast::Expr *condition) {
  auto *comparison = ast::as<ast::Binary>(condition);
  if (!comparison || comparison->op < BinaryOp::kEq || comparison->op > BinaryOp::kGe) return {};
  auto *variable = ast::as<ast::Variable>(comparison->left);
  std::optional<int64_t> limit = literal_of(comparison->right);
  if (!variable || !limit) return {};
  return Limit{variable->decl, *limit};
}

// Where a loop ends: its condition or, of `while (1)`, that of a `break`.
std::optional<Limit> find_limit(const ast::While &loop) {
  if (!literal_of(loop.condition)) return limit_of(loop.condition);
  for (const ast::Stmt *stmt : loop.body->statements) {
    auto *branch = ast::as<ast::If>(stmt);
    if (!branch || branch->then->statements.empty()) continue;
    if (branch->then->statements.back()->kind == NodeKind::kBreak) {
      return limit_of(branch->condition);
    }
  }
  return {};
}

// By how much a statement changes a variable: `$i++`, `$i += 2`, `$i = $i - 1`; 0: it does not.
uint64_t step_of(const ast::Node &node, const ast::VariableDecl *variable) {
  auto is_it = [&](const ast::Expr *expr) {
    auto *found = ast::as<ast::Variable>(expr);
    return found && found->decl == variable;
  };
  if (auto *change = ast::as<ast::IncDec>(&node)) return is_it(change->target) ? 1 : 0;
  auto *assign = ast::as<ast::Assign>(&node);
  auto *sum = assign && is_it(assign->target) ? ast::as<ast::Binary>(assign->value) : nullptr;
  if (!sum || !is_it(sum->left)) return 0;
  if (sum->op != BinaryOp::kAdd && sum->op != BinaryOp::kSub) return 0;
  const int64_t step = literal_of(sum->right).value_or(0);
  return step < 0 ? -static_cast<uint64_t>(step) : static_cast<uint64_t>(step);
}

}  // namespace

// How often the loop runs, as far as its text tells; none: it does not.
std::optional<uint64_t> Lowering::guess_rounds(ast::While &loop) const {
  std::optional<Limit> limit = find_limit(loop);
  auto start = limit ? last_constants_.find(limit->variable) : last_constants_.end();
  if (start == last_constants_.end()) return {};
  uint64_t step = 0;
  ast::walk(*loop.body, [&](ast::Node &node) {
    if (step == 0) step = step_of(node, limit->variable);
  });
  if (step == 0) return {};
  uint64_t first = static_cast<uint64_t>(std::min(start->second, limit->value));
  uint64_t last = static_cast<uint64_t>(std::max(start->second, limit->value));
  return (last - first) / step + 1;
}

void Lowering::while_loop(ast::While &node) {
  std::optional<uint64_t> rounds = guess_rounds(node);
  size_t nodes = 0;
  ast::walk(*node.body, [&](ast::Node &) { ++nodes; });
  if (!rounds || *rounds > kMostRounds || *rounds * walked_rounds_ * nodes > kMostWalkedNodes) {
    while_callback(node);
    return;
  }
  llvm::BasicBlock *head = e_.new_block("while"), *body = e_.new_block("while.body"),
                   *done = e_.new_block("while.done");
  jump(head);
  b().SetInsertPoint(head);
  b().CreateCondBr(condition(*node.condition), body, done);
  b().SetInsertPoint(body);
  function_.loops.push_back({done, head});
  uint64_t outer_rounds = walked_rounds_;
  walked_rounds_ *= *rounds;
  block(node.body->statements);
  walked_rounds_ = outer_rounds;
  function_.loops.pop_back();
  jump(head);
  b().SetInsertPoint(done);
}

// Variables on the stack are in scratch memory meanwhile: there the verifier does not follow their
// values, and finds one round like the other. It would walk a loop that it can count.
void Lowering::while_callback(ast::While &node) {
  struct Moved {
    const ast::VariableDecl *decl;
    llvm::Value *home;
  };
  std::vector<Moved> moved;
  for (const ast::VariableDecl *decl : shared_variables(node)) {
    if (is_in_memory(decl->type) && decl->type->size > program_.config.on_stack_limit) continue;
    llvm::Value *home = slots_.at(decl);
    llvm::Value *place = e_.allocate_in_scratch(std::max<uint32_t>(decl->type->size, 8), "moved");
    aligned_.insert(place);
    store_value(load(home, decl->type), decl->type, place);
    slots_[decl] = place;
    moved.push_back({decl, home});
  }
  uint32_t site = e_.error_site("while", node.span, true);
  auto body = [&](llvm::Function *, const std::vector<llvm::Value *> &) {
    llvm::BasicBlock *inside = e_.new_block("while.body");
    llvm::BasicBlock *stop = function_.loops.back().on_break;
    b().CreateCondBr(condition(*node.condition), inside, stop);
    b().SetInsertPoint(inside);
    block(node.body->statements);
  };
  auto call = [&](llvm::Function *function, llvm::Value *shared) {
    llvm::Value *ran =
        e_.call(Helper::kLoop, {e_.i32(kMostCallbacks), function, shared, e_.i64(0)});
    if_then(b().CreateICmpSGE(ran, e_.i64(kMostCallbacks)),
            [&] { e_.count_error(site, e_.i64(-E2BIG)); });
  };
  uint64_t outer_rounds = walked_rounds_;
  walked_rounds_ = 1;
  with_callback("while_loop", {"index", "ctx"}, node, {}, body, call, e_.scratch());
  walked_rounds_ = outer_rounds;
  for (const Moved &variable : moved) {
    store_value(load(slots_.at(variable.decl), variable.decl->type), variable.decl->type,
                variable.home);
    slots_[variable.decl] = variable.home;
  }
}

}  // namespace awl::codegen
