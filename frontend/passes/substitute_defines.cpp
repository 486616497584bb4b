#include "frontend/passes/substitute_defines.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "frontend/ast/clone.h"
#include "frontend/ast/visit.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kDefineNotExpression, Error, "define-not-expression",
               "'{}' is defined as something that is not an expression", std::string);
AWL_DIAGNOSTIC(kDefineArgumentCount, Error, "define-argument-count",
               "'{}' takes {} arguments, found {}", std::string, size_t, size_t);
AWL_DIAGNOSTIC(kDefineTooDeep, Error, "define-too-deep",
               "the definitions that '{}' uses lead to too many expressions", std::string);

// Definitions that double each other grow without bound; nobody's script needs more than this.
constexpr size_t kMaxNodes = 200'000;

class Substituter {
 public:
  explicit Substituter(Compilation &compilation)
      : diagnostics_(compilation.diagnostics),
        context_(compilation.context),
        nodes_at_start_(context_.node_count()) {}

  // A definition holds from its line on, to the next of its name or its #undef: for the rest of
  // the script, what holds at the end of the C part.
  void run(ast::Program &program) {
    for (ast::CDefinition *definition : program.c_definitions) {
      if (definition->definition == ast::CDefinition::Kind::kDefine) {
        defines_[definition->name] = definition;
      } else if (definition->definition == ast::CDefinition::Kind::kUndef) {
        defines_.erase(definition->name);
      } else if (!defines_.empty()) {
        visit(*definition);
      }
    }
    if (defines_.empty()) return;
    for (ast::MapDeclaration *declaration : program.map_declarations) visit(*declaration);
    for (ast::Macro *macro : program.macros) visit_macro(*macro);
    for (ast::Clause *clause : program.clauses) visit(*clause);
  }

 private:
  void visit(ast::Node &node) {
    ast::for_each_child(
        node, [&](ast::Expr *&expr) { visit_expr(expr); }, [&](ast::Stmt *&stmt) { visit(*stmt); });
  }

  // A macro's parameter hides a definition of its name.
  void visit_macro(ast::Macro &macro) {
    std::set<std::string> hidden;
    for (const ast::MacroParameter &parameter : macro.parameters) {
      if (active_.insert(parameter.name).second) hidden.insert(parameter.name);
    }
    visit(macro);
    for (const std::string &name : hidden) active_.erase(name);
  }

  void visit(ast::CDefinition &definition) {
    for (ast::CDefinition::Member &member : definition.members) {
      visit_type(member.type);
      if (member.nested) visit(*member.nested);
      for (auto &modifier : member.modifiers) visit_expr(modifier.count);
      visit_expr(member.bit_size);
    }
    for (ast::CDefinition::Enumerator &enumerator : definition.enumerators) {
      visit_expr(enumerator.value);
    }
    visit_type(definition.type);
    if (definition.nested) visit(*definition.nested);
  }

  void visit_type(ast::TypeSpec *spec) {
    if (!spec) return;
    for (auto &modifier : spec->modifiers) visit_expr(modifier.count);
  }

  void visit_expr(ast::Expr *&expr) {
    if (!expr || is_too_deep_) return;
    ast::Expr *original = expr;
    expr = replaced(expr);
    if (expr == original) visit(*expr);
  }

  // What stands for a use of a definition; the expression itself when it is none. What comes from a
  // definition is complete: nothing below it is left to be replaced.
  ast::Expr *replaced(ast::Expr *expr) {
    auto *name = ast::as<ast::Identifier>(expr);
    auto *call = ast::as<ast::Call>(expr);
    if (!name && !call) return expr;
    auto found = defines_.find(name ? name->name : call->name);
    if (found == defines_.end() || active_.contains(found->first)) return expr;
    const ast::CDefinition &define = *found->second;
    if (define.is_function_like != (call != nullptr)) {
      // `#define f g` renames what is called.
      if (auto *other = ast::as<ast::Identifier>(define.value); call && other) {
        call->name = other->name;
      }
      return expr;
    }
    if (!define.value) {
      if (!define.text.empty() || call) {
        diagnostics_.emit(expr->span, kDefineNotExpression, define.name)
            .note(define.span, "defined here");
      }
      return expr;
    }
    return call ? expand_call(*call, define) : expand(define, expr, {});
  }

  ast::Expr *expand_call(ast::Call &call, const ast::CDefinition &define) {
    if (call.arguments.size() != define.parameters.size()) {
      diagnostics_
          .emit(call.span, kDefineArgumentCount, define.name, define.parameters.size(),
                call.arguments.size())
          .note(define.span, "defined here");
      return &call;
    }
    std::map<std::string, const ast::Expr *> arguments;
    for (size_t i = 0; i < call.arguments.size(); ++i) {
      ast::Expr *argument = call.arguments[i];
      visit_expr(argument);
      arguments[define.parameters[i]] = argument;
    }
    return expand(define, &call, arguments);
  }

  bool is_too_large() const { return context_.node_count() - nodes_at_start_ > kMaxNodes; }

  ast::Expr *expand(const ast::CDefinition &define, ast::Expr *use,
                    const std::map<std::string, const ast::Expr *> &arguments) {
    if (is_too_large()) {
      if (!is_too_deep_) diagnostics_.emit(use->span, kDefineTooDeep, define.name);
      is_too_deep_ = true;
      return use;
    }
    ast::Cloner argument_cloner(context_);
    std::set<const ast::Node *> given;
    ast::Cloner cloner(context_, [&](const ast::Expr &part) -> ast::Expr * {
      auto *name = ast::as<ast::Identifier>(&part);
      auto found = name ? arguments.find(name->name) : arguments.end();
      if (found == arguments.end() || is_too_large()) return nullptr;
      ast::Expr *copy = argument_cloner.clone(found->second);
      given.insert(copy);
      return copy;
    });
    ast::Expr *body = cloner.clone(define.value);
    active_.insert(define.name);
    visit_body(body, given);
    active_.erase(define.name);
    // Messages about it point to where the script uses it.
    if (!given.contains(body)) body->span = use->span;
    return body;
  }

  // The definitions that a body uses; arguments have been done already.
  void visit_body(ast::Expr *&expr, const std::set<const ast::Node *> &given) {
    if (given.contains(expr) || is_too_deep_) return;
    ast::Expr *original = expr;
    expr = replaced(expr);
    if (expr != original) return;
    ast::for_each_child(
        *expr, [&](ast::Expr *&child) { visit_body(child, given); },
        [&](ast::Stmt *&stmt) { visit(*stmt); });
  }

  Diagnostics &diagnostics_;
  ast::Context &context_;
  std::map<std::string, const ast::CDefinition *> defines_;
  std::set<std::string> active_;  // names that are not replaced now
  const size_t nodes_at_start_;
  bool is_too_deep_ = false;
};

}  // namespace

void substitute_defines(Compilation &compilation, ast::Program &program) {
  Substituter(compilation).run(program);
}

}  // namespace awl::frontend
