#include "frontend/passes/expand_macros.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "frontend/ast/clone.h"
#include "frontend/ast/visit.h"
#include "frontend/builtins/builtin.h"
#include "frontend/stdlib/standard_library.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kMacroRedefinition, Error, "macro-redefinition",
               "there are two macros {} with the same parameters", std::string);
AWL_DIAGNOSTIC(kMacroDuplicateParameter, Error, "macro-duplicate-parameter",
               "the macro {} has two parameters called {}", std::string, std::string);
AWL_DIAGNOSTIC(kMacroReturn, Error, "macro-return",
               "a macro cannot return: it is put in the place of its call");
AWL_DIAGNOSTIC(kMacroArgumentCount, Error, "macro-argument-count",
               "the macro {} takes {} arguments, found {}", std::string, std::string, size_t);
AWL_DIAGNOSTIC(kMacroArgumentKind, Error, "macro-argument-kind",
               "the macro {} wants a {} for {}, found {}", std::string, std::string, std::string,
               std::string);
AWL_DIAGNOSTIC(kMacroNotHygienic, Error, "macro-not-hygienic",
               "the macro {} uses {}, which is not among its parameters", std::string, std::string);
AWL_DIAGNOSTIC(kMacroRecursion, Error, "macro-recursion", "the macro {} calls itself: {}",
               std::string, std::string);
AWL_DIAGNOSTIC(kMacroNotType, Error, "macro-not-type",
               "the macro {} uses '{}' as a type, but the argument is none", std::string,
               std::string);
AWL_DIAGNOSTIC(kMacroTooLarge, Error, "macro-too-large",
               "the macros that {} calls lead to too many expressions", std::string);

// Macros that double each other grow without bound.
constexpr size_t kMaxNodes = 200'000;
constexpr size_t kMaxDepth = 100;

using Kind = ast::MacroParameter::Kind;

const char *kind_name(Kind kind) {
  switch (kind) {
    case Kind::kVariable:
      return "scratch variable";
    case Kind::kMap:
      return "map";
    case Kind::kExpression:
      return "expression";
  }
  return "";
}

const std::string *map_name(const ast::Expr &expr) {
  if (auto *map = ast::as<ast::Map>(&expr)) return &map->name;
  auto *access = ast::as<ast::MapAccess>(&expr);
  return access && !access->key ? &access->name : nullptr;
}

std::string found_kind(const ast::Expr &expr) {
  if (expr.kind == ast::NodeKind::kVariable) return "a scratch variable";
  return map_name(expr) ? "a map" : "an expression";
}

bool fits(const ast::MacroParameter &parameter, const ast::Expr &argument) {
  if (parameter.kind == Kind::kVariable) return argument.kind == ast::NodeKind::kVariable;
  return parameter.kind != Kind::kMap || map_name(argument);
}

// How many parameters ask for more than an expression; -1: the arguments do not fit.
int specificity(const ast::Macro &macro, const std::vector<ast::Expr *> &arguments) {
  if (macro.parameters.size() != arguments.size()) return -1;
  int score = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!fits(macro.parameters[i], *arguments[i])) return -1;
    if (macro.parameters[i].kind != Kind::kExpression) ++score;
  }
  return score;
}

using MacroTable = std::map<std::string, std::vector<ast::Macro *>>;

const ast::Macro *best_match(const MacroTable &table, const std::string &name,
                             const std::vector<ast::Expr *> &arguments) {
  auto found = table.find(name);
  if (found == table.end()) return nullptr;
  const ast::Macro *best = nullptr;
  int best_score = -1;
  for (const ast::Macro *macro : found->second) {
    int score = specificity(*macro, arguments);
    if (score > best_score) {
      best = macro;
      best_score = score;
    }
  }
  return best;
}

// Makes one copy of a macro's body with the arguments in it.
class Instance {
 public:
  // `most_nodes`: how many the context may hold before no more arguments are put in.
  Instance(Compilation &compilation, const ast::Macro &macro, size_t id,
           const std::vector<ast::Expr *> &arguments, Span call, bool is_standard,
           size_t most_nodes)
      : compilation_(compilation),
        macro_(macro),
        id_(id),
        call_(call),
        is_standard_(is_standard),
        most_nodes_(most_nodes),
        argument_cloner_(compilation.context),
        cloner_(
            compilation.context, [this](const ast::Expr &expr) { return replace(expr); },
            [this](const ast::TypeSpec &spec) { return replace(spec); }) {
    for (size_t i = 0; i < arguments.size(); ++i) {
      arguments_[macro.parameters[i].name] = arguments[i];
    }
  }

