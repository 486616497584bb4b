// The table of builtins: one record each, which checker, code generator, documentation and
// completion share. Adding a builtin means adding one record to a file in this folder, and one
// lowering under the same name to codegen/lower_builtins_*.cpp; CONTRIBUTING.md shows it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/ast/ast.h"
#include "frontend/checked_program.h"
#include "frontend/diagnostics/diagnostic.h"
#include "frontend/frontend.h"

namespace awl::frontend {

class BuiltinContext;  // what a check may ask for, see check_builtin.h

// Whether the first argument is a map as a whole (ast::Map) rather than the value of one.
enum class MapArgument { kNever, kMaybe, kAlways };

struct Builtin {
  std::string_view name;
  std::string_view
      signature;  // as shown in the documentation: "string str(char * data [, uint64 length])"
  std::string_view description;  // one sentence
  int min_arguments = 0;
  int max_arguments = 0;  // -1: any number
  bool is_unsafe = false;
  bool is_async = false;  // handled by the runtime
  bool is_aggregation = false;
  bool is_statement = false;  // no value
  // `pid` and its like, all of values.cpp: without arguments always an Identifier after
  // resolve_calls, also when the script says `pid()`. All others are always Calls.
  bool is_value = false;
  // The first argument may be a bare word (`nsecs(boot)`, `kstack(perf, 3)`): it becomes a string
  // literal.
  bool takes_word = false;
  MapArgument map_argument = MapArgument::kNever;
  // Checks the call (argument types are set) and gives its type; null after an error was emitted.
  // `arguments` is empty for a bare name.
  TypeRef (*check)(BuiltinContext &context, ast::Expr &call,
                   std::vector<ast::Expr *> &arguments) = nullptr;
};

// Whether a builtin may be called with so many arguments.
bool takes(const Builtin &builtin, size_t count);

// Null when there is no such builtin. `arg0`… are found as `argN`.
const Builtin *find_builtin(std::string_view name);
const std::vector<Builtin> &all_builtins();

}  // namespace awl::frontend
