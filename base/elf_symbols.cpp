#include "base/elf_symbols.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "base/debug_file.h"
#include "base/pattern.h"

namespace awl {
namespace {

constexpr uint64_t kMaxTableSize = 1ull << 30;

}  // namespace

// Fills an ElfSymbols from one file or two.
class ElfReader {
 public:
  static Result<std::shared_ptr<const ElfSymbols>> read(const std::string &path) {
    Result<ElfFile> file = ElfFile::open(path);
    if (!file) return file.error();
    auto symbols = std::make_shared<ElfSymbols>();
    symbols->path_ = path;
    symbols->is_position_independent_ = file->is_position_independent();
    symbols->segments_ = file->segments();
    symbols->build_id_ = file->build_id();
    ElfReader reader(*symbols);
    reader.read_code(*file);
    symbols->is_stripped_ = !reader.read_symbols(*file, SHT_SYMTAB);
    reader.read_symbols(*file, SHT_DYNSYM);
    if (symbols->is_stripped_) {
      // Distributions put the symbols of a stripped file into one of its own. Addresses there are
      // the same; segments are taken from the file itself.
      Result<ElfFile> debug = ElfFile::open(find_debug_file(*file));
      if (debug && reader.read_symbols(*debug, SHT_SYMTAB)) symbols->is_stripped_ = false;
    }
    return std::shared_ptr<const ElfSymbols>(std::move(symbols));
  }

 private:
  explicit ElfReader(ElfSymbols &out) : out_(out) {}

  // A file without sections has only segments.
  void read_code(const ElfFile &file) {
    for (const Elf64_Shdr &section : file.sections()) {
      if ((section.sh_flags & SHF_EXECINSTR) == 0) continue;
      if (section.sh_addr + section.sh_size < section.sh_addr) continue;
      out_.code_.emplace_back(section.sh_addr, section.sh_addr + section.sh_size);
    }
    if (!out_.code_.empty()) return;
    for (const ElfSegment &segment : file.segments()) {
      if (!segment.is_executable) continue;
      out_.code_.emplace_back(segment.address, segment.address + segment.file_size);
    }
  }

  // Adds the defined functions and objects of a symbol table. False: there is none.
  bool read_symbols(const ElfFile &file, uint32_t table_type) {
    bool found = false;
    const std::vector<Elf64_Shdr> &sections = file.sections();
    for (const Elf64_Shdr &table : sections) {
      if (table.sh_type != table_type || table.sh_link >= sections.size()) continue;
      const Elf64_Shdr &names = sections[table.sh_link];
      if (table.sh_size > kMaxTableSize || names.sh_size > kMaxTableSize || names.sh_size == 0 ||
          !file.fits(table.sh_offset, table.sh_size) ||
          !file.fits(names.sh_offset, names.sh_size) || table.sh_type == SHT_NOBITS ||
          names.sh_type != SHT_STRTAB) {
        continue;
      }
      std::vector<Elf64_Sym> entries(table.sh_size / sizeof(Elf64_Sym));
      auto strings = std::make_unique<char[]>(names.sh_size);
      if (!file.read(table.sh_offset, entries.data(), entries.size() * sizeof(Elf64_Sym)) ||
          !file.read(names.sh_offset, strings.get(), names.sh_size)) {
        continue;
      }
      strings[names.sh_size - 1] = '\0';
      out_.symbols_.reserve(out_.symbols_.size() + entries.size());
      for (const Elf64_Sym &entry : entries) add_symbol(entry, strings.get(), names.sh_size);
      out_.strings_.push_back(std::move(strings));
      found = true;
    }
    return found;
  }

  void add_symbol(const Elf64_Sym &entry, const char *strings, uint64_t strings_size) {
    const uint8_t type = ELF64_ST_TYPE(entry.st_info);
    const bool is_function = type == STT_FUNC || type == STT_GNU_IFUNC;
    // Assembler code often leaves its labels without a type; those are of no use to attach to
    // by name and would hide the functions around them.
    if ((!is_function && type != STT_OBJECT) || entry.st_shndx == SHN_UNDEF ||
        entry.st_name >= strings_size) {
      return;
    }
    std::string_view name(strings + entry.st_name);
    name = name.substr(0, name.find('@'));
    if (name.empty()) return;
    const uint8_t binding = ELF64_ST_BIND(entry.st_info);
    out_.symbols_.push_back({name, entry.st_value, entry.st_size, is_function,
                             binding == STB_GLOBAL || binding == STB_WEAK});
  }

