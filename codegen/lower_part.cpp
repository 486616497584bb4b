// Long clauses, in parts: functions that the program calls where their statements stand.
//
// Some of what LLVM does with a function takes quadratic time, and all that it keeps of one is
// alive at once: a clause of thousands of statements leaves the processor's caches. One function
// after the other, each statement costs the same, however many there are.
//
// A part is like the body of a loop (lower_callback.cpp) that is called once, by the program
// itself, but for the memory: it goes on in the program's scratch memory, where all variables of a
// clause in parts lie.
#include <unordered_map>
#include <unordered_set>

#include "codegen/lower.h"
#include "frontend/ast/visit.h"

namespace awl::codegen {

namespace {

// Nodes of a part: a hundred simple statements. What has not many more is no long clause.
constexpr size_t kPartNodes = 500;
constexpr size_t kLongClauseNodes = 3 * kPartNodes;

// LLVM looks the names of all maps up again for each function that it writes, one after the other.
// A program may use 64 (MAX_USED_MAPS in include/linux/bpf_verifier.h).
constexpr size_t kMostMaps = 200;

size_t count_nodes(ast::Node &node) {
  size_t count = 0;
  ast::walk(node, [&](ast::Node &) { ++count; });
  return count;
}

// Consecutive statements that become one part, or one that stays where it is.
struct Piece {
  std::vector<ast::Stmt *> statements;
  size_t nodes = 0;
};

// A statement that would be a part by itself stays: what is long in it is divided in turn.
std::vector<Piece> pieces_of(const std::vector<ast::Stmt *> &statements) {
  std::vector<Piece> pieces;
  for (ast::Stmt *statement : statements) {
    size_t nodes = count_nodes(*statement);
    bool is_new = pieces.empty() || nodes > kPartNodes || pieces.back().nodes + nodes > kPartNodes;
    if (is_new) pieces.emplace_back();
    pieces.back().statements.push_back(statement);
    pieces.back().nodes += nodes;
  }
  return pieces;
}

// What several pieces use is the program's, not a part's own.
std::vector<const ast::VariableDecl *> common_variables(const std::vector<Piece> &pieces) {
  std::vector<const ast::VariableDecl *> result;
  std::unordered_map<const ast::VariableDecl *, const Piece *> first_use;
  std::unordered_set<const ast::VariableDecl *> seen;
  for (const Piece &piece : pieces) {
    for (ast::Stmt *statement : piece.statements) {
      ast::walk(*statement, [&](ast::Node &node) {
        auto *variable = ast::as<ast::Variable>(&node);
        if (!variable) return;
        auto [first, is_new] = first_use.try_emplace(variable->decl, &piece);
        bool is_common = first->second != &piece;
        if (is_common && seen.insert(variable->decl).second) result.push_back(variable->decl);
      });
    }
  }
  return result;
}

}  // namespace

bool Lowering::is_long(const ast::Clause &clause) const {
  return program_.maps.size() <= kMostMaps && count_nodes(*clause.body) > kLongClauseNodes;
}

void Lowering::block_in_parts(const std::vector<ast::Stmt *> &statements) {
  std::vector<Piece> pieces = pieces_of(statements);
  if (pieces.size() > 1) {
    for (const ast::VariableDecl *decl : common_variables(pieces)) {
      if (decl->type) variable_slot(decl);
    }
  }
  for (Piece &piece : pieces) {
    if (pieces.size() > 1 && piece.nodes <= kPartNodes) {
      part(std::move(piece.statements));
    } else {
      for (ast::Stmt *stmt : piece.statements) statement(*stmt);
    }
  }
}

void Lowering::part(std::vector<ast::Stmt *> statements) {
  e_.set_location(statements.front()->span);
  ast::Block whole(statements.front()->span);
  whole.statements = std::move(statements);
  auto body = [&](llvm::Function *, const std::vector<llvm::Value *> &) {
    function_.is_part = true;
    block(whole.statements);
  };
  with_callback(
      "part", {"ctx"}, whole, {}, body,
      [this](llvm::Function *function, llvm::Value *shared) { b().CreateCall(function, {shared}); },
      e_.scratch());
}

}  // namespace awl::codegen
