#include "base/elf_symbols.h"

#include <elf.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "base/pattern.h"

namespace awl {
namespace {

constexpr uint64_t kMaxTableSize = 1ull << 30;
constexpr uint64_t kMaxSmallSection = 1u << 16;

uint16_t native_machine() {
#if defined(__x86_64__)
  return EM_X86_64;
#elif defined(__aarch64__)
  return EM_AARCH64;
#elif defined(__riscv)
  return EM_RISCV;
#elif defined(__powerpc64__)
  return EM_PPC64;
#elif defined(__s390x__)
  return EM_S390;
#else
  return EM_NONE;
#endif
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

}  // namespace

// Fills an ElfSymbols from one file or two.
class ElfReader {
 public:
  static Result<std::shared_ptr<const ElfSymbols>> read(const std::string &path) {
    auto symbols = std::make_shared<ElfSymbols>();
    symbols->path_ = path;
    ElfReader reader(*symbols);
    if (const Status status = reader.open(path); !status) return status.error();
    reader.read_segments();
    reader.read_build_id();
    const bool has_symtab = reader.read_symbols(SHT_SYMTAB);
    reader.read_symbols(SHT_DYNSYM);
    if (!has_symtab) reader.read_debug_file();
    return std::shared_ptr<const ElfSymbols>(std::move(symbols));
  }

 private:
  explicit ElfReader(ElfSymbols &out) : out_(out) {}

  Status open(const std::string &path) {
    Result<FileDescriptor> fd = open_file(path);
    if (!fd) return fd.error();
    fd_ = std::move(*fd);
    struct stat status {};
    if (::fstat(fd_.get(), &status) != 0) return Error::from_errno("cannot look at " + path);
    if (!S_ISREG(status.st_mode)) return Error{path + " is not a regular file", ENOEXEC};
    file_size_ = static_cast<uint64_t>(status.st_size);
    if (!read_at(fd_.get(), 0, &header_, sizeof header_) ||
        std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0) {
      return Error{path + " is not an ELF file", ENOEXEC};
    }
    if (header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_machine != native_machine()) {
      return Error{path + " is an ELF file for another kind of machine", ENOEXEC};
    }
    return read_sections(path);
  }

  Status read_sections(const std::string &path) {
    if (header_.e_shoff == 0) return ok();
    if (header_.e_shentsize != sizeof(Elf64_Shdr)) return malformed(path);
    uint64_t count = header_.e_shnum;
    Elf64_Shdr first{};
    if (!fits(header_.e_shoff, sizeof first) ||
        !read_at(fd_.get(), header_.e_shoff, &first, sizeof first)) {
      return malformed(path);
    }
    // More sections than the header's field can count stand in the first section's size.
    if (count == 0) count = first.sh_size;
    if (count > file_size_ / sizeof(Elf64_Shdr) ||
        !fits(header_.e_shoff, count * sizeof(Elf64_Shdr))) {
      return malformed(path);
    }
    sections_.resize(count);
    if (!read_at(fd_.get(), header_.e_shoff, sections_.data(), count * sizeof(Elf64_Shdr))) {
      return malformed(path);
    }
    const uint32_t names = header_.e_shstrndx == SHN_XINDEX ? first.sh_link : header_.e_shstrndx;
    if (names < count) section_names_ = section_text(sections_[names], kMaxTableSize);
    return ok();
  }

  static Error malformed(const std::string &path) {
    return Error{path + " is a malformed ELF file", ENOEXEC};
  }

  bool fits(uint64_t offset, uint64_t size) const {
    return offset <= file_size_ && size <= file_size_ - offset;
  }

  // The content of a section; empty when it has none in the file or does not fit.
  std::string section_text(const Elf64_Shdr &section, uint64_t limit) const {
    if (section.sh_type == SHT_NOBITS || section.sh_size > limit ||
        !fits(section.sh_offset, section.sh_size)) {
      return "";
    }
    std::string text(section.sh_size, '\0');
    return read_at(fd_.get(), section.sh_offset, text.data(), text.size()) ? text : "";
  }

  std::string_view section_name(const Elf64_Shdr &section) const {
    if (section.sh_name >= section_names_.size()) return {};
    const char *name = section_names_.data() + section.sh_name;
    return {name, ::strnlen(name, section_names_.size() - section.sh_name)};
  }

  void read_segments() {
    out_.is_position_independent_ = header_.e_type == ET_DYN;
    const uint64_t count = header_.e_phnum;
    if (header_.e_phentsize != sizeof(Elf64_Phdr) ||
        !fits(header_.e_phoff, count * sizeof(Elf64_Phdr))) {
      return;
    }
    std::vector<Elf64_Phdr> headers(count);
    if (!read_at(fd_.get(), header_.e_phoff, headers.data(), count * sizeof(Elf64_Phdr))) return;
    for (const Elf64_Phdr &segment : headers) {
      // One whose ends wrap around holds nothing.
      if (segment.p_type != PT_LOAD || segment.p_vaddr + segment.p_filesz < segment.p_vaddr ||
          segment.p_offset + segment.p_filesz < segment.p_offset) {
        continue;
      }
      out_.segments_.push_back(
          {segment.p_vaddr, segment.p_offset, segment.p_filesz, (segment.p_flags & PF_X) != 0});
    }
  }

