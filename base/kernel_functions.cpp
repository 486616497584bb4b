#include "base/kernel_functions.h"

#include <algorithm>
#include <mutex>
#include <tuple>
#include <unordered_set>

#include "base/file.h"
#include "base/kernel_symbols.h"
#include "base/pattern.h"
#include "base/tracefs.h"

namespace awl {
namespace {

constexpr size_t kMaxSize = 64u << 20;
constexpr const char *kBlacklist = "/sys/kernel/debug/kprobes/blacklist";

// Labels of the compiler and of the kernel's build, not functions.
bool is_label(std::string_view name) {
  for (std::string_view prefix : {"__pfx_", "__cfi_", "__ftrace_invalid_address__", ".", "$"}) {
    if (name.starts_with(prefix)) return true;
  }
  return name.empty();
}

// Calls `visit` with each line.
template <class Visitor>
void for_each_line(std::string_view text, Visitor visit) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    visit(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

bool is_module(std::string_view pattern, std::string_view module) {
  return pattern.empty() || matches_pattern(pattern, module.empty() ? "vmlinux" : module);
}

// The fixed start of a pattern.
std::string_view fixed_prefix(std::string_view pattern) {
  return pattern.substr(0, pattern.find_first_of("*?["));
}

Result<std::shared_ptr<const KernelFunctions>> read_functions(const std::string &path) {
  if (!path.empty()) {
    Result<std::string> text = read_file(path, kMaxSize);
    if (!text) return text.error();
    return KernelFunctions::parse_list(std::move(*text));
  }
  if (Result<std::string> tracefs = tracefs_path()) {
    Result<std::string> text = read_file(*tracefs + "/available_filter_functions", kMaxSize);
    if (text && !text->empty()) return KernelFunctions::parse_list(std::move(*text));
  }
  Result<std::string> symbols = read_file("/proc/kallsyms", kMaxSize);
  if (!symbols) return symbols.error();
  Result<std::string> blacklist = read_file(kBlacklist, kMaxSize);
  return KernelFunctions::parse_symbols(
      std::move(*symbols), blacklist ? std::string_view(*blacklist) : std::string_view());
}

}  // namespace

Result<std::shared_ptr<const KernelFunctions>> KernelFunctions::read(const std::string &path) {
  static std::mutex mutex;
  static std::string last_path;
  static std::shared_ptr<const KernelFunctions> last;
  const std::lock_guard lock(mutex);
  if (last == nullptr || path != last_path) {
    Result<std::shared_ptr<const KernelFunctions>> read = read_functions(path);
    if (!read) return read.error();
    last = *read;
    last_path = path;
  }
  return last;
}

std::shared_ptr<const KernelFunctions> KernelFunctions::parse_list(std::string text) {
  auto result = std::make_shared<KernelFunctions>();
  result->text_ = std::move(text);
  result->is_exact_ = true;
  result->functions_.reserve(result->text_.size() / 20);
  for_each_line(result->text_, [&](std::string_view line) {
    KernelFunction function;
    const size_t end = line.find_first_of(" \t");
    function.name = line.substr(0, end);
    if (end != std::string_view::npos) {
      const size_t open = line.find('[', end), close = line.find(']', end);
      if (open != std::string_view::npos && close != std::string_view::npos && open < close) {
        function.module = line.substr(open + 1, close - open - 1);
      }
    }
    if (!is_label(function.name)) result->functions_.push_back(function);
  });
  result->sort();
  return result;
}

std::shared_ptr<const KernelFunctions> KernelFunctions::parse_symbols(std::string text,
                                                                      std::string_view blacklist) {
  // "0xffffffff81000000-0xffffffff81000010\tname"
  std::unordered_set<std::string_view> refused;
  for_each_line(blacklist, [&](std::string_view line) {
    if (const size_t tab = line.find('\t'); tab != std::string_view::npos) {
      refused.insert(line.substr(tab + 1));
    }
  });
  auto result = std::make_shared<KernelFunctions>();
  result->text_ = std::move(text);
  result->functions_.reserve(result->text_.size() / 40);
  for_each_line(result->text_, [&](std::string_view line) {
    KernelSymbol symbol;
    if (!parse_kernel_symbol(line, &symbol) || !symbol.is_function) return;
    if (is_label(symbol.name) || refused.contains(symbol.name)) return;
    // Programs that run already: fentry:bpf names those.
    if (symbol.module == "bpf") return;
    result->functions_.push_back({symbol.name, symbol.module});
  });
  result->sort();
  return result;
}

void KernelFunctions::sort() {
  const auto key = [](const KernelFunction &f) { return std::tie(f.name, f.module); };
  std::sort(functions_.begin(), functions_.end(),
            [&](const KernelFunction &a, const KernelFunction &b) { return key(a) < key(b); });
  functions_.erase(std::unique(functions_.begin(), functions_.end(),
                               [&](const KernelFunction &a, const KernelFunction &b) {
                                 return key(a) == key(b);
                               }),
                   functions_.end());
}

std::vector<KernelFunction> KernelFunctions::matching(std::string_view module,
                                                      std::string_view name) const {
  std::vector<KernelFunction> found;
  const std::string_view prefix = fixed_prefix(name);
  auto at = std::lower_bound(
      functions_.begin(), functions_.end(), prefix,
      [](const KernelFunction &f, std::string_view wanted) { return f.name < wanted; });
  for (; at != functions_.end() && at->name.starts_with(prefix); ++at) {
    if (is_module(module, at->module) && matches_pattern(name, at->name)) found.push_back(*at);
  }
  return found;
}

bool KernelFunctions::contains(std::string_view module, std::string_view name) const {
  auto at = std::lower_bound(
      functions_.begin(), functions_.end(), name,
      [](const KernelFunction &f, std::string_view wanted) { return f.name < wanted; });
  for (; at != functions_.end() && at->name == name; ++at) {
    if (is_module(module, at->module)) return true;
  }
  return false;
}

}  // namespace awl