  ElfSymbols &out_;
};

Result<std::shared_ptr<const ElfSymbols>> ElfSymbols::open(const std::string &path) {
  return ElfReader::read(path);
}

const ElfSymbol *ElfSymbols::find(std::string_view name) const {
  const auto rank = [](const ElfSymbol &symbol) {
    return 2 * int{symbol.is_function} + int{symbol.is_global};
  };
  const ElfSymbol *best = nullptr;
  for (const ElfSymbol &symbol : symbols_) {
    if (symbol.name == name && (best == nullptr || rank(symbol) > rank(*best))) best = &symbol;
  }
  return best;
}

const ElfSymbol *ElfSymbols::find_function(std::string_view name) const {
  const ElfSymbol *symbol = find(name);
  return symbol && symbol->is_function ? symbol : nullptr;
}

std::vector<const ElfSymbol *> ElfSymbols::functions(std::string_view pattern) const {
  std::vector<const ElfSymbol *> found;
  if (!has_wildcard(pattern)) {
    if (const ElfSymbol *symbol = find_function(pattern)) found.push_back(symbol);
    return found;
  }
  for (const ElfSymbol &symbol : symbols_) {
    if (symbol.is_function && matches_pattern(pattern, symbol.name)) found.push_back(&symbol);
  }
  // Of equal names the global one stays.
  std::stable_sort(found.begin(), found.end(), [](const ElfSymbol *a, const ElfSymbol *b) {
    const int order = a->name.compare(b->name);
    return order != 0 ? order < 0 : a->is_global > b->is_global;
  });
  const auto is_same = [](const ElfSymbol *a, const ElfSymbol *b) { return a->name == b->name; };
  found.erase(std::unique(found.begin(), found.end(), is_same), found.end());
  return found;
}

const ElfSymbol *ElfSymbols::containing(uint64_t address) const {
  std::call_once(is_sorted_, [this] {
    for (uint32_t i = 0; i < symbols_.size(); ++i) {
      if (symbols_[i].is_function) functions_by_address_.push_back(i);
    }
    // Where several names share an address, the first global one in the file is printed.
    std::sort(functions_by_address_.begin(), functions_by_address_.end(),
              [this](uint32_t left, uint32_t right) {
                const ElfSymbol &a = symbols_[left], &b = symbols_[right];
                if (a.address != b.address) return a.address < b.address;
                if (a.is_global != b.is_global) return a.is_global;
                return left < right;
              });
  });
  const auto &order = functions_by_address_;
  auto at = std::upper_bound(
      order.begin(), order.end(), address,
      [this](uint64_t value, uint32_t index) { return value < symbols_[index].address; });
  // A function may hold the start of another one (a cold part, an entry inside): then the way
  // back is some steps long. Farther than this, none is expected.
  constexpr int kMaxSteps = 64;
  const ElfSymbol *found = nullptr;
  for (int step = 0; at != order.begin() && step < kMaxSteps; ++step) {
    const ElfSymbol &symbol = symbols_[*--at];
    if (found != nullptr && symbol.address != found->address) break;
    const bool is_last_known =
        symbol.size == 0 && step == 0 && is_same_code(symbol.address, address);
    // Of several at one address the first in order wins.
    if (is_last_known || address - symbol.address < symbol.size) found = &symbol;
  }
  return found;
}

bool ElfSymbols::is_same_code(uint64_t first, uint64_t second) const {
  return std::any_of(code_.begin(), code_.end(), [&](const auto &range) {
    return first >= range.first && second >= range.first && first < range.second &&
           second < range.second;
  });
}

std::optional<uint64_t> ElfSymbols::file_offset(uint64_t address, bool any_segment) const {
  return segment_offset(segments_, address, any_segment);
}

std::optional<uint64_t> ElfSymbols::address_at(uint64_t file_offset, bool any_segment) const {
  return segment_address(segments_, file_offset, any_segment);
}

}  // namespace awl
