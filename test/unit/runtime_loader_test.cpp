// What the loader does before the kernel is asked: object files, parameters, verifier logs.
#include <elf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <cstring>
#include <random>

#include "runtime/kernel_limits.h"
#include "runtime/object_file.h"
#include "runtime/parameters.h"
#include "runtime/verifier_log.h"

namespace awl::runtime {
namespace {

// A small BPF object: a code section with two instructions, a symbol, a section of text.
std::vector<uint8_t> make_object() {
  const std::string names = std::string("\0.shstrtab\0code\0.awl\0.symtab\0", 30);
  const std::string symbol_names = std::string("\0begin\0", 7);
  std::vector<uint8_t> bytes(sizeof(Elf64_Ehdr));
  std::vector<Elf64_Shdr> sections(1);
  const auto add = [&](uint32_t name, uint32_t type, uint64_t flags, const void *data, size_t size,
                       uint32_t link) {
    while (bytes.size() % 8 != 0) bytes.push_back(0);
    Elf64_Shdr section{};
    section.sh_name = name;
    section.sh_type = type;
    section.sh_flags = flags;
    section.sh_offset = bytes.size();
    section.sh_size = size;
    section.sh_link = link;
    sections.push_back(section);
    const auto *begin = static_cast<const uint8_t *>(data);
    bytes.insert(bytes.end(), begin, begin + size);
  };
  const bpf_insn code[2] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 7},
                            {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  Elf64_Sym symbols[2] = {};
  symbols[1].st_name = 1;
  symbols[1].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  symbols[1].st_shndx = 2;
  symbols[1].st_size = sizeof code;
  add(1, SHT_STRTAB, 0, names.data(), names.size(), 0);
  add(11, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code, sizeof code, 0);
  add(16, SHT_PROGBITS, 0, "{}", 2, 0);
  add(21, SHT_SYMTAB, 0, symbols, sizeof symbols, 5);
  add(0, SHT_STRTAB, 0, symbol_names.data(), symbol_names.size(), 0);
  while (bytes.size() % 8 != 0) bytes.push_back(0);
  Elf64_Ehdr header{};
  memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_machine = 247;
  header.e_shoff = bytes.size();
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = static_cast<uint16_t>(sections.size());
  header.e_shstrndx = 1;
  memcpy(bytes.data(), &header, sizeof header);
  const auto *table = reinterpret_cast<const uint8_t *>(sections.data());
  bytes.insert(bytes.end(), table, table + sections.size() * sizeof(Elf64_Shdr));
  return bytes;
}

TEST(ObjectFile, FindsSectionsSymbolsAndInstructions) {
  Result<ObjectFile> file = ObjectFile::parse(make_object());
  ASSERT_TRUE(file) << file.error().message;
  const ObjectSection *text = file->find_section(".awl");
  ASSERT_NE(text, nullptr);
  EXPECT_EQ(file->section_text(*text), "{}");
  const ObjectSection *code = file->find_section("code");
  ASSERT_NE(code, nullptr);
  EXPECT_TRUE(code->is_code);
  ASSERT_NE(file->instruction(*code, 0), nullptr);
  EXPECT_EQ(file->instruction(*code, 0)->imm, 7);
  EXPECT_EQ(file->instruction(*code, 2), nullptr);
  EXPECT_EQ(file->instruction(*text, 0), nullptr);
  const ObjectSymbol *symbol = file->find_symbol("begin", "code");
  ASSERT_NE(symbol, nullptr);
  EXPECT_TRUE(symbol->is_function);
  EXPECT_EQ(file->find_symbol("begin", ".awl"), nullptr);
}

TEST(ObjectFile, RefusesWhatIsNoObject) {
  EXPECT_FALSE(ObjectFile::parse({}));
  EXPECT_FALSE(ObjectFile::parse({0x7f, 'E', 'L', 'F'}));
  std::vector<uint8_t> other_machine = make_object();
  reinterpret_cast<Elf64_Ehdr *>(other_machine.data())->e_machine = EM_X86_64;
  Result<ObjectFile> file = ObjectFile::parse(other_machine);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("BPF"), std::string::npos);
}

// Whatever the bytes say, nothing outside of them is read (run under the sanitizers).
TEST(ObjectFile, SurvivesDamage) {
  const std::vector<uint8_t> whole = make_object();
  for (size_t size = 0; size < whole.size(); ++size) {
    (void)ObjectFile::parse(
        std::vector<uint8_t>(whole.begin(), whole.begin() + static_cast<long>(size)));
  }
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> bytes = whole;
    for (int i = 0; i < 4; ++i) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    Result<ObjectFile> file = ObjectFile::parse(bytes);
    if (!file) continue;
    for (const ObjectSection &section : file->sections()) {
      if (section.has_bytes) (void)file->section_text(section);
      (void)file->instruction(section, section.size / sizeof(bpf_insn));
    }
  }
}

object::Description description_with_parameters() {
  object::Description description;
  object::Parameter first, limit, name, flag;
  first.name = "1";
  first.default_integer = 5;
  limit.name = "limit";
  limit.is_positional = false;
  limit.default_integer = 10;
  name.name = "name";
  name.is_positional = false;
  name.kind = object::ParameterKind::kString;
  name.default_string = "nobody";
  flag.name = "flag";
  flag.is_positional = false;
  flag.kind = object::ParameterKind::kBool;
  description.parameters = {first, limit, name, flag};
  return description;
}

