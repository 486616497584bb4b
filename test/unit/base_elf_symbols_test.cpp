#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "base/elf_symbols.h"
#include "base/file.h"

// Known to the tests below by its name.
extern "C" __attribute__((noinline, used)) int awl_elf_symbols_test_function(int x) {
  return x * 3 + 1;
}

namespace awl {
namespace {

class TemporaryFile {
 public:
  TemporaryFile() {
    char path[] = "/tmp/awl-elf-XXXXXX";
    const int fd = ::mkstemp(path);
    if (fd >= 0) ::close(fd);
    path_ = path;
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  const std::string &path() const { return path_; }
  void write(const std::string &content) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
  }

 private:
  std::string path_;
};

// A small ELF file: one executable segment, and a symbol table with functions `first` (also
// called `alias`) and `second`, and an object.
struct SmallElf {
  Elf64_Ehdr header{};
  Elf64_Phdr segment{};
  Elf64_Sym symbols[5]{};
  char strings[48] = "\0first\0second@@V1\0object\0alias\0.x";
  Elf64_Shdr sections[3]{};

  SmallElf() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
#if defined(__x86_64__)
    header.e_machine = EM_X86_64;
#else
    header.e_machine = EM_AARCH64;
#endif
    header.e_type = ET_DYN;
    header.e_phoff = offsetof(SmallElf, segment);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 1;
    header.e_shoff = offsetof(SmallElf, sections);
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 3;
    segment.p_type = PT_LOAD;
    segment.p_flags = PF_R | PF_X;
    segment.p_offset = 0x1000;
    segment.p_vaddr = 0x401000;
    segment.p_filesz = segment.p_memsz = 0x1000;
    set_symbol(1, 1, STT_FUNC, STB_LOCAL, 0x401000, 0x20);
    set_symbol(2, 7, STT_FUNC, STB_GLOBAL, 0x401040, 0);
    set_symbol(3, 18, STT_OBJECT, STB_GLOBAL, 0x402000, 12);
    set_symbol(4, 25, STT_FUNC, STB_GLOBAL, 0x401000, 0x20);
    sections[1].sh_type = SHT_SYMTAB;
    sections[1].sh_offset = offsetof(SmallElf, symbols);
    sections[1].sh_size = sizeof symbols;
    sections[1].sh_link = 2;
    sections[2].sh_type = SHT_STRTAB;
    sections[2].sh_offset = offsetof(SmallElf, strings);
    sections[2].sh_size = sizeof strings;
  }

