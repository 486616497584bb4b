// Stacks, symbols and addresses.
//
// After the checks: kstack and ustack have their mode and limit in their type, their arguments no
// longer matter; ksym, usym and socket addresses are uint64; names are string literals.
#include "frontend/builtins/check_builtin.h"

namespace awl::frontend {
namespace {

// More frames than the kernel keeps anywhere (sysctl kernel.perf_event_max_stack is 127 unless
// raised).
constexpr int64_t kMaxStackFrames = 1024;

std::optional<StackMode> stack_mode(const std::string &name) {
  if (name == "bpftrace") return StackMode::kBpftrace;
  if (name == "perf") return StackMode::kPerf;
  if (name == "raw") return StackMode::kRaw;
  if (name == "build_id") return StackMode::kBuildId;
  return std::nullopt;
}

TypeRef check_stack(BuiltinContext &c, ast::Expr &call, Arguments &arguments) {
  bool is_kernel = c.builtin.name == "kstack", is_unwound = c.builtin.name == "dw_ustack";
  if (is_unwound &&
      !c.allow_unstable(call.span, "dw_ustack", c.checker.config().unstable_dw_ustack)) {
    return nullptr;
  }
  StackMode mode = c.checker.config().stack_mode;
  int64_t limit = 127;
  size_t position = 0;
  if (!arguments.empty()) {
    if (auto *word = ast::as<ast::StringLiteral>(arguments[0])) {
      std::optional<StackMode> named = stack_mode(word->value);
      if (!named) {
        return c.refuse(word->span, "the stack mode must be one of bpftrace, perf, raw, build_id");
      }
      mode = *named;
      ++position;
    }
  }
  if (position < arguments.size()) {
    std::optional<int64_t> given = c.constant(arguments, position);
    if (!given) return nullptr;
    if (*given < 0 || *given > kMaxStackFrames) {
      return c.refuse(arguments[position]->span, "the limit must be from 0 to 1024 frames");
    }
    limit = *given;
    ++position;
  }
  if (position < arguments.size())
    return c.refuse(arguments[position]->span, "one limit is enough");
  if (is_kernel && mode == StackMode::kBuildId) {
    return c.refuse(call.span, "the stack mode build_id can only be used for ustack");
  }
  auto frames = static_cast<uint32_t>(limit);
  return is_kernel ? c.types().kernel_stack(mode, frames)
                   : c.types().user_stack(mode, frames, is_unwound);
}

template <TypeKind kKind>
TypeRef check_symbol(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  TypeRef type = arguments[0]->type;
  if (!type->is_pointer() && !type->is_integer()) {
    c.refuse_type(*arguments[0], "an integer or pointer", 0);
    return nullptr;
  }
  c.checker.convert(arguments[0], c.checker.uint64());
  return c.types().simple(kKind);
}

TypeRef check_kaddr(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  return c.text(arguments, 0) ? c.checker.uint64() : nullptr;
}

TypeRef check_uaddr(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  const std::string *name = c.text(arguments, 0);
  if (!name || !c.is_in({ProbeFamily::kUprobe, ProbeFamily::kUretprobe, ProbeFamily::kUsdt}))
    return nullptr;
  const std::string &binary = c.probe().binary;
  std::optional<uint64_t> size = c.checker.target().binary_symbol_size(binary, *name);
  // Of an object the binary is known where it runs.
  if (!size && !has_wildcard(binary) && !c.checker.options().is_ahead_of_time) {
    return c.refuse(arguments[0]->span, "there is no symbol " + *name + " in " + binary);
  }
  bool is_word = size && (*size == 1 || *size == 2 || *size == 4 || *size == 8);
  TypeRef word = c.checker.integer(is_word ? static_cast<uint32_t>(*size) : 8, false);
  return c.types().pointer(word, AddressSpace::kUser);
}

TypeRef check_is_err(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  return c.address(arguments, 0) ? c.types().boolean() : nullptr;
}

// `kptr(x)` is x with another type.
template <AddressSpace kSpace>
TypeRef check_space(BuiltinContext &c, ast::Expr &, Arguments &arguments) {
  TypeRef type = arguments[0]->type;
  if (!type->is_pointer() && !type->is_integer()) {
    c.refuse_type(*arguments[0], "an integer or pointer", 0);
    return nullptr;
  }
  TypeRef to = c.types().pointer(type->is_pointer() ? type->element : c.checker.uint64(), kSpace);
  if (c.is_final()) {
    c.checker.convert(arguments[0], to);
    c.replace(arguments[0]);
  }
  return to;
}

}  // namespace

std::vector<Builtin> symbol_builtins() {
  return {
      {.name = "kstack",
       .signature = "kstack_t kstack([mode, ] [int limit])",
       .description = "The kernel's stack.",
       .max_arguments = 2,
       .takes_word = true,
       .check = check_stack},
      {.name = "ustack",
       .signature = "ustack_t ustack([mode, ] [int limit])",
       .description = "The stack of the current thread in user space.",
       .max_arguments = 2,
       .takes_word = true,
       .check = check_stack},
      {.name = "dw_ustack",
       .signature = "ustack_t dw_ustack([mode, ] [int limit])",
       .description =
           "The stack of the current thread in user space, unwound without frame pointers.",
       .max_arguments = 2,
       .takes_word = true,
       .check = check_stack},
      {.name = "ksym",
       .signature = "ksym_t ksym(uint64 address)",
       .description = "The kernel function at an address.",
       .min_arguments = 1,
       .max_arguments = 1,
       .is_async = true,
       .check = check_symbol<TypeKind::kKernelSymbol>},
      {.name = "usym",
       .signature = "usym_t usym(uint64 address)",
       .description = "The function at an address of the current process.",
       .min_arguments = 1,
       .max_arguments = 1,
       .is_async = true,
       .check = check_symbol<TypeKind::kUserSymbol>},
      {.name = "kaddr",
       .signature = "uint64 kaddr(const string name)",
       .description = "The address of a symbol of the kernel.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_kaddr},
      {.name = "uaddr",
       .signature = "T * uaddr(const string name)",
       .description = "The address of a symbol of the traced binary.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_uaddr},
      {.name = "kptr",
       .signature = "T * kptr(T * pointer)",
       .description = "Says that a pointer points into kernel memory.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_space<AddressSpace::kKernel>},
      {.name = "uptr",
       .signature = "T * uptr(T * pointer)",
       .description = "Says that a pointer points into user memory.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_space<AddressSpace::kUser>},
      {.name = "is_err",
       .signature = "bool is_err(void * pointer)",
       .description = "Whether a pointer holds an error number of the kernel, as IS_ERR() says.",
       .min_arguments = 1,
       .max_arguments = 1,
       .check = check_is_err},
  };
}

}  // namespace awl::frontend
