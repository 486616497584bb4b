// Builtin values: what is known of the moment when a probe fires.
//
// After the checks: `arg0`… and `args`, `retval` stand only in programs that have them; the clock
// of nsecs(…) and the namespace of pid(…) and tid(…) are string literals; `probetype` has become a
// string literal.
#include <cstdlib>
#include <cstring>

#include "base/usdt_arguments.h"
#include "frontend/builtins/check_builtin.h"
#include "frontend/builtins/config.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kNoArguments, Error, "no-probe-arguments",
               "The args builtin can not be used here: nothing is known of the arguments of '{}'",
               std::string_view);
AWL_DIAGNOSTIC(kNoChild, Warning, "no-child", "cpid is 0 unless a command is given with -c");

AWL_DIAGNOSTIC(kRetvalUnreadable, Error, "retval-unreadable", "what {} returns cannot be read: {}",
               std::string, std::string);
AWL_DIAGNOSTIC(kArgumentNumber, Error, "argument-number",
               "there is no arg{}: of '{}' {} arguments are known", uint32_t, std::string,
               uint32_t);

namespace {

template <uint32_t kBytes>
TypeRef unsigned_value(BuiltinContext &c, ast::Expr &, Arguments &) {
  return c.checker.integer(kBytes, false);
}

TypeRef check_word(BuiltinContext &c, Arguments &arguments,
                   std::initializer_list<std::string_view> words, TypeRef type) {
  if (arguments.empty()) return type;
  auto *word = ast::as<ast::StringLiteral>(arguments[0]);
  std::string known;
  for (std::string_view candidate : words) {
    if (word && word->value == candidate) return type;
    known += (known.empty() ? "" : ", ") + std::string(candidate);
  }
  return c.refuse(arguments[0]->span, "the mode must be one of " + known);
}

TypeRef check_pid(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  return check_word(c, arguments, {"curr_ns", "init"}, c.checker.integer(4, false));
}

TypeRef check_nsecs(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  return check_word(c, arguments, {"monotonic", "boot", "tai", "sw_tai"}, c.checker.uint64());
}

TypeRef check_comm(BuiltinContext &c, ast::Expr &, Arguments &) { return c.types().string(16); }

TypeRef check_curtask(BuiltinContext &c, ast::Expr &, Arguments &) {
  TypeRef task = c.types().find_struct("task_struct", false);
  return task ? c.types().pointer(task, AddressSpace::kKernel) : c.checker.uint64();
}

TypeRef check_username(BuiltinContext &c, ast::Expr &, Arguments &) {
  return c.types().simple(TypeKind::kUsername);
}

TypeRef check_probe(BuiltinContext &c, ast::Expr &, Arguments &) {
  c.checker.note_probe_name();
  return c.types().simple(TypeKind::kProbeName);
}

TypeRef check_probetype(BuiltinContext &c, ast::Expr &expr, Arguments &) {
  ProbeFamily family = c.probe().family;
  bool is_special = family == ProbeFamily::kBegin || family == ProbeFamily::kEnd ||
                    family == ProbeFamily::kSelf || family == ProbeFamily::kTest ||
                    family == ProbeFamily::kBench;
  const char *name = is_special ? "special" : family_name(family);
  c.replace(c.checker.nodes().make<ast::StringLiteral>(expr.span, name));
  return c.types().string(static_cast<uint32_t>(std::strlen(name)) + 1);
}

TypeRef check_func(BuiltinContext &c, ast::Expr &, Arguments &) {
  bool is_user =
      c.probe().family == ProbeFamily::kUprobe || c.probe().family == ProbeFamily::kUretprobe;
  if (!is_user && !c.is_in({ProbeFamily::kKprobe, ProbeFamily::kKretprobe, ProbeFamily::kFentry,
                            ProbeFamily::kFexit})) {
    return nullptr;
  }
  return c.types().simple(is_user ? TypeKind::kUserSymbol : TypeKind::kKernelSymbol);
}

TypeRef check_arg(BuiltinContext &c, ast::Expr &expr, Arguments &) {
  bool is_syscall_entry = c.probe().family == ProbeFamily::kSyscall && !is_exit_probe(c.probe());
  const ProbeFamily family = c.probe().family;
  const bool is_named = family == ProbeFamily::kTracepoint || family == ProbeFamily::kFentry ||
                        family == ProbeFamily::kFexit;
  std::string hint;
  if (is_named) {
    hint = "its arguments have names: args.NAME; `awl -lv '" + c.probe().name + "'` lists them";
  } else if (is_exit_probe(c.probe())) {
    hint = "what it was at the entry: entry." + ast::as<ast::Identifier>(&expr)->name;
  }
  if (!is_syscall_entry && !c.is_in({ProbeFamily::kKprobe, ProbeFamily::kUprobe, ProbeFamily::kUsdt,
                                     ProbeFamily::kRawTracepoint},
                                    hint)) {
    return nullptr;
  }
  const auto number =
      static_cast<uint32_t>(std::atoi(ast::as<ast::Identifier>(&expr)->name.c_str() + 3));
  const ProbeSpec &probe = c.probe();
  const bool is_raw = probe.family == ProbeFamily::kRawTracepoint;
  uint32_t count = c.checker.target().architecture() == "aarch64" ? 8 : 6;
  if (probe.family == ProbeFamily::kUsdt) count = probe.argument_count.value_or(kMaxUsdtArguments);
  if (is_raw) {
    count = probe.args_type ? c.types().complete(probe.args_type->struct_def).members.size()
                            : UINT32_MAX;
  }
  if (number >= count) {
    const bool is_on_stack = !is_raw && probe.family != ProbeFamily::kUsdt;
    c.report(expr.span, kArgumentNumber, number, probe.name, count)
        .hint(is_on_stack ? "further ones are on the stack, at reg(\"sp\")" : "");
    return nullptr;
  }
  return c.checker.uint64();
}

TypeRef check_retval(BuiltinContext &c, ast::Expr &expr, Arguments &) {
  if (!c.is_at_exit()) return nullptr;
  if (!c.probe().retval_problem.empty()) {
    c.report(expr.span, kRetvalUnreadable, c.probe().name, c.probe().retval_problem);
    return nullptr;
  }
  return c.probe().retval_type ? c.probe().retval_type : c.checker.uint64();
}

TypeRef check_duration(BuiltinContext &c, ast::Expr &, Arguments &) {
  return c.is_at_exit() ? c.checker.uint64() : nullptr;
}

TypeRef check_entry(BuiltinContext &c, ast::Expr &, Arguments &) {
  return c.is_at_exit() ? c.probe().entry_type : nullptr;
}

TypeRef check_args(BuiltinContext &c, ast::Expr &expr, Arguments &) {
  if (c.probe().args_type) return c.probe().args_type;
  auto diagnostic = c.report(expr.span, kNoArguments, c.probe().name);
  if (is_exit_probe(c.probe()))
    diagnostic.hint("at the end of a function they are in entry: entry.x");
  return nullptr;
}

TypeRef check_cpid(BuiltinContext &c, ast::Expr &expr, Arguments &) {
  if (!c.checker.options().has_command && !c.checker.options().is_ahead_of_time) {
    c.report(expr.span, kNoChild);
  }
  return c.checker.integer(4, false);
}

TypeRef check_config(BuiltinContext &c, ast::Expr &expr, Arguments &) {
  ast::Expr *record = config_record(c.checker, expr.span);
  TypeRef type = c.checker.check(record);
  if (c.is_final()) c.replace(record);
  return type;
}

TypeRef check_boolean(BuiltinContext &c, ast::Expr &, Arguments &) { return c.types().boolean(); }

TypeRef check_ctx(BuiltinContext &c, ast::Expr &, Arguments &) {
  return c.is_in({ProbeFamily::kIter}) ? c.probe().args_type : nullptr;
}

}  // namespace

