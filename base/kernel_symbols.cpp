#include "base/kernel_symbols.h"

#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "base/text.h"

namespace awl {
namespace {

constexpr size_t kMaxSize = 256u << 20;

}  // namespace

bool parse_kernel_symbol(std::string_view line, KernelSymbol *out) {
  uint64_t address = 0;
  size_t at = 0;
  for (; at < line.size() && at < 16 && line[at] != ' '; ++at) {
    const char c = line[at];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return false;
    address = address << 4 | static_cast<uint64_t>(digit);
  }
  if (address == 0 || at + 3 >= line.size() || line[at] != ' ' || line[at + 2] != ' ') return false;
  const char kind = line[at + 1];
  std::string_view name = line.substr(at + 3);
  out->module = {};
  if (const size_t tab = name.find('\t'); tab != std::string_view::npos) {
    std::string_view module = name.substr(tab + 1);
    if (module.size() > 2 && module.front() == '[' && module.back() == ']') {
      out->module = module.substr(1, module.size() - 2);
    }
    name = name.substr(0, tab);
  }
  out->address = address;
  out->name = name;
  out->is_function = kind == 't' || kind == 'T' || kind == 'w' || kind == 'W';
  return !name.empty();
}

Result<std::shared_ptr<const KernelSymbols>> KernelSymbols::read(const std::string &path) {
  Result<std::string> text = read_file(path, kMaxSize);
  if (!text) return text.error();
  return parse(std::move(*text));
}

std::shared_ptr<const KernelSymbols> KernelSymbols::parse(std::string text) {
  auto result = std::make_shared<KernelSymbols>();
  result->text_ = std::move(text);
  std::vector<KernelSymbol> &symbols = result->symbols_;
  symbols.reserve(result->text_.size() / 40);
  std::string_view rest = result->text_;
  while (!rest.empty()) {
    KernelSymbol symbol;
    if (parse_kernel_symbol(take_until(rest, '\n'), &symbol)) symbols.push_back(symbol);
  }
  const auto by_address = [](const KernelSymbol &a, const KernelSymbol &b) {
    return a.address < b.address;
  };
  // vmlinux comes sorted, modules behind it are not.
  if (!std::is_sorted(symbols.begin(), symbols.end(), by_address)) {
    std::stable_sort(symbols.begin(), symbols.end(), by_address);
  }
  return result;
}

const KernelSymbol *KernelSymbols::find(std::string_view name) const {
  for (const KernelSymbol &symbol : symbols_) {
    if (symbol.name == name) return &symbol;
  }
  return nullptr;
}

const KernelSymbol *KernelSymbols::containing(uint64_t address) const {
  auto above = std::upper_bound(
      symbols_.begin(), symbols_.end(), address,
      [](uint64_t value, const KernelSymbol &symbol) { return value < symbol.address; });
  if (above == symbols_.begin()) return nullptr;
  const uint64_t start = std::prev(above)->address;
  while (above != symbols_.begin() && std::prev(above)->address == start) --above;
  return &*above;
}

std::optional<uint64_t> find_kernel_symbol(const std::string &name, const std::string &path) {
  if (name.empty() || name.find_first_of(" \t\n") != std::string::npos) return std::nullopt;
  const Result<FileDescriptor> fd = open_file(path);
  if (!fd) return std::nullopt;
  const std::string needle = " " + name;
  // Lines are looked at whole: what a block ends with in the middle of a line stays for the next.
  std::string block(1u << 16, '\0');
  size_t kept = 0;
  uint64_t position = 0;
  while (position < kMaxSize) {
    const ssize_t got = read_some(fd->get(), block.data() + kept, block.size() - kept);
    if (got <= 0) return std::nullopt;
    position += static_cast<uint64_t>(got);
    const std::string_view text(block.data(), kept + static_cast<size_t>(got));
    size_t at = 0;
    while ((at = text.find(needle, at)) != std::string_view::npos) {
      const size_t behind = at + needle.size();
      const bool is_whole = behind < text.size() && (text[behind] == '\n' || text[behind] == '\t');
      const size_t start = text.rfind('\n', at) + 1;  // npos + 1 is 0
      KernelSymbol symbol;
      if (is_whole && parse_kernel_symbol(text.substr(start, behind - start), &symbol) &&
          symbol.name == name) {
        return symbol.address;
      }
      at = behind;
    }
    const size_t last_line = text.rfind('\n') + 1;
    kept = text.size() - last_line;
    if (kept == block.size()) return std::nullopt;
    std::memmove(block.data(), block.data() + last_line, kept);
  }
  return std::nullopt;
}

}  // namespace awl
