#include "frontend/passes/resolve_calls.h"

#include <algorithm>
#include <cctype>

#include "frontend/ast/visit.h"
#include "frontend/builtins/builtin.h"
#include "frontend/diagnostics/nearest_name.h"
#include "frontend/passes/expand_macros.h"
#include "frontend/stdlib/standard_library.h"
#include "frontend/target/target.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kUnknownFunction, Error, "unknown-function", "Unknown function: '{}'",
               std::string_view);
AWL_DIAGNOSTIC(kUnknownIdentifier, Error, "unknown-identifier", "Unknown identifier: '{}'",
               std::string_view);
AWL_DIAGNOSTIC(kTooFewArguments, Error, "too-few-arguments",
               "{}() requires at least {} argument{} ({} provided)", std::string_view, int,
               std::string_view, size_t);
AWL_DIAGNOSTIC(kTooManyArguments, Error, "too-many-arguments",
               "{}() takes at most {} argument{} ({} provided)", std::string_view, int,
               std::string_view, size_t);
AWL_DIAGNOSTIC(kImportedArguments, Error, "imported-arguments",
               "{}() takes {} argument{} ({} provided)", std::string_view, size_t, std::string_view,
               size_t);
AWL_DIAGNOSTIC(kUnsafeFunction, Error, "unsafe-function",
               "{}() is an unsafe function being used in safe mode", std::string_view);
AWL_DIAGNOSTIC(kMapArgument, Error, "map-argument", "{}() expects a map argument",
               std::string_view);
AWL_DIAGNOSTIC(kFunctionAsValue, Error, "function-as-value", "{} is a function and needs arguments",
               std::string_view);

namespace {

// Constants of C headers mostly are not.
bool is_lower_case(const std::string &name) {
  return std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return std::isupper(c) != 0; });
}

// Each error that a name is looked for costs a walk over its clause.
constexpr size_t kMaxLookedAt = 50;

std::string_view plural(size_t count) { return count == 1 ? "" : "s"; }

class CallResolver {
 public:
  CallResolver(Compilation &compilation, Target &target, const Options &options)
      : diagnostics_(compilation.diagnostics),
        target_(target),
        types_(compilation.types),
        checked_(compilation.checked),
        nodes_(compilation.context),
        options_(options) {}

  void run(const ProgramInfo &program) {
    program_ = &program;
    visit(*program.clause);
  }

 private:
  void visit(ast::Node &node) {
    ast::for_each_child(
        node, [this](ast::Expr *&expr) { visit_expr(expr); },
        [this](ast::Stmt *&stmt) { visit(*stmt); });
  }

  void visit_expr(ast::Expr *&expr) {
    if (auto *call = ast::as<ast::Call>(expr)) {
      const Builtin *builtin = find_builtin(call->name);
      if (builtin) take_special_arguments(*call, *builtin);
      visit(*call);
      if (const ImportedFunction *function =
              builtin ? nullptr : checked_.find_function(call->name)) {
        check_count(*call, *function);
      } else if (!builtin) {
        report_unknown(call->name_span, kUnknownFunction, call->name);
      } else {
        expr = resolve_call(call, *builtin);
      }
    } else if (auto *identifier = ast::as<ast::Identifier>(expr)) {
      expr = resolve_identifier(identifier);
    } else {
      auto *block = ast::as<ast::BlockExpr>(expr);
      bool is_macro = block && is_expansion(*block);
      if (is_macro) expansions_.push_back(block->span);
      visit(*expr);
      if (is_macro) expansions_.pop_back();
    }
  }

  template <class... Args>
  Diagnostics::Builder report(Span span, const DiagnosticKind<Args...> &kind,
                              const std::type_identity_t<Args> &...args) {
    auto diagnostic = diagnostics_.emit(span, kind, args...);
    for (auto call = expansions_.rbegin(); call != expansions_.rend(); ++call) {
      diagnostic.note(*call, "expanded from here");
    }
    return diagnostic;
  }

  // Maps as a whole and bare words mean nothing by themselves: they are read here, before the
  // arguments are resolved as the values that they are elsewhere.
  void take_special_arguments(ast::Call &call, const Builtin &builtin) {
    if (call.arguments.empty()) return;
    ast::Expr *&first = call.arguments[0];
    if (auto *word = ast::as<ast::Identifier>(first);
        word && builtin.takes_word && !find_builtin(word->name)) {
      first = nodes_.make<ast::StringLiteral>(word->span, word->name);
      return;
    }
    auto *access = ast::as<ast::MapAccess>(first);
    if (!access || builtin.map_argument == MapArgument::kNever) return;
    bool is_deletion = builtin.name == "delete" && call.arguments.size() == 1;
    if (access->key && !is_deletion) return;
    if (access->key) call.arguments.push_back(access->key);
    call.arguments[0] = nodes_.make<ast::Map>(access->span, access->name);
  }

