#include "base/kernel_functions.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <tuple>

#include "base/file.h"
#include "base/kernel_symbols.h"
#include "base/pattern.h"
#include "base/text.h"
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
  while (!text.empty()) visit(take_until(text, '\n'));
}

bool is_module(std::string_view pattern, std::string_view module) {
  return pattern.empty() || matches_pattern(pattern, module.empty() ? "vmlinux" : module);
}

// Text that all matches of a pattern contain: the longest between its wildcards, before a set.
std::string_view fixed_part(std::string_view pattern) {
  std::string_view rest = pattern.substr(0, pattern.find('[')), longest;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find_first_of("*?"), rest.size());
    if (end > longest.size()) longest = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return longest;
}

// Calls `visit` with each line that contains a text.
template <class Visitor>
void for_each_line_with(std::string_view text, std::string_view wanted, Visitor visit) {
  if (wanted.empty()) return for_each_line(text, visit);
  const char *at = text.data(), *const end = at + text.size();
  while (at < end) {
    const void *found = memmem(at, static_cast<size_t>(end - at), wanted.data(), wanted.size());
    if (found == nullptr) return;
    const char *hit = static_cast<const char *>(found), *start = hit;
    while (start > at && start[-1] != '\n') --start;
    const void *newline = memchr(hit, '\n', static_cast<size_t>(end - hit));
    const char *stop = newline != nullptr ? static_cast<const char *>(newline) : end;
    visit(std::string_view(start, static_cast<size_t>(stop - start)));
    at = stop + 1;
  }
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
  return KernelFunctions::parse_symbols(std::move(*symbols),
                                        blacklist ? std::move(*blacklist) : std::string());
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
  return result;
}

std::shared_ptr<const KernelFunctions> KernelFunctions::parse_symbols(std::string text,
                                                                      std::string blacklist) {
  auto result = std::make_shared<KernelFunctions>();
  result->text_ = std::move(text);
  result->blacklist_ = std::move(blacklist);
  // "0xffffffff81000000-0xffffffff81000010\tname"
  for_each_line(result->blacklist_, [&](std::string_view line) {
    if (const size_t tab = line.find('\t'); tab != std::string_view::npos) {
      result->refused_.insert(line.substr(tab + 1));
    }
  });
  return result;
}

bool KernelFunctions::read_line(std::string_view line, KernelFunction &function) const {
  function = {};
  if (is_exact_) {
    const size_t end = line.find_first_of(" \t");
    function.name = line.substr(0, end);
    if (end != std::string_view::npos) {
      const size_t open = line.find('[', end), close = line.find(']', end);
      if (open != std::string_view::npos && close != std::string_view::npos && open < close) {
        function.module = line.substr(open + 1, close - open - 1);
      }
    }
    return !is_label(function.name);
  }
  KernelSymbol symbol;
  if (!parse_kernel_symbol(line, &symbol) || !symbol.is_function) return false;
  function.name = symbol.name;
  function.module = symbol.module;
  // Programs that run already are fentry:bpf's.
  return !is_label(symbol.name) && symbol.module != "bpf" && !refused_.contains(symbol.name);
}

std::vector<KernelFunction> KernelFunctions::matching(std::string_view module,
                                                      std::string_view name) const {
  std::vector<KernelFunction> found;
  const bool is_all = name == "*";
  if (is_all) found.reserve(text_.size() / (is_exact_ ? 20 : 40));
  for_each_line_with(text_, fixed_part(name), [&](std::string_view line) {
    KernelFunction function;
    if (!read_line(line, function)) return;
    if (is_all || matches_pattern(name, function.name)) found.push_back(function);
  });
  const auto key = [](const KernelFunction &f) { return std::tie(f.name, f.module); };
  std::sort(found.begin(), found.end(),
            [&](const KernelFunction &a, const KernelFunction &b) { return key(a) < key(b); });
  for (size_t i = 1; i < found.size(); ++i) {
    if (found[i].name != found[i - 1].name) continue;
    found[i].is_ambiguous = found[i - 1].is_ambiguous = true;
  }
  const auto is_same = [&](const KernelFunction &a, const KernelFunction &b) {
    return key(a) == key(b);
  };
  found.erase(std::unique(found.begin(), found.end(), is_same), found.end());
  if (!module.empty() && module != "*") {
    std::erase_if(found, [&](const KernelFunction &f) { return !is_module(module, f.module); });
  }
  return found;
}

bool KernelFunctions::contains(std::string_view module, std::string_view name) const {
  bool is_there = false;
  for_each_line_with(text_, name, [&](std::string_view line) {
    KernelFunction function;
    is_there = is_there || (read_line(line, function) && function.name == name &&
                            is_module(module, function.module));
  });
  return is_there;
}

}  // namespace awl
