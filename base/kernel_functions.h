// The kernel's functions that probes can be put on.
//
// The kernel lists those that it can trace in tracefs' available_filter_functions. Where that
// cannot be read (lockdown, no ftrace) all functions among the kernel's symbols take its place,
// without those that kprobes refuse; some of them may then turn out not to be traceable.
//
// A list has 40,000 to 200,000 lines, and a script asks for some of them: the text is kept as the
// kernel wrote it, and looked through for what is asked.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"

namespace awl {

struct KernelFunction {
  std::string_view name;
  std::string_view module;    // empty: the kernel itself
  bool is_ambiguous = false;  // several functions have this name, here or in modules
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
                                                              std::string blacklist);

  // Those that match two shell patterns, sorted by name, then module; each once, though several
  // functions may share a name. An empty `module` stands for any, and "vmlinux" is the kernel
  // itself.
  std::vector<KernelFunction> matching(std::string_view module, std::string_view name) const;
  std::vector<KernelFunction> all() const { return matching("", "*"); }
  // Whether there is one of that name; `module` as above.
  bool contains(std::string_view module, std::string_view name) const;
  bool is_empty() const { return text_.empty(); }
  // Whether the kernel itself said that these can be traced.
  bool is_exact() const { return is_exact_; }

 private:
  // Reads a line. False: no function that can be traced.
  bool read_line(std::string_view line, KernelFunction &function) const;

  std::string text_;  // what the names point into
  std::string blacklist_;
  std::unordered_set<std::string_view> refused_;  // names in `blacklist_`
  bool is_exact_ = false;
};

}  // namespace awl
