#include "frontend/passes/resolve_variables.h"

#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "frontend/ast/visit.h"
#include "frontend/diagnostics/nearest_name.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kUndefinedVariable, Error, "undefined-variable",
               "Undefined or undeclared variable: {}", std::string_view);
AWL_DIAGNOSTIC(kVariableRedeclared, Error, "variable-redeclared",
               "Variable {} was already declared. Variable shadowing is not allowed.",
               std::string_view);
AWL_DIAGNOSTIC(kVariableNeverAssigned, Warning, "variable-never-assigned",
               "Variable {} was never assigned to.", std::string_view);

namespace {

class VariableResolver {
 public:
  VariableResolver(Compilation &compilation, ast::Clause &clause)
      : diagnostics_(compilation.diagnostics), clause_(clause) {}

  void run() {
    Scope scope(*this);
    if (clause_.predicate) visit(*clause_.predicate);
    visit_block(*clause_.body);
    for (const auto &decl : clause_.variables) {
      if (!assigned_.contains(decl.get())) {
        diagnostics_.emit(decl->span, kVariableNeverAssigned, shown(decl->name));
      }
    }
  }

 private:
  // The names declared in a block; gone with it.
  struct Scope {
    explicit Scope(VariableResolver &resolver) : resolver(resolver) {
      resolver.scopes_.emplace_back();
    }
    ~Scope() {
      for (const auto &[name, decl] : resolver.scopes_.back()) resolver.ended_.emplace(name);
      resolver.scopes_.pop_back();
    }
    VariableResolver &resolver;
  };

  // Variables of macros have a suffix that tells them apart.
  static std::string shown(const std::string &name) { return name.substr(0, name.find(':')); }

  void visit_statements(const std::vector<ast::Stmt *> &statements) {
    for (ast::Stmt *stmt : statements) visit(*stmt);
  }

  void visit_block(ast::Block &block) {
    Scope scope(*this);
    visit_statements(block.statements);
  }

  void visit(ast::Node &node) {
    switch (node.kind) {
      case ast::NodeKind::kVariable:
        return refer(static_cast<ast::Variable &>(node));
      case ast::NodeKind::kAssign:
        return visit_assign(static_cast<ast::Assign &>(node));
      case ast::NodeKind::kLet:
        return visit_let(static_cast<ast::Let &>(node));
      case ast::NodeKind::kIncDec:
        return visit_inc_dec(static_cast<ast::IncDec &>(node));
      case ast::NodeKind::kCall:
        return visit_call(static_cast<ast::Call &>(node));
      case ast::NodeKind::kBlock:
        return visit_block(static_cast<ast::Block &>(node));
      case ast::NodeKind::kForMap: {
        auto &loop = static_cast<ast::ForMap &>(node);
        return visit_loop(*loop.variable, *loop.body);
      }
      case ast::NodeKind::kForRange: {
        auto &loop = static_cast<ast::ForRange &>(node);
        visit(*loop.begin);
        visit(*loop.end);
        return visit_loop(*loop.variable, *loop.body);
      }
      case ast::NodeKind::kBlockExpr: {
        auto &block = static_cast<ast::BlockExpr &>(node);
        Scope scope(*this);
        visit_statements(block.statements);
        if (block.result) visit(*block.result);
        return;
      }
      default:
        ast::for_each_child(
            node, [this](ast::Expr *&expr) { visit(*expr); },
            [this](ast::Stmt *&stmt) { visit(*stmt); });
    }
  }

  void visit_assign(ast::Assign &assign) {
    visit(*assign.value);
    auto *variable = ast::as<ast::Variable>(assign.target);
    if (!variable) return visit(*assign.target);
    variable->decl = find(variable->name);
    if (!variable->decl) variable->decl = declare(*variable);
    assigned_.insert(variable->decl);
  }

  void visit_let(ast::Let &let) {
    if (let.type_spec) visit_type(*let.type_spec);
    if (let.value) visit(*let.value);
    introduce(*let.variable);
    if (let.value) assigned_.insert(let.variable->decl);
  }

  // The types as written that can hold expressions under typeof.
  void visit_type(ast::TypeSpec &spec) {
    if (spec.typeof_expr) visit(*spec.typeof_expr);
    if (spec.typeof_type) visit_type(*spec.typeof_type);
  }

  void visit_inc_dec(ast::IncDec &node) {
    visit(*node.target);
    if (auto *variable = ast::as<ast::Variable>(node.target)) assigned_.insert(variable->decl);
  }

  // find() writes to its third argument.
  void visit_call(ast::Call &call) {
    for (ast::Expr *argument : call.arguments) visit(*argument);
    if (call.name != "find" || call.arguments.size() < 3) return;
    if (auto *variable = ast::as<ast::Variable>(call.arguments[2]))
      assigned_.insert(variable->decl);
  }

  void visit_loop(ast::Variable &variable, ast::Block &body) {
    Scope scope(*this);
    introduce(variable);
    assigned_.insert(variable.decl);
    visit_block(body);
  }

  void refer(ast::Variable &variable) {
    variable.decl = find(variable.name);
    if (variable.decl) return;
    std::vector<std::string> names;
    for (const auto &scope : scopes_) {
      for (const auto &[name, decl] : scope) {
        if (!undefined_.contains(decl)) names.emplace_back(name);
      }
    }
    std::string nearest = nearest_name(variable.name, names);
    auto diagnostic = diagnostics_.emit(variable.span, kUndefinedVariable, shown(variable.name));
    if (ended_.contains(variable.name)) {
      diagnostic.hint(
          "it ended with the block that it was assigned in; declare it before that: let " +
          shown(variable.name) + ";");
    } else if (!nearest.empty()) {
      diagnostic.hint("did you mean " + shown(nearest) + "?");
    }
    // Said once: from here on the name is known.
    variable.decl = declare(variable);
    assigned_.insert(variable.decl);
    undefined_.insert(variable.decl);
  }

  // A declaration by `let` or a loop.
  void introduce(ast::Variable &variable) {
    if (ast::VariableDecl *earlier = find(variable.name)) {
      diagnostics_.emit(variable.span, kVariableRedeclared, shown(variable.name))
          .note(earlier->span, "This is the initial declaration.");
      variable.decl = earlier;
      return;
    }
    variable.decl = declare(variable);
  }

  ast::VariableDecl *declare(const ast::Variable &variable) {
    auto decl = std::make_unique<ast::VariableDecl>();
    decl->name = variable.name;
    decl->id = static_cast<uint32_t>(clause_.variables.size());
    decl->span = variable.span;
    clause_.variables.push_back(std::move(decl));
    return scopes_.back()[variable.name] = clause_.variables.back().get();
  }

  ast::VariableDecl *find(const std::string &name) {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      if (auto found = scope->find(name); found != scope->end()) return found->second;
    }
    return nullptr;
  }

  Diagnostics &diagnostics_;
  ast::Clause &clause_;
  std::vector<std::unordered_map<std::string, ast::VariableDecl *>> scopes_;
  std::unordered_set<const ast::VariableDecl *> assigned_;
  std::unordered_set<const ast::VariableDecl *> undefined_;  // taken for declared after an error
  std::unordered_set<std::string> ended_;                    // names of blocks that have ended
};

}  // namespace

void resolve_variables(Compilation &compilation) {
  for (ProgramInfo &program : compilation.checked.programs) {
    VariableResolver(compilation, *program.clause).run();
  }
}

}  // namespace awl::frontend
