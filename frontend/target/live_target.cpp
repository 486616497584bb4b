// The host that the compiler runs on.
#include "frontend/target/live_target.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "base/cgroup.h"
#include "base/cpp_names.h"
#include "base/dwarf/source_lines.h"
#include "base/elf_symbols.h"
#include "base/kernel_functions.h"
#include "base/kernel_symbols.h"
#include "base/library_path.h"
#include "base/pattern.h"
#include "frontend/target/btf_target.h"
#include "frontend/target/dwarf_functions.h"
#include "frontend/target/user_types.h"

namespace awl::frontend {
namespace {

constexpr const char *kBtfFolder = "/sys/kernel/btf";

class LiveTarget : public BtfTarget {
 public:
  LiveTarget(std::string root, std::string traceable_functions)
      : BtfTarget(make_kernel_btf(kBtfFolder)),
        root_(std::move(root)),
        traceable_functions_(std::move(traceable_functions)) {}

  bool has_btf() override {
    return ::access((std::string(kBtfFolder) + "/vmlinux").c_str(), R_OK) == 0;
  }

  std::vector<std::string> kernel_functions(const std::string &module,
                                            const std::string &name) override {
    std::vector<std::string> names;
    if (!read_functions()) return names;
    for (const KernelFunction &function : functions_->matching(module, name)) {
      const std::string_view in = function.module.empty() ? "vmlinux" : function.module;
      names.push_back(std::string(in) + ":" + std::string(function.name));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  bool has_kernel_function(const std::string &module, const std::string &name) override {
    // The kernel's types tell it in a moment, but do not have all functions.
    const Btf *btf = kernel_->find(module);
    if (btf != nullptr && btf->find(name, kind_bit(BTF_KIND_FUNC)) != 0) return true;
    const bool is_kernel = module.empty() || module == "vmlinux";
    if (is_kernel && find_kernel_symbol(name)) return true;
    return !read_functions() || functions_->is_empty() || functions_->contains(module, name);
  }

  std::vector<std::string> tracepoints(const std::string &category,
                                       const std::string &event) override {
    Result<std::vector<std::string>> names = list_tracepoints(category, event);
    return names ? std::move(*names) : std::vector<std::string>();
  }
  Result<TracepointFormat> tracepoint_format(const std::string &category,
                                             const std::string &event) override {
    return read_tracepoint_format(category, event);
  }

  std::optional<uint64_t> kernel_symbol(const std::string &name) override {
    return find_kernel_symbol(name);
  }

  std::unique_ptr<TypeStore::Resolver> type_resolver(TypeStore &store) override {
    user_types_ = std::make_unique<UserTypes>(store);
    return user_types_->resolver_behind(BtfTarget::type_resolver(store));
  }

  Result<std::string> resolve_binary(const std::string &name) override {
    Result<std::string> path = find_binary(name, root_);
    if (!path) return path;
    if (user_types_) user_types_->add_binary(*path);
    if (path->starts_with(root_)) path->erase(0, root_.size());
    return path;
  }

  Result<UserFunction> user_function(TypeStore &store, const std::string &path,
                                     const std::string &symbol, DebugFiles files) override {
    if (!user_types_ || &user_types_->store() != &store) {
      user_types_ = std::make_unique<UserTypes>(store);
    }
    Result<DwarfTypes *> types = user_types_->open(root_ + path, files);
    if (!types) return types.error();
    const Symbols symbols = open_symbols(path);
    if (!symbols) return symbols.error();
    const ElfSymbol *found = (*symbols)->find_function(symbol);
    if (found == nullptr) return Error{"there is no function " + symbol + " in " + path, ENOENT};
    std::optional<UserFunction> function = find_user_function(**types, found->address);
    if (function) return std::move(*function);
    const std::string missing = (*types)->file().missing_part();
    return Error{"the debug information of " + path + " does not describe " + symbol +
                     (missing.empty() ? "" : "; " + missing),
                 ENOENT};
  }

  Result<std::vector<std::string>> demangled_functions(const std::string &path,
                                                       const std::string &pattern) override {
    const Symbols symbols = open_symbols(path);
    if (!symbols) return symbols.error();
    std::vector<std::string> names;
    for (const ElfSymbol *function : (*symbols)->functions("_Z*")) {
      if (matches_cpp_name(pattern, function->name)) names.emplace_back(function->name);
    }
    return names;
  }

  Status find_statement(const std::string &path, const std::string &file, uint32_t line,
                        uint32_t column) override {
    Result<std::shared_ptr<const DwarfFile>> dwarf =
        DwarfFile::open(root_ + path, DebugFiles::kFetched);
    if (!dwarf) return dwarf.error();
    Result<std::vector<uint64_t>> found = awl::find_statement(**dwarf, file, line, column);
    return found ? ok() : Status(found.error());
  }

  Result<std::vector<std::string>> binary_functions(const std::string &path,
                                                    const std::string &pattern) override {
    const Symbols symbols = open_symbols(path);
    if (!symbols) return symbols.error();
    std::vector<std::string> names;
    for (const ElfSymbol *function : (*symbols)->functions(pattern)) {
      names.emplace_back(function->name);
    }
    return names;
  }

  Result<std::vector<UsdtPlace>> usdt_places(const std::string &path) override {
    return read_usdt_places(root_ + path);
  }

  std::optional<uint64_t> binary_symbol_size(const std::string &path,
                                             const std::string &name) override {
    const Symbols symbols = open_symbols(path);
    const ElfSymbol *symbol = symbols ? (*symbols)->find(name) : nullptr;
    return symbol ? std::optional(symbol->size) : std::nullopt;
  }

  Result<uint64_t> cgroup_id(const std::string &path) override { return awl::cgroup_id(path); }

  std::string architecture() override {
    struct utsname names {};
    return ::uname(&names) == 0 ? names.machine : "";
  }

 private:
  using Symbols = Result<std::shared_ptr<const ElfSymbols>>;

  // Whether the list of functions could be read.
  bool read_functions() {
    if (functions_ != nullptr) return true;
    Result<std::shared_ptr<const KernelFunctions>> read =
        KernelFunctions::read(traceable_functions_);
    if (read) functions_ = *read;
    return functions_ != nullptr;
  }

  // A script often names one binary in several attach points: the last one opened is kept.
  Symbols open_symbols(const std::string &shown) {
    const std::string path = root_ + shown;
    if (!last_symbols_ || last_symbols_->path() != path) {
      Symbols opened = ElfSymbols::open(path);
      if (!opened) return opened;
      last_symbols_ = *opened;
    }
    return last_symbols_;
  }

  const std::string root_;
  std::shared_ptr<const ElfSymbols> last_symbols_;
  std::unique_ptr<UserTypes> user_types_;
  std::string traceable_functions_;
  std::shared_ptr<const KernelFunctions> functions_;
};

}  // namespace

std::unique_ptr<Target> make_live_target() { return make_live_target("", ""); }

std::unique_ptr<Target> make_live_target(const std::string &root,
                                         const std::string &traceable_functions) {
  return std::make_unique<LiveTarget>(root, traceable_functions);
}

bool matches_pattern(const std::string &pattern, const std::string &text) {
  return awl::matches_pattern(pattern, text);
}

bool has_wildcard(const std::string &text) { return awl::has_wildcard(text); }

}  // namespace awl::frontend
