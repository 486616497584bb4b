// Processes: registers, signals, cgroups, memory.
//
// After the checks: reg's argument is a string literal that names a register of the target's
// architecture; the signal is a uint64 (names have become numbers); paths of cgroups are string literals.
#include <algorithm>
#include <csignal>
#include <cstring>

#include "frontend/builtins/check_builtin.h"
#include "frontend/diagnostics/nearest_name.h"

namespace awl::frontend {
namespace {

// The fields of the kernel's struct pt_regs by the names that tracing tools use.
std::vector<std::string> register_names(const std::string &architecture) {
  if (architecture == "x86_64") {
    return {"r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8", "ax",
            "cx", "dx", "si", "di", "orig_ax", "ip", "cs", "flags", "sp", "ss"};
  }
  std::vector<std::string> names;
  if (architecture == "aarch64") {
    for (int i = 0; i <= 30; ++i) names.push_back("r" + std::to_string(i));
    for (const char *name : {"sp", "pc", "pstate"}) names.emplace_back(name);
  }
  return names;
}

TypeRef check_reg(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  const std::string *name = c.text(arguments, 0);
  if (!name) return nullptr;
  bool has_registers = c.is_in({ProbeFamily::kKprobe, ProbeFamily::kKretprobe, ProbeFamily::kUprobe,
                                ProbeFamily::kUretprobe, ProbeFamily::kUsdt, ProbeFamily::kProfile,
                                ProbeFamily::kInterval, ProbeFamily::kSoftware, ProbeFamily::kHardware,
                                ProbeFamily::kWatchpoint});
  if (!has_registers) return nullptr;
  std::string architecture = c.checker.target().architecture();
  std::vector<std::string> known = register_names(architecture);
  if (known.empty() || std::find(known.begin(), known.end(), *name) != known.end()) {
    return c.checker.uint64();
  }
  std::string why = "'" + *name + "' is not a register of " + architecture;
  auto diagnostic = c.report(arguments[0]->span, kArgumentValue, c.builtin.name, why);
  std::string nearest = nearest_name(*name, known);
  if (!nearest.empty()) diagnostic.hint("did you mean " + nearest + "?");
  return nullptr;
}

// 0 when there is no such signal.
int signal_number(std::string_view name) {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int number = 1; number < NSIG; ++number) {
    const char *known = sigabbrev_np(number);
    if (known && name == known) return number;
  }
  return 0;
}

TypeRef check_signal(BuiltinContext &c, ast::Expr &expr, Arguments &arguments) {
  // Whom a timer interrupts has nothing to do with what the script is about, also with -p; the
  // others run in the tracer.
  for (ProbeFamily family :
       {ProbeFamily::kInterval, ProbeFamily::kBegin, ProbeFamily::kEnd, ProbeFamily::kSelf,
        ProbeFamily::kTest, ProbeFamily::kBench, ProbeFamily::kIter}) {
    if (c.probe().family != family) continue;
    const bool is_timer = family == ProbeFamily::kInterval;
    c.report(expr.span, kBuiltinProbe, c.builtin.name, family_name(family))
        .hint(std::string(is_timer ? "a timer interrupts any process" : "the process there is awl") +
              "; system(\"kill 1234\") names one");
    return nullptr;
  }
  if (auto *name = ast::as<ast::StringLiteral>(arguments[0])) {
    int number = signal_number(name->value);
    if (!number) return c.refuse(name->span, "'" + name->value + "' is not a signal");
    arguments[0] = c.checker.nodes().make<ast::IntegerLiteral>(name->span, number);
    arguments[0]->type = c.checker.int64();
  }
  if (auto *number = ast::as<ast::IntegerLiteral>(arguments[0])) {
    if (number->value < 1 || number->value >= NSIG) {
      return c.refuse(number->span, "a signal is a number from 1 to " + std::to_string(NSIG - 1));
    }
  }
  return c.integer(arguments, 0, c.checker.uint64()) ? c.types().void_type() : nullptr;
}

TypeRef check_cgroupid(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  return c.text(arguments, 0) ? c.checker.uint64() : nullptr;
}

TypeRef check_cgroup_path(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  if (!c.integer(arguments, 0, c.checker.uint64())) return nullptr;
  if (arguments.size() == 1) return c.types().cgroup_path("");
  const std::string *filter = c.text(arguments, 1);
  return filter ? c.types().cgroup_path(*filter) : nullptr;
}

TypeRef check_override(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  bool is_right = c.is_in({ProbeFamily::kKprobe}) && c.integer(arguments, 0, c.checker.uint64());
  return is_right ? c.types().void_type() : nullptr;
}

// Whether the kernel lets a program follow the expression: what its context points to, and so on.
bool is_from_context(const ast::Expr &expr) {
  auto *access = ast::as<ast::FieldAccess>(&expr);
  if (!access) return false;
  TypeRef type = access->object->type;
  bool is_context = type->is_struct() &&
                    type->struct_def->origin == StructDef::Origin::kProbeArguments;
  return is_context || is_from_context(*access->object);
}

TypeRef check_path(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  if (!c.is_in({ProbeFamily::kIter, ProbeFamily::kFentry, ProbeFamily::kFexit, ProbeFamily::kLsm})) {
    return nullptr;
  }
  TypeRef type = arguments[0]->type;
  if (type->is_pointer()) type = type->element;
  if (!type->is_struct() || type->struct_def->name != "path") {
    c.refuse_type(*arguments[0], "a struct path", 0);
    return nullptr;
  }
  if (!is_from_context(*arguments[0])) {
    return c.refuse(arguments[0]->span,
                    "the kernel must know where the path comes from: it has to be reached from ctx "
                    "or args in one expression");
  }
  uint32_t size = c.max_strlen();
  if (arguments.size() > 1) {
    std::optional<int64_t> given = c.constant(arguments, 1);
    if (!given) return nullptr;
    if (*given < 1) return c.refuse(arguments[1]->span, "the size must be above 0");
    size = static_cast<uint32_t>(std::min<int64_t>(size, *given));
  }
  return c.types().string(size);
}

TypeRef check_write_user(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  if (!arguments[1]->type->is_composite()) {
    c.refuse_type(*arguments[1], "a string, array or other value in memory", 1);
    return nullptr;
  }
  bool is_right = c.address(arguments, 0) && c.integer(arguments, 2, c.checker.uint64());
  return is_right ? c.types().boolean() : nullptr;
}

TypeRef check_unwatch(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  return c.address(arguments, 0) ? c.types().void_type() : nullptr;
}

}  // namespace