  void set_symbol(int index, uint32_t name, uint8_t type, uint8_t binding, uint64_t value,
                  uint64_t size) {
    symbols[index].st_name = name;
    symbols[index].st_info = ELF64_ST_INFO(binding, type);
    symbols[index].st_shndx = 1;
    symbols[index].st_value = value;
    symbols[index].st_size = size;
  }
  std::string bytes() const { return {reinterpret_cast<const char *>(this), sizeof *this}; }
};

Result<std::shared_ptr<const ElfSymbols>> open_bytes(const std::string &bytes) {
  TemporaryFile file;
  file.write(bytes);
  return ElfSymbols::open(file.path());
}

TEST(ElfSymbols, FindsByNameAndAddress) {
  const auto opened = open_bytes(SmallElf().bytes());
  ASSERT_TRUE(opened) << opened.error().message;
  const ElfSymbols &elf = **opened;
  EXPECT_EQ(elf.symbols().size(), 4u);
  ASSERT_NE(elf.find_function("second"), nullptr);
  EXPECT_EQ(elf.find_function("second")->address, 0x401040u);
  EXPECT_EQ(elf.find_function("object"), nullptr);
  ASSERT_NE(elf.find("object"), nullptr);
  EXPECT_EQ(elf.find("object")->size, 12u);
  EXPECT_EQ(elf.find("third"), nullptr);
  EXPECT_EQ(elf.functions("*").size(), 3u);
  EXPECT_EQ(elf.functions("*")[0]->name, "alias");
  EXPECT_EQ(elf.functions("f*").size(), 1u);
  EXPECT_EQ(elf.functions("second").size(), 1u);
}

TEST(ElfSymbols, FindsTheFunctionAroundAnAddress) {
  const auto opened = open_bytes(SmallElf().bytes());
  ASSERT_TRUE(opened);
  const ElfSymbols &elf = **opened;
  EXPECT_EQ(elf.containing(0x400fff), nullptr);
  // The global name of two wins.
  EXPECT_EQ(elf.containing(0x401000)->name, "alias");
  EXPECT_EQ(elf.containing(0x40101f)->name, "alias");
  EXPECT_EQ(elf.containing(0x401020), nullptr);
  // Nobody knows how long `second` is.
  EXPECT_EQ(elf.containing(0x401050)->name, "second");
  // But it is code.
  EXPECT_EQ(elf.containing(0x402004), nullptr);
  SmallElf small;
  small.sections[0].sh_type = SHT_PROGBITS;
  small.sections[0].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  small.sections[0].sh_addr = 0x401000;
  small.sections[0].sh_size = 0x80;
  const auto bounded = open_bytes(small.bytes());
  ASSERT_TRUE(bounded);
  EXPECT_EQ((*bounded)->containing(0x40107f)->name, "second");
  EXPECT_EQ((*bounded)->containing(0x401080), nullptr);
}

TEST(ElfSymbols, TranslatesAddresses) {
  const auto opened = open_bytes(SmallElf().bytes());
  ASSERT_TRUE(opened);
  const ElfSymbols &elf = **opened;
  EXPECT_EQ(elf.file_offset(0x401040), 0x1040u);
  EXPECT_EQ(elf.address_at(0x1040), 0x401040u);
  EXPECT_EQ(elf.file_offset(0x402000), std::nullopt);
  EXPECT_EQ(elf.address_at(0xfff), std::nullopt);
}

TEST(ElfSymbols, RefusesWhatIsNoElfFile) {
  EXPECT_FALSE(ElfSymbols::open("/nonexistent"));
  EXPECT_FALSE(ElfSymbols::open("/"));
  TemporaryFile fifo;
  ::unlink(fifo.path().c_str());
  ASSERT_EQ(::mkfifo(fifo.path().c_str(), 0600), 0);
  EXPECT_FALSE(ElfSymbols::open(fifo.path()));  // at once
  EXPECT_FALSE(open_bytes(""));
  EXPECT_FALSE(open_bytes("#!/bin/sh\n"));
  SmallElf other;
  other.header.e_machine = EM_68K;
  EXPECT_FALSE(open_bytes(other.bytes()));
  SmallElf small;
  small.header.e_ident[EI_CLASS] = ELFCLASS32;
  EXPECT_FALSE(open_bytes(small.bytes()));
}

TEST(ElfSymbols, SurvivesWrongSizesAndOffsets) {
  SmallElf elf;
  elf.header.e_shnum = 0xff00;
  EXPECT_FALSE(open_bytes(elf.bytes()));
  elf = SmallElf();
  elf.header.e_shoff = ~0ull - 8;
  EXPECT_FALSE(open_bytes(elf.bytes()));
  elf = SmallElf();
  elf.sections[1].sh_size = ~0ull;
  EXPECT_TRUE((*open_bytes(elf.bytes()))->symbols().empty());
  elf = SmallElf();
  elf.sections[1].sh_link = 77;
  EXPECT_TRUE((*open_bytes(elf.bytes()))->symbols().empty());
  elf = SmallElf();
  elf.symbols[2].st_name = 0xffffff;
  EXPECT_EQ((*open_bytes(elf.bytes()))->symbols().size(), 3u);
  elf = SmallElf();
  elf.segment.p_filesz = ~0ull;
  EXPECT_EQ((*open_bytes(elf.bytes()))->file_offset(0x401040), std::nullopt);
}

TEST(ElfSymbols, SurvivesEveryTruncationAndFlippedByte) {
  const std::string whole = SmallElf().bytes();
  for (size_t size = 0; size < whole.size(); ++size) (void)open_bytes(whole.substr(0, size));
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0xff);
    const auto opened = open_bytes(changed);
    if (!opened) continue;
    (*opened)->containing(0x401000);
    (*opened)->functions("*");
  }
}

TEST(ElfSymbols, ReadsThisProgram) {
  const auto opened = ElfSymbols::open("/proc/self/exe");
  ASSERT_TRUE(opened) << opened.error().message;
  const ElfSymbol *function = (*opened)->find_function("awl_elf_symbols_test_function");
  ASSERT_NE(function, nullptr);
  EXPECT_EQ((*opened)->containing(function->address + 1), function);
  const auto offset = (*opened)->file_offset(function->address);
  ASSERT_TRUE(offset);
  // Not the whole file: with sanitizers it is larger than read_file() takes.
  std::ifstream self("/proc/self/exe", std::ios::binary);
  char code[8] = {};
  self.seekg(static_cast<std::streamoff>(*offset)).read(code, sizeof(code));
  EXPECT_EQ(std::memcmp(code, reinterpret_cast<const void *>(&awl_elf_symbols_test_function),
                        sizeof(code)),
            0);
}

}  // namespace
}  // namespace awl
