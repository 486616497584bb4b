// What the check of a builtin works with: the call, the program it stands in, and the questions
// that most checks ask about their arguments.
//
// A check gives the type of the call, or null after it has reported what is wrong. It runs many
// times, as types are inferred: reports count only in the last walk, and conversions happen only
// then.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/passes/type_checker.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kArgumentType, Error, "argument-type",
               "{}() expects {} as its {} argument ({} provided)", std::string_view,
               std::string_view, std::string_view, std::string);
AWL_DIAGNOSTIC(kArgumentValue, Error, "argument-value", "{}(): {}", std::string_view, std::string);
AWL_DIAGNOSTIC(kBuiltinProbe, Error, "builtin-probe", "{} can not be used with '{}' probes",
               std::string_view, std::string_view);

class BuiltinContext {
 public:
  BuiltinContext(TypeChecker &checker, const Builtin &builtin, ast::Expr *&expr)
      : checker(checker), builtin(builtin), expr_(expr) {}

  TypeChecker &checker;
  const Builtin &builtin;

  TypeStore &types() { return checker.types(); }
  const ProbeSpec &probe() const { return checker.program().probes.front(); }
  bool is_final() const { return checker.is_final(); }

  template <class... Args>
  Diagnostics::Builder report(Span span, const DiagnosticKind<Args...> &kind,
                              const std::type_identity_t<Args> &...args) {
    return checker.report(span, kind, args...);
  }
  // Reports a value that is not possible; always null.
  TypeRef refuse(Span span, const std::string &why);
  // Warns of a feature that may change, or reports it, as the script's config has it for this one.
  bool allow_unstable(Span span, std::string_view feature, const std::string &policy);
  // Reports an argument of the wrong type, `position` from 0; always false.
  bool refuse_type(const ast::Expr &argument, std::string_view expected, size_t position);

  // Puts another node in the place of the call.
  void replace(ast::Expr *with) { expr_ = with; }
  // Whether the program is of one of these families; else reports.
  bool is_in(std::initializer_list<ProbeFamily> families, const std::string &hint = "");
  // Whether the program is of exit probes; else reports.
  bool is_at_exit();

  // ---- arguments; each reports, and converts in the last walk
  // An integer (bool too), which becomes `to`; null: int64 or uint64, by its sign.
  bool integer(std::vector<ast::Expr *> &arguments, size_t position, TypeRef to = nullptr);
  // A pointer, or an integer that becomes a `char *`: an address to read from.
  bool address(std::vector<ast::Expr *> &arguments, size_t position);
  // A string literal: its text.
  const std::string *text(const std::vector<ast::Expr *> &arguments, size_t position);
  // A string of any kind; a parameter becomes one.
  bool string(std::vector<ast::Expr *> &arguments, size_t position);
  // A string as string() takes it, or what one is read from: an array of bytes, which is copied, or
  // a pointer, which str() reads.
  bool string_like(std::vector<ast::Expr *> &arguments, size_t position);
  // A constant integer: literals, enumerators, sizeof. Literals stay; others become literals.
  std::optional<int64_t> constant(std::vector<ast::Expr *> &arguments, size_t position);
  // The same without a report when it is not one.
  std::optional<int64_t> try_constant(std::vector<ast::Expr *> &arguments, size_t position);
  // The key of `arguments[map]` at `position`, as MapAccess::key would be.
  MapSlot *map(const std::vector<ast::Expr *> &arguments, size_t position = 0);

  uint32_t max_strlen() const { return static_cast<uint32_t>(checker.config().max_strlen); }

 private:
  ast::Expr *&expr_;
};

using Arguments = std::vector<ast::Expr *>;

// The tables by theme, joined in builtins.cpp.
std::vector<Builtin> value_builtins();
std::vector<Builtin> output_builtins();
std::vector<Builtin> map_builtins();
std::vector<Builtin> string_builtins();
std::vector<Builtin> symbol_builtins();
std::vector<Builtin> network_builtins();
std::vector<Builtin> process_builtins();
std::vector<Builtin> aggregation_builtins();
std::vector<Builtin> compile_time_builtins();

}  // namespace awl::frontend