  ast::BlockExpr *make() {
    auto *body = ast::as<ast::BlockExpr>(cloner_.clone(static_cast<ast::Expr *>(macro_.body)));
    body->span = call_;
    if (is_standard_) ast::walk(*body, [this](ast::Node &node) { move_to_call(node); });
    return body;
  }

 private:
  // What the library says of its own text, messages and lines of the verifier, is said of the call.
  void move_to_call(ast::Node &node) {
    auto move = [this](Span &span) {
      if (span.source == macro_.span.source) span = call_;
    };
    move(node.span);
    if (auto *call = ast::as<ast::Call>(&node)) move(call->name_span);
    if (auto *binary = ast::as<ast::Binary>(&node)) move(binary->op_span);
    if (auto *field = ast::as<ast::FieldAccess>(&node)) move(field->field_span);
  }

  const ast::Expr *argument(const std::string &name) const {
    auto found = arguments_.find(name);
    return found == arguments_.end() ? nullptr : found->second;
  }

  // The type that a parameter stands for: its argument is `typeof(…)`.
  const ast::TypeSpec *argument_type(const ast::Expr *use) const {
    auto *name = ast::as<ast::Identifier>(use);
    auto *given = name ? ast::as<ast::Typeof>(argument(name->name)) : nullptr;
    return given ? given->type_spec : nullptr;
  }

  // The value that a parameter named where a type may stand stands for: `sizeof(x)`.
  const ast::Expr *argument_value(const ast::TypeSpec *use) const {
    bool is_name = use && use->base == ast::TypeSpec::Base::kNamed && use->modifiers.empty();
    const ast::Expr *given = is_name ? argument(use->name) : nullptr;
    return ast::as<ast::Typeof>(given) ? nullptr : given;
  }

  ast::Expr *replace(const ast::Expr &expr) {
    switch (expr.kind) {
      case ast::NodeKind::kIdentifier: {
        const ast::Expr *given = argument(static_cast<const ast::Identifier &>(expr).name);
        bool has_room = compilation_.context.node_count() <= most_nodes_;
        return given && has_room ? argument_cloner_.clone(given) : nullptr;
      }
      case ast::NodeKind::kVariable:
        return variable(static_cast<const ast::Variable &>(expr));
      case ast::NodeKind::kMap: {
        auto &map = static_cast<const ast::Map &>(expr);
        return compilation_.context.make<ast::Map>(map.span, resolve_map(map.name, map.span));
      }
      case ast::NodeKind::kMapAccess: {
        auto &access = static_cast<const ast::MapAccess &>(expr);
        std::string name = resolve_map(access.name, access.span);
        return compilation_.context.make<ast::MapAccess>(access.span, std::move(name),
                                                         cloner_.clone(access.key));
      }
      case ast::NodeKind::kSizeof: {
        auto &size = static_cast<const ast::Sizeof &>(expr);
        const ast::TypeSpec *type = argument_type(size.operand);
        const ast::Expr *value = argument_value(size.type_spec);
        if (!type && !value) return nullptr;
        auto *copy = compilation_.context.make<ast::Sizeof>(size.span);
        if (value) {
          copy->operand = argument_cloner_.clone(value);
          return copy;
        }
        copy->type_spec = argument_cloner_.clone(type);
        return copy;
      }
      case ast::NodeKind::kOffsetof: {
        auto &offset = static_cast<const ast::Offsetof &>(expr);
        const ast::TypeSpec *type = argument_type(offset.operand);
        auto *copy = compilation_.context.make<ast::Offsetof>(offset.span);
        if (type) {
          copy->type_spec = argument_cloner_.clone(type);
        } else {
          copy->type_spec = cloner_.clone(offset.type_spec);
          copy->operand = cloner_.clone(offset.operand);
        }
        copy->path = member_path(offset.path);
        return copy;
      }
      default:
        return nullptr;
    }
  }

  // A parameter that begins the path of an offsetof stands for the members that its argument names.
  std::vector<std::string> member_path(const std::vector<std::string> &path) const {
    std::vector<std::string> names;
    const ast::Expr *given = argument(path.front());
    while (auto *field = ast::as<ast::FieldAccess>(given)) {
      names.insert(names.begin(), field->field);
      given = field->object;
    }
    auto *first = ast::as<ast::Identifier>(given);
    if (!first) return path;
    names.insert(names.begin(), first->name);
    names.insert(names.end(), path.begin() + 1, path.end());
    return names;
  }

  // A parameter is the caller's variable, any other variable one of this instance alone.
  ast::Expr *variable(const ast::Variable &variable) {
    auto *given = ast::as<ast::Variable>(argument(variable.name));
    std::string name = given ? given->name : fmt::format("{}:{}", variable.name, id_);
    return compilation_.context.make<ast::Variable>(variable.span, std::move(name));
  }

