// The host that the compiler runs on.
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/elf_symbols.h"
#include "base/kernel_symbols.h"
#include "base/library_path.h"
#include "base/pattern.h"
#include "frontend/target/btf_target.h"

namespace awl::frontend {
namespace {

constexpr const char *kBtfFolder = "/sys/kernel/btf";

class LiveTarget : public BtfTarget {
 public:
  LiveTarget() : BtfTarget(make_kernel_btf(kBtfFolder)) {}

  bool has_btf() override {
    return ::access((std::string(kBtfFolder) + "/vmlinux").c_str(), R_OK) == 0;
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

  Result<std::string> resolve_binary(const std::string &name) override { return find_binary(name); }

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

  std::optional<uint64_t> binary_symbol_size(const std::string &path,
                                             const std::string &name) override {
    const Symbols symbols = open_symbols(path);
    const ElfSymbol *symbol = symbols ? (*symbols)->find(name) : nullptr;
    return symbol && symbol->size > 0 ? std::optional(symbol->size) : std::nullopt;
  }

  Result<uint64_t> cgroup_id(const std::string &path) override { return awl::cgroup_id(path); }

  std::string architecture() override {
    struct utsname names {};
    return ::uname(&names) == 0 ? names.machine : "";
  }

 private:
  using Symbols = Result<std::shared_ptr<const ElfSymbols>>;

  // A script often names one binary in several attach points: the last one opened is kept.
  Symbols open_symbols(const std::string &path) {
    if (!last_symbols_ || last_symbols_->path() != path) {
      Symbols opened = ElfSymbols::open(path);
      if (!opened) return opened;
      last_symbols_ = *opened;
    }
    return last_symbols_;
  }

  std::shared_ptr<const ElfSymbols> last_symbols_;
};

}  // namespace

std::unique_ptr<Target> make_live_target() { return std::make_unique<LiveTarget>(); }

bool matches_pattern(const std::string &pattern, const std::string &text) {
  return awl::matches_pattern(pattern, text);
}

bool has_wildcard(const std::string &text) { return awl::has_wildcard(text); }

}  // namespace awl::frontend