std::vector<Builtin> value_builtins() {
  return {
      {.name = "pid",
       .signature = "uint32 pid([curr_ns|init])",
       .description = "The process id of the current thread, as seen in awl's pid namespace or the "
                      "initial one.",
       .max_arguments = 1,
       .takes_word = true,
       .check = check_pid},
      {.name = "tid",
       .signature = "uint32 tid([curr_ns|init])",
       .description =
           "The id of the current thread, as seen in awl's pid namespace or the initial one.",
       .max_arguments = 1,
       .takes_word = true,
       .check = check_pid},
      {.name = "pid_namespace",
       .signature = "uint64 pid_namespace",
       .description =
           "The inode of the pid namespace that pid and tid count in; 0: the initial one.",
       .check = unsigned_value<8>},
      {.name = "uid",
       .signature = "uint64 uid",
       .description = "The user id of the current thread.",
       .check = unsigned_value<8>},
      {.name = "gid",
       .signature = "uint64 gid",
       .description = "The group id of the current thread.",
       .check = unsigned_value<8>},
      {.name = "comm",
       .signature = "string comm",
       .description = "The name of the current thread.",
       .check = check_comm},
      {.name = "nsecs",
       .signature = "uint64 nsecs([monotonic|boot|tai|sw_tai])",
       .description = "A clock in nanoseconds; time since boot unless another is named.",
       .max_arguments = 1,
       .takes_word = true,
       .check = check_nsecs},
      {.name = "elapsed",
       .signature = "uint64 elapsed",
       .description = "Nanoseconds since tracing started.",
       .check = unsigned_value<8>},
      {.name = "cpu",
       .signature = "uint64 cpu",
       .description = "The processor that the program runs on.",
       .check = unsigned_value<8>},
      {.name = "ncpus",
       .signature = "uint64 ncpus",
       .description = "The number of processors.",
       .check = unsigned_value<8>},
      {.name = "curtask",
       .signature = "struct task_struct * curtask",
       .description = "The kernel's description of the current thread.",
       .check = check_curtask},
      {.name = "rand",
       .signature = "uint32 rand",
       .description = "A random number.",
       .check = unsigned_value<4>},
      {.name = "cgroup",
       .signature = "uint64 cgroup",
       .description = "The id of the current process's cgroup (version 2).",
       .check = unsigned_value<8>},
      {.name = "probe",
       .signature = "string probe",
       .description = "The full name of the probe that fired.",
       .check = check_probe},
      {.name = "probetype",
       .signature = "string probetype",
       .description = "The family of the probe that fired.",
       .check = check_probetype},
      {.name = "func",
       .signature = "ksym_t func, usym_t func",
       .description = "The function that is traced.",
       .check = check_func},
      {.name = "argN",
       .signature = "uint64 arg0, arg1, …",
       .description = "An argument of the traced function, as its register holds it.",
       .check = check_arg},
      {.name = "retval",
       .signature = "uint64 retval",
       .description = "What the traced function returned.",
       .check = check_retval},
      {.name = "duration",
       .signature = "uint64 duration",
       .description =
           "In exit probes: the nanoseconds since the matching entry; 0 when that was not seen.",
       .check = check_duration},
      {.name = "entry",
       .signature = "struct entry",
       .description = "In exit probes: the arguments at the matching entry, by name where they are "
                      "known, else as entry.arg0, entry.arg1 and so on.",
       .check = check_entry},
      {.name = "args",
       .signature = "struct args",
       .description = "The arguments of the probe by name.",
       .check = check_args},
      {.name = "cpid",
       .signature = "uint32 cpid",
       .description = "The process id of the command given with -c.",
       .check = check_cpid},
      {.name = "has_cpid",
       .signature = "bool has_cpid",
       .description = "Whether a command was given with -c.",
       .check = check_boolean},
      {.name = "config",
       .signature = "record config",
       .description = "The settings that the script was compiled with.",
       .check = check_config},
      {.name = "ctx",
       .signature = "struct bpf_iter__NAME ctx",
       .description = "What an iterator stands at: ctx.task, ctx.file and so on.",
       .check = check_ctx},
      {.name = "numaid",
       .signature = "uint32 numaid",
       .description = "The NUMA node that the program runs on.",
       .check = unsigned_value<4>},
      {.name = "jiffies",
       .signature = "uint64 jiffies",
       .description = "The kernel's tick counter.",
       .check = unsigned_value<8>},
      {.name = "username",
       .signature = "username_t username",
       .description = "The name of the current user.",
       .check = check_username},
      {.name = "usermode",
       .signature = "uint8 usermode",
       .description = "1 when the processor was in user mode.",
       .check = unsigned_value<1>},
  };
}

}  // namespace awl::frontend