  std::string resolve_map(const std::string &name, Span span) {
    if (const ast::Expr *given = argument(name)) return *map_name(*given);
    // `@x += 1` names it twice.
    if (!reported_.insert(span.begin).second) return name;
    compilation_.diagnostics.emit(span, kMacroNotHygienic, macro_.name, name)
        .hint("pass the map as an argument")
        .note(call_, "called here");
    return name;
  }

  // A parameter used as a type: `(x *)y`, `let $v: x`, `typeof(x)`.
  ast::TypeSpec *replace(const ast::TypeSpec &spec) {
    const ast::Expr *given = nullptr;
    std::string name;
    if (spec.base == ast::TypeSpec::Base::kNamed) {
      name = spec.name;
      given = argument(name);
      if (!given) return nullptr;
    } else if (const ast::Expr *value = argument_value(spec.typeof_type)) {
      auto *copy = compilation_.context.make<ast::TypeSpec>(spec.span);
      copy->base = ast::TypeSpec::Base::kTypeof;
      copy->typeof_expr = argument_cloner_.clone(value);
      for (const ast::TypeSpec::Modifier &modifier : spec.modifiers) {
        copy->modifiers.push_back({modifier.is_pointer, cloner_.clone(modifier.count)});
      }
      return copy;
    } else if (auto *inner = ast::as<ast::Identifier>(spec.typeof_expr)) {
      given = argument(inner->name);
      if (!ast::as<ast::Typeof>(given)) return nullptr;
    } else {
      return nullptr;
    }
    auto *type = ast::as<ast::Typeof>(given);
    if (!type) {
      compilation_.diagnostics.emit(spec.span, kMacroNotType, macro_.name, name)
          .hint("pass the type as typeof(…)")
          .note(given->span, "the argument");
      return nullptr;
    }
    ast::TypeSpec *copy = argument_cloner_.clone(type->type_spec);
    for (const ast::TypeSpec::Modifier &modifier : spec.modifiers) {
      copy->modifiers.push_back({modifier.is_pointer, cloner_.clone(modifier.count)});
    }
    return copy;
  }

  Compilation &compilation_;
  const ast::Macro &macro_;
  const size_t id_;
  const Span call_;
  const bool is_standard_;
  const size_t most_nodes_;
  std::map<std::string, const ast::Expr *> arguments_;
  std::set<uint32_t> reported_;
  ast::Cloner argument_cloner_, cloner_;
};

class Expander {
 public:
  Expander(Compilation &compilation, ast::Program &program)
      : compilation_(compilation),
        diagnostics_(compilation.diagnostics),
        most_nodes_(compilation.context.node_count() + kMaxNodes) {
    for (ast::Macro *macro : program.macros) {
      if (is_new(*macro)) script_[macro->name].push_back(macro);
      check(*macro);
    }
  }

  void run(ast::Program &program) {
    for (ast::Clause *clause : program.clauses) expand_below(*clause);
  }

 private:
  bool is_new(const ast::Macro &macro) {
    for (const ast::Macro *other : script_[macro.name]) {
      bool is_same = std::equal(macro.parameters.begin(), macro.parameters.end(),
                                other->parameters.begin(), other->parameters.end(),
                                [](const auto &a, const auto &b) { return a.kind == b.kind; });
      if (!is_same) continue;
      diagnostics_.emit(macro.name_span, kMacroRedefinition, macro.name)
          .note(other->name_span, "the first one");
      return false;
    }
    return true;
  }

  void check(const ast::Macro &macro) {
    std::set<std::string> names;
    for (const ast::MacroParameter &parameter : macro.parameters) {
      if (names.insert(parameter.name).second) continue;
      diagnostics_.emit(parameter.span, kMacroDuplicateParameter, macro.name, parameter.name);
    }
    ast::walk(*macro.body, [&](ast::Node &node) {
      if (node.kind == ast::NodeKind::kReturn) diagnostics_.emit(node.span, kMacroReturn);
    });
  }

  void expand_below(ast::Node &node) {
    ast::for_each_child(
        node, [&](ast::Expr *&expr) { expand(expr); },
        [&](ast::Stmt *&stmt) { expand_below(*stmt); });
  }

  // Arguments are expanded first, where they were written.
  void expand(ast::Expr *&expr) {
    if (is_stopped_) return;
    auto *name = ast::as<ast::Identifier>(expr);
    auto *call = ast::as<ast::Call>(expr);
    if (!name && !call) return expand_below(*expr);
    expand_below(*expr);
    static const std::vector<ast::Expr *> kNoArguments;
    const std::vector<ast::Expr *> &arguments = call ? call->arguments : kNoArguments;
    const std::string &wanted = name ? name->name : call->name;
    const ast::Macro *macro = find(wanted, arguments, name != nullptr, expr->span);
    if (macro) expr = instantiate(*macro, arguments, expr);
  }

