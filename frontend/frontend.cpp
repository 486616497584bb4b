// The pipeline from text to checked program.
#include "frontend/frontend.h"

#include "frontend/passes/assigned_maps.h"
#include "frontend/passes/check_types.h"
#include "frontend/passes/collect_c_definitions.h"
#include "frontend/passes/collect_parameters.h"
#include "frontend/passes/expand_macros.h"
#include "frontend/passes/fold_constants.h"
#include "frontend/passes/import_objects.h"
#include "frontend/passes/include_headers.h"
#include "frontend/passes/load_imports.h"
#include "frontend/passes/merge_config.h"
#include "frontend/passes/resolve_calls.h"
#include "frontend/passes/resolve_probes.h"
#include "frontend/passes/resolve_variables.h"

namespace awl::frontend {
namespace {

bool run_passes(Compilation &compilation, std::string name, std::string text, Target &target,
                const Options &options) {
  Diagnostics &diagnostics = compilation.diagnostics;
  CheckedProgram &checked = compilation.checked;
  // Types and constants of the kernel are found from the first pass on that meets a name.
  compilation.resolver = target.type_resolver(compilation.types);
  compilation.types.set_resolver(compilation.resolver.get());
  answer_from_headers(compilation, target, options);
  ast::Program *program = parse(compilation, std::move(name), std::move(text));
  if (!program) return false;
  checked.sources = &compilation.sources;
  checked.context = &compilation.context;
  checked.program = program;
  checked.types = &compilation.types;
  auto done = [&](const char *pass) {
    if (options.after_pass) options.after_pass(pass, *program);
  };
  done("parse");

  // First the tree becomes whole: what other files, the C part and macros hold. Later passes see
  // one script that is written out.
  load_imports(compilation, *program);
  done("load_imports");
  import_objects(compilation, options);
  include_headers(compilation, *program, target, options);
  done("include_headers");
  collect_c_definitions(compilation, *program);
  done("collect_c_definitions");
  // Before all that has limits: strings, stacks, numbers of probes.
  checked.config = merge_config(*program, options.environment, diagnostics);
  expand_macros(compilation, *program);
  done("expand_macros");
  if (diagnostics.has_errors()) return false;

  // While clauses are there whose probes this machine has not.
  const std::set<std::string> assigned = assigned_maps(*program);
  // Then every clause gets its programs, each with a body of its own, which is annotated from here
  // on.
  resolve_probes(compilation, *program, target, options);
  done("resolve_probes");
  // Names before variables: `find` must be known to be a builtin that writes to one.
  resolve_calls(compilation, target, options);
  resolve_variables(compilation);
  done("resolve_names");

  // With names that nobody knows, too: what else is wrong is said in the same run.
  // Literals are folded before they get types, as the smallest type depends on the value.
  fold_constants(compilation);
  done("fold_constants");
  check_types(compilation, target, options, assigned);
  done("check_types");
  if (diagnostics.has_errors()) return false;
  // Last: types tell whether `$1` is a number or text.
  collect_parameters(compilation);
  return !diagnostics.has_errors();
}

}  // namespace

bool compile(Compilation &compilation, std::string name, std::string text, Target &target,
             const Options &options) {
  const bool is_right = run_passes(compilation, std::move(name), std::move(text), target, options);
  if (!is_right) report_unread_headers(compilation);
  compilation.ask_headers = nullptr;  // it refers to the target
  return is_right;
}

}  // namespace awl::frontend