std::vector<Builtin> process_builtins() {
  return {
      {.name = "reg", .signature = "uint64 reg(const string name)",
       .description = "The contents of a register.", .min_arguments = 1, .max_arguments = 1, .check = check_reg},
      {.name = "signal", .signature = "void signal(const string name), void signal(uint32 number)",
       .description = "Sends a signal to the current process.", .min_arguments = 1, .max_arguments = 1,
       .is_unsafe = true, .is_statement = true, .check = check_signal},
      {.name = "signal_thread", .signature = "void signal_thread(const string name), void signal_thread(uint32 number)",
       .description = "Sends a signal to the current thread.", .min_arguments = 1, .max_arguments = 1,
       .is_unsafe = true, .is_statement = true, .check = check_signal},
      {.name = "cgroupid", .signature = "uint64 cgroupid(const string path)",
       .description = "The id of a cgroup.", .min_arguments = 1, .max_arguments = 1, .check = check_cgroupid},
      {.name = "cgroup_path", .signature = "cgroup_path_t cgroup_path(int id [, const string filter])",
       .description = "The path of a cgroup.", .min_arguments = 1, .max_arguments = 2, .is_async = true, .check = check_cgroup_path},
      {.name = "override", .signature = "void override(uint64 result)",
       .description = "Skips the traced function.", .min_arguments = 1, .max_arguments = 1,
       .is_unsafe = true, .is_statement = true, .check = check_override},
      {.name = "path", .signature = "string path(struct path * path [, const int32 size])",
       .description = "The full path of a file.", .min_arguments = 1, .max_arguments = 2,
       .check = check_path},
      {.name = "write_user", .signature = "bool write_user(T * to, T * from, uint32 length)",
       .description = "Writes into the memory of the current process.", .min_arguments = 3,
       .max_arguments = 3, .is_unsafe = true, .check = check_write_user},
      {.name = "unwatch", .signature = "void unwatch(void * address)",
       .description = "Removes a watchpoint.", .min_arguments = 1, .max_arguments = 1, .is_async = true,
       .is_statement = true, .check = check_unwatch},
  };
}

}  // namespace awl::frontend