  // Parses the file that a macro of the standard library stands in, when first one of it is wanted.
  void load_standard(const std::string &name) {
    const StandardName *found = find_standard_name(name);
    if (!found || !loaded_files_.insert(found->file).second) return;
    const StandardFile &file = standard_files()[found->file];
    ast::Program *parsed = parse(compilation_, std::string(file.name), std::string(file.text));
    assert(parsed && "the standard library has no errors");
    for (ast::Macro *macro : parsed->macros) {
      library_[macro->name].push_back(macro);
      library_macros_.insert(macro);
    }
  }

  bool is_in_library() const {
    return !active_.empty() && library_macros_.contains(active_.back());
  }

  const ast::Macro *find(const std::string &name, const std::vector<ast::Expr *> &arguments,
                         bool is_bare, Span span) {
    bool has_script = !is_in_library() && script_.contains(name);
    const Builtin *builtin = find_builtin(name);
    bool is_library = !builtin || !takes(*builtin, arguments.size());
    if (is_library) load_standard(name);
    if (!has_script && !(is_library && library_.contains(name))) return nullptr;
    const ast::Macro *macro = has_script ? best_match(script_, name, arguments) : nullptr;
    if (!macro && is_library) macro = best_match(library_, name, arguments);
    TypeStore::Constant constant;
    bool is_other = builtin || (is_bare && compilation_.types.find_constant(name, &constant));
    if (!macro && !is_other) {
      const MacroTable &table = has_script ? script_ : library_;
      report_mismatch(table.at(name), arguments, span);
    }
    return macro;
  }

  void report_mismatch(const std::vector<ast::Macro *> &macros,
                       const std::vector<ast::Expr *> &arguments, Span span) {
    std::string counts;
    for (const ast::Macro *macro : macros) {
      if (macro->parameters.size() != arguments.size()) {
        counts += (counts.empty() ? "" : " or ") + std::to_string(macro->parameters.size());
        continue;
      }
      for (size_t i = 0; i < arguments.size(); ++i) {
        const ast::MacroParameter &parameter = macro->parameters[i];
        if (fits(parameter, *arguments[i])) continue;
        diagnostics_
            .emit(arguments[i]->span, kMacroArgumentKind, macro->name, kind_name(parameter.kind),
                  parameter.name, found_kind(*arguments[i]))
            .note(parameter.span, "this parameter");
        return;
      }
    }
    diagnostics_.emit(span, kMacroArgumentCount, macros.front()->name, counts, arguments.size())
        .note(macros.front()->name_span, "defined here");
  }

  ast::Expr *instantiate(const ast::Macro &macro, const std::vector<ast::Expr *> &arguments,
                         ast::Expr *call) {
    if (is_stopped_) return call;
    bool is_recursive = std::find(active_.begin(), active_.end(), &macro) != active_.end();
    if (is_recursive || active_.size() > kMaxDepth) {
      std::string chain;
      for (const ast::Macro *outer : active_) chain += outer->name + " → ";
      diagnostics_.emit(call->span, kMacroRecursion, macro.name, chain + macro.name)
          .note(macro.name_span, "defined here");
      return call;
    }
    ast::BlockExpr *body = Instance(compilation_, macro, ++instances_, arguments, call->span,
                                    library_macros_.contains(&macro), most_nodes_)
                               .make();
    if (compilation_.context.node_count() > most_nodes_) {
      diagnostics_.emit(call->span, kMacroTooLarge, macro.name);
      is_stopped_ = true;
      return call;
    }
    active_.push_back(&macro);
    expand_below(*body);
    active_.pop_back();
    return body;
  }

  Compilation &compilation_;
  Diagnostics &diagnostics_;
  MacroTable script_, library_;
  std::set<const ast::Macro *> library_macros_;
  std::set<uint32_t> loaded_files_;
  std::vector<const ast::Macro *> active_;  // those whose bodies are being expanded
  const size_t most_nodes_;
  size_t instances_ = 0;
  bool is_stopped_ = false;
};

}  // namespace

bool is_expansion(const ast::BlockExpr &node) {
  const ast::Node *inner = node.result;
  if (!node.statements.empty()) inner = node.statements.front();
  if (!inner) return false;
  return inner->span.source != node.span.source || inner->span.begin < node.span.begin ||
         inner->span.end > node.span.end;
}

void expand_macros(Compilation &compilation, ast::Program &program) {
  Expander(compilation, program).run(program);
}

}  // namespace awl::frontend
