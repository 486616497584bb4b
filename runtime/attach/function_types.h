// The kernel's functions as its BTF describes them: what programs of fentry and fexit are tied to,
// and where in the program's context the arguments lie.
//
// vmlinux is read first, modules only when it has no answer or the question names one.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/kernel_functions.h"
#include "base/result.h"
#include "runtime/btf_view.h"

namespace awl::runtime {

struct TypedFunction {
  std::string name;
  std::string module;  // "vmlinux" or a module's name
  uint32_t btf_id = 0;
};

class FunctionTypes {
 public:
  static Result<std::unique_ptr<FunctionTypes>> open(std::string folder = "/sys/kernel/btf");

  // The functions that match two shell patterns, sorted by module, then name; an empty `module`
  // stands for any. Those with a variable number of arguments, which no program can be tied to, are
  // left out.
  std::vector<TypedFunction> find(const std::string &module, const std::string &name);

  const BtfView &of_kernel() const { return opened_.front().view(); }

  // Whether the kernel has a struct of that name, which tells what it can do.
  bool has_struct(std::string_view name) const;

  // Bytes from the start of the program's context at which an argument lies, by its name; that
  // of "return" is the returned value's. Nothing: there is none.
  std::optional<int32_t> argument_offset(const TypedFunction &function, std::string_view argument);

 private:
  explicit FunctionTypes(std::string folder) : folder_(std::move(folder)) {}

  const BtfView *module_types(const std::string &module);
  std::vector<std::string> module_names() const;
  void find_in(const std::string &module, const BtfView &types, const std::string &name,
               std::vector<TypedFunction> &found) const;

  std::string folder_;
  std::deque<KernelBtf> opened_;  // does not move them; vmlinux is the first
  std::map<std::string, const BtfView *> by_module_;
};

// Whether programs of fentry and fexit are attached by links that carry a cookie: the commit that
// brought them (5.19) brought a struct of its own, too.
bool has_tracing_links(const FunctionTypes &types);

// Whether the returns that links for many kernel functions wait for are kept with each thread
// (6.14; the commit brought this struct). Before, there is room for a few calls under way at once,
// and the rest are missed.
bool keeps_returns_with_threads(const FunctionTypes &types);

// The descriptor of a loaded module's BTF, for BPF_PROG_LOAD.
Result<FileDescriptor> open_module_btf(const std::string &module);

// What the attachers of kernel functions ask of the kernel, read when it is first asked for.
class KernelFacts {
 public:
  // `traceable_functions`: a file in the place of available_filter_functions; empty: that one.
  explicit KernelFacts(std::string traceable_functions)
      : traceable_functions_(std::move(traceable_functions)) {}

  Result<std::shared_ptr<const KernelFunctions>> functions();
  Result<FunctionTypes *> types();

 private:
  std::string traceable_functions_;
  std::shared_ptr<const KernelFunctions> functions_;
  std::unique_ptr<FunctionTypes> types_;
};

}  // namespace awl::runtime