TEST(Parameters, TakesDefaultsAndGivenValues) {
  const object::Description description = description_with_parameters();
  RunOptions options;
  Result<std::vector<ParameterValue>> values = bind_parameters(description, options);
  ASSERT_TRUE(values);
  EXPECT_EQ((*values)[0].integer, 5);
  EXPECT_EQ((*values)[2].text, "nobody");
  EXPECT_EQ((*values)[3].integer, 0);
  options.positional = {"7"};
  options.named = {{"limit", "1"}, {"name", "awl"}, {"flag", ""}, {"limit", "0x10"}};
  values = bind_parameters(description, options);
  ASSERT_TRUE(values);
  EXPECT_EQ((*values)[0].integer, 7);
  EXPECT_EQ((*values)[1].integer, 16);
  EXPECT_EQ((*values)[2].text, "awl");
  EXPECT_EQ((*values)[3].integer, 1);
}

TEST(Parameters, RefusesUnknownNamesAndBadValues) {
  const object::Description description = description_with_parameters();
  RunOptions options;
  options.named = {{"limt", "1"}};
  EXPECT_NE(bind_parameters(description, options).error().message.find("--limit"),
            std::string::npos);
  options.named = {{"limit", "many"}};
  EXPECT_NE(bind_parameters(description, options).error().message.find("whole number"),
            std::string::npos);
  options.named = {{"name", std::nullopt}};
  EXPECT_EQ(bind_parameters(description, options).error().message,
            "parameter --name needs a value: --name=VALUE");
  options.named = {{"name", ""}, {"flag", std::nullopt}};
  EXPECT_TRUE(bind_parameters(description, options));
  options.named = {{"flag", "maybe"}};
  EXPECT_NE(bind_parameters(description, options).error().message.find("true or false"),
            std::string::npos);
  options.named = {{"name", std::string(300, 'x')}};
  EXPECT_NE(bind_parameters(description, options).error().message.find("at most 255"),
            std::string::npos);
}

constexpr const char *kScript = "begin {\n  $x = 1;\n  print(*$p);\n}\n";

TEST(VerifierLog, NamesTheLineThatNewKernelsGive) {
  const std::string log =
      "0: R1=ctx()\n; $x = 1; @ stdin:2\n0: (b7) r0 = 0\n; print(*$p); @ stdin:3\n"
      "1: (79) r1 = *(u64 *)(r2 +0)\nR2 !read_ok\nprocessed 2 insns (limit 1000000)\n";
  EXPECT_EQ(find_script_line(log, kScript), 3u);
}

TEST(VerifierLog, LooksForTheTextThatOldKernelsGive) {
  EXPECT_EQ(find_script_line("; $x = 1;\n0: (b7) r0 = 0\n", kScript), 2u);
  EXPECT_EQ(find_script_line("; something else\n", kScript), 0u);
  EXPECT_EQ(find_script_line("", kScript), 0u);
  EXPECT_EQ(find_script_line("; x @ stdin:99999999999999\n", kScript), 0u);
}

TEST(VerifierLog, NamesTheHelperThatTheKernelLacks) {
  EXPECT_NE(find_missing_feature("0: (85) call unknown#208\ninvalid func unknown#208\n")
                .find("bpf_ktime_get_tai_ns"),
            std::string::npos);
  EXPECT_NE(find_missing_feature("unknown func bpf_loop#181\n").find("bpf_loop"),
            std::string::npos);
  EXPECT_NE(find_missing_feature("number of funcs in func_info doesn't match number of subprogs")
                .find("Linux 5.13"),
            std::string::npos);
  EXPECT_NE(
      find_missing_feature("3: (85) call bpf_d_path#147\nhelper call is not allowed in probe\n")
          .find("tells no paths here"),
      std::string::npos);
  EXPECT_EQ(find_missing_feature("invalid func unknown#99999\n"), "");
  EXPECT_EQ(find_missing_feature("unknown func "), "");
  EXPECT_NE(find_missing_feature("Attaching fexit to __noreturn functions is rejected.\n")
                .find("never returns"),
            std::string::npos);
  EXPECT_EQ(find_missing_feature("R1 invalid mem access 'scalar'\n"), "");
}

TEST(VerifierLog, SaysWhyAndWhere) {
  object::Description description;
  description.script_name = "stdin";
  description.script_text = kScript;
  const Error error = explain_verifier_log(
      "; print(*$p); @ stdin:3\n1: (79) r1 = *(u64 *)(r2 +0)\nR2 !read_ok\n"
      "processed 2 insns (limit 1000000) max_states_per_insn 0\n",
      "begin_1", EACCES, description);
  EXPECT_EQ(error.code, EACCES);
  EXPECT_NE(error.message.find("begin_1: R2 !read_ok"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("stdin:3:   print(*$p);"), std::string::npos) << error.message;
}

TEST(VerifierLog, SaysWhatIsTooLong) {
  object::Description description;
  description.script_name = "stdin";
  description.script_text = kScript;
  for (auto [words, text] :
       {std::pair{"The sequence of 8193 jumps is too complex.\n", "more rounds"},
        std::pair{"BPF program is too large. Processed 1000001 insn\n", "more instructions"},
        std::pair{"infinite loop detected at insn 12\n", "where a loop ends"}}) {
    const Error error = explain_verifier_log(words, "begin_1", E2BIG, description);
    const std::string first = error.message.substr(0, error.message.find('\n'));
    EXPECT_NE(first.find(text), std::string::npos) << error.message;
    EXPECT_NE(first.find("for ($i : 0..$n)"), std::string::npos) << error.message;
  }
}

}  // namespace
}  // namespace awl::runtime