  void read_build_id() {
    for (const Elf64_Shdr &section : sections_) {
      if (section.sh_type != SHT_NOTE || section_name(section) != ".note.gnu.build-id") continue;
      const std::string note = section_text(section, kMaxSmallSection);
      Elf64_Nhdr header{};
      if (note.size() < sizeof header) continue;
      std::memcpy(&header, note.data(), sizeof header);
      const uint64_t start = sizeof header + ((uint64_t{header.n_namesz} + 3) & ~uint64_t{3});
      if (header.n_type != NT_GNU_BUILD_ID || start > note.size() ||
          header.n_descsz > note.size() - start) {
        continue;
      }
      out_.build_id_ = hexadecimal(std::string_view(note).substr(start, header.n_descsz));
    }
  }

  // Adds the defined functions and objects of a symbol table. False: there is none.
  bool read_symbols(uint32_t table_type) {
    bool found = false;
    for (const Elf64_Shdr &table : sections_) {
      if (table.sh_type != table_type || table.sh_link >= sections_.size()) continue;
      const Elf64_Shdr &names = sections_[table.sh_link];
      if (table.sh_size > kMaxTableSize || names.sh_size > kMaxTableSize || names.sh_size == 0 ||
          !fits(table.sh_offset, table.sh_size) || !fits(names.sh_offset, names.sh_size) ||
          table.sh_type == SHT_NOBITS || names.sh_type != SHT_STRTAB) {
        continue;
      }
      std::vector<Elf64_Sym> entries(table.sh_size / sizeof(Elf64_Sym));
      auto strings = std::make_unique<char[]>(names.sh_size);
      if (!read_at(fd_.get(), table.sh_offset, entries.data(),
                   entries.size() * sizeof(Elf64_Sym)) ||
          !read_at(fd_.get(), names.sh_offset, strings.get(), names.sh_size)) {
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

  // Distributions put the symbols of a stripped file into one of its own. Addresses there are the
  // same; segments are taken from the file itself.
  void read_debug_file() {
    for (const std::string &path : debug_file_paths()) {
      ElfSymbols ignored;
      ElfReader debug(ignored);
      if (!debug.open(path)) continue;
      debug.read_build_id();
      if (!out_.build_id_.empty() && ignored.build_id_ != out_.build_id_) continue;
      ElfReader symbols(out_);
      if (symbols.open(path) && symbols.read_symbols(SHT_SYMTAB)) return;
    }
  }

  std::vector<std::string> debug_file_paths() const {
    std::vector<std::string> paths;
    if (out_.build_id_.size() > 2) {
      paths.push_back("/usr/lib/debug/.build-id/" + out_.build_id_.substr(0, 2) + "/" +
                      out_.build_id_.substr(2) + ".debug");
    }
    for (const Elf64_Shdr &section : sections_) {
      if (section_name(section) != ".gnu_debuglink") continue;
      const std::string text = section_text(section, kMaxSmallSection);
      const std::string name(text.c_str());  // a checksum follows its NUL
      if (name.empty() || name.find('/') != std::string::npos) continue;
      const std::string folder = out_.path_.substr(0, out_.path_.rfind('/') + 1);
      if (folder + name != out_.path_) paths.push_back(folder + name);
      paths.push_back(folder + ".debug/" + name);
      if (folder.starts_with('/')) paths.push_back("/usr/lib/debug" + folder + name);
    }
    return paths;
  }

  ElfSymbols &out_;
  FileDescriptor fd_;
  uint64_t file_size_ = 0;
  Elf64_Ehdr header_{};
  std::vector<Elf64_Shdr> sections_;
  std::string section_names_;
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
  auto at = std::upper_bound(order.begin(), order.end(), address,
                             [this](uint64_t value, uint32_t index) {
                               return value < symbols_[index].address;
                             });
  // A function may hold the start of another one (a cold part, an entry inside): then the way
  // back is some steps long. Farther than this, none is expected.
  constexpr int kMaxSteps = 64;
  const ElfSymbol *found = nullptr;
  for (int step = 0; at != order.begin() && step < kMaxSteps; ++step) {
    const ElfSymbol &symbol = symbols_[*--at];
    if (found != nullptr && symbol.address != found->address) break;
    const bool is_last_known = symbol.size == 0 && step == 0;
    // Of several at one address the first in order wins.
    if (is_last_known || address - symbol.address < symbol.size) found = &symbol;
  }
  return found;
}

std::optional<uint64_t> ElfSymbols::file_offset(uint64_t address, bool any_segment) const {
  for (const Segment &segment : segments_) {
    if ((segment.is_executable || any_segment) && address >= segment.address &&
        address - segment.address < segment.file_size) {
      return address - segment.address + segment.offset;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> ElfSymbols::address_at(uint64_t file_offset, bool any_segment) const {
  for (const Segment &segment : segments_) {
    if ((segment.is_executable || any_segment) && file_offset >= segment.offset &&
        file_offset - segment.offset < segment.file_size) {
      return file_offset - segment.offset + segment.address;
    }
  }
  return std::nullopt;
}

}  // namespace awl
