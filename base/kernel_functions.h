// The kernel's functions that probes can be put on.
//
// The kernel lists those that it can trace in tracefs' available_filter_functions. Where that
// cannot be read (lockdown, no ftrace) all functions among the kernel's symbols take its place,
// without those that kprobes refuse; some of them may then turn out not to be traceable.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl {

struct KernelFunction {
  std::string_view name;
  std::string_view module;  // empty: the kernel itself
};

class KernelFunctions {
 public:
  // `path`: a file as available_filter_functions, to be read instead; empty: this kernel's. The
  // kernel takes its time to write the list, so what was read last is kept.
  static Result<std::shared_ptr<const KernelFunctions>> read(const std::string &path = "");
  // Lines as in available_filter_functions: "name" or "name [module]".
  static std::shared_ptr<const KernelFunctions> parse_list(std::string text);
  // Lines as in /proc/kallsyms, without the names in a text as that of kprobes/blacklist.
  static std::shared_ptr<const KernelFunctions> parse_symbols(std::string text,
                                                              std::string_view blacklist);

  // Sorted by name, then module; each once, though several functions may share a name.
  const std::vector<KernelFunction> &all() const { return functions_; }
  // Those that match two shell patterns, in the same order. An empty `module` stands for any, and
  // "vmlinux" is the kernel itself.
  std::vector<KernelFunction> matching(std::string_view module, std::string_view name) const;
  // Whether there is one of that name; `module` as above.
  bool contains(std::string_view module, std::string_view name) const;
  // Whether the kernel itself said that these can be traced.
  bool is_exact() const { return is_exact_; }

 private:
  void sort();

  std::string text_;  // what the names point into
  std::vector<KernelFunction> functions_;
  bool is_exact_ = false;
};

}  // namespace awl