  ast::Expr *resolve_call(ast::Call *call, const Builtin &builtin) {
    size_t count = call->arguments.size();
    if (!check_use(call->span, builtin)) return call;
    if (count < static_cast<size_t>(builtin.min_arguments)) {
      report(call->span, kTooFewArguments, builtin.name, builtin.min_arguments,
             plural(static_cast<size_t>(builtin.min_arguments)), count)
          .hint(std::string(builtin.signature));
    } else if (builtin.max_arguments >= 0 && count > static_cast<size_t>(builtin.max_arguments)) {
      report(call->span, kTooManyArguments, builtin.name, builtin.max_arguments,
             plural(static_cast<size_t>(builtin.max_arguments)), count)
          .hint(std::string(builtin.signature));
    } else if (builtin.map_argument == MapArgument::kAlways &&
               !ast::as<ast::Map>(call->arguments[0])) {
      report(call->arguments[0]->span, kMapArgument, builtin.name);
    } else if (builtin.is_value && count == 0) {
      return nodes_.make<ast::Identifier>(call->span, call->name);
    }
    return call;
  }

  ast::Expr *resolve_identifier(ast::Identifier *identifier) {
    if (const Builtin *builtin = find_builtin(identifier->name)) {
      if (!check_use(identifier->span, *builtin)) return identifier;
      if (builtin->min_arguments > 0) {
        report(identifier->span, kFunctionAsValue, identifier->name)
            .hint(std::string(builtin->signature));
        return identifier;
      }
      if (builtin->is_value) return identifier;
      return nodes_.make<ast::Call>(identifier->span, identifier->name, std::vector<ast::Expr *>{},
                                    identifier->span);
    }
    TypeStore::Constant constant;
    if (!types_.find_constant(identifier->name, &constant)) {
      report_unknown(identifier->span, kUnknownIdentifier, identifier->name);
      return identifier;
    }
    if (constant.of) {
      identifier->constant = constant.value;
      return identifier;
    }
    auto *literal =
        nodes_.make<ast::IntegerLiteral>(identifier->span, static_cast<uint64_t>(constant.value));
    literal->is_negative = constant.value < 0;
    return literal;
  }

  void check_count(const ast::Call &call, const ImportedFunction &function) {
    const size_t wanted = function.parameters.size();
    if (call.arguments.size() == wanted) return;
    diagnostics_
        .emit(call.span, kImportedArguments, function.name, wanted, plural(wanted),
              call.arguments.size())
        .note(function.span, "imported here");
  }

  // Whether the builtin may be used at all here.
  bool check_use(Span span, const Builtin &builtin) {
    if (builtin.is_unsafe && !options_.allow_unsafe) {
      report(span, kUnsafeFunction, builtin.name).hint("use the --unsafe flag to allow it");
      return false;
    }
    return true;
  }

  void report_unknown(Span span, const DiagnosticKind<std::string_view> &kind,
                      const std::string &name) {
    std::vector<std::string> names;
    for (const Builtin &builtin : all_builtins()) names.emplace_back(builtin.name);
    for (const StandardName &macro : standard_names()) names.emplace_back(macro.name);
    std::string nearest = nearest_name(name, names);
    if (std::string own = &kind == &kUnknownIdentifier ? with_sign(name) : ""; !own.empty()) {
      nearest = own;
    }
    auto diagnostic = report(span, kind, name);
    if (!nearest.empty()) {
      diagnostic.hint("did you mean " + nearest + "?");
    } else if (&kind == &kUnknownIdentifier && is_lower_case(name)) {
      diagnostic.hint("variables begin with $, maps with @; texts stand in double quotes");
    }
  }

  // What the name would be with all that belongs to it: `$x`, `@x`, `args.x`.
  std::string with_sign(const std::string &name) const {
    std::string found;
    if (diagnostics_.error_count() > kMaxLookedAt) return found;
    ast::walk(*program_->clause, [&](ast::Node &node) {
      if (auto *variable = ast::as<ast::Variable>(&node); variable && variable->name == "$" + name)
        found = variable->name;
      if (auto *map = ast::as<ast::MapAccess>(&node); map && map->name == "@" + name)
        found = map->name;
    });
    return found.empty() && is_argument(name) ? "args." + name : found;
  }

  bool is_argument(const std::string &name) const {
    const ProbeSpec &probe = program_->probes.front();
    if (probe.family == ProbeFamily::kTracepoint && !probe.has_wildcard) {
      Result<TracepointFormat> format = target_.tracepoint_format(probe.category, probe.target);
      return format && std::any_of(format->fields.begin(), format->fields.end(),
                                   [&](const auto &field) { return field.name == name; });
    }
    // Of others when `args` stands in the clause.
    if (!probe.args_type) return false;
    const auto &members = types_.complete(probe.args_type->struct_def).members;
    return std::any_of(members.begin(), members.end(),
                       [&](const auto &member) { return member.name == name; });
  }

  Diagnostics &diagnostics_;
  Target &target_;
  TypeStore &types_;
  const CheckedProgram &checked_;
  ast::Context &nodes_;
  const Options &options_;
  const ProgramInfo *program_ = nullptr;
  std::vector<Span> expansions_;  // calls of the macros whose bodies are being looked at
};

}  // namespace

void resolve_calls(Compilation &compilation, Target &target, const Options &options) {
  CallResolver resolver(compilation, target, options);
  for (ProgramInfo &program : compilation.checked.programs) resolver.run(program);
}

}  // namespace awl::frontend
