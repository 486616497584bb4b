// Lengths of instructions: by hand, and against a disassembler.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "base/elf_file.h"
#include "base/library_path.h"
#include "runtime/attach/x86_instruction.h"

namespace awl::runtime {
namespace {

std::vector<uint8_t> bytes(const std::string &text) {
  std::vector<uint8_t> code;
  for (size_t i = 0; i + 1 < text.size(); i += 3) {
    code.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return code;
}

// The length, with bytes behind the instruction that could be taken for a part of it; 0: none.
uint32_t length_of(const std::string &text) {
  std::vector<uint8_t> code = bytes(text);
  code.insert(code.end(), 16, 0x24);
  return x86_instruction_length(code).value_or(0);
}

TEST(X86Instruction, HasItsLength) {
  const std::pair<const char *, const char *> kInstructions[] = {
      {"90", "nop"},
      {"f3 0f 1e fa", "endbr64"},
      {"55", "push"},
      {"48 89 e5", "mov %rsp,%rbp"},
      {"48 83 ec 18", "sub $0x18,%rsp"},
      {"48 81 ec 98 00 00 00", "sub $0x98,%rsp"},
      {"66 81 c3 34 12", "add $0x1234,%bx"},
      {"66 48 81 c3 34 12 00 00", "add: REX.W wins over 66"},
      {"8b 04 25 10 00 00 00", "mov 0x10,%eax: SIB without a base"},
      {"8b 44 24 08", "mov 8(%rsp),%eax"},
      {"8b 84 24 08 01 00 00", "mov 0x108(%rsp),%eax"},
      {"8b 05 10 00 00 00", "mov 0x10(%rip),%eax"},
      {"8b 45 f8", "mov -8(%rbp),%eax"},
      {"42 8b 04 2d 00 00 00 00", "mov 0(,%r13),%eax"},
      {"48 b8 01 02 03 04 05 06 07 08", "movabs"},
      {"b8 01 02 03 04", "mov $,%eax"},
      {"66 b8 01 02", "mov $,%ax"},
      {"48 a1 01 02 03 04 05 06 07 08", "movabs from an address"},
      {"67 a1 01 02 03 04", "mov from a short address"},
      {"f6 c3 01", "test $1,%bl"},
      {"f6 d3", "not %bl"},
      {"f7 c3 01 00 00 00", "test $1,%ebx"},
      {"f7 db", "neg %ebx"},
      {"c8 10 00 01", "enter"},
      {"c2 08 00", "ret $8"},
      {"e8 00 00 00 00", "call"},
      {"66 66 48 e8 00 00 00 00", "call with padding"},
      {"0f 84 00 01 00 00", "je"},
      {"f0 48 0f b1 13", "lock cmpxchg"},
      {"0f a4 c2 08", "shld"},
      {"0f 20 c0", "mov %cr0,%rax"},
      {"66 0f 38 00 c1", "pshufb"},
      {"66 0f 3a 0f c1 08", "palignr"},
      {"66 0f 70 c0 1b", "pshufd"},
      {"66 2e 0f 1f 84 00 00 00 00 00", "nopw"},
      {"66 0f 78 c0 08 04", "extrq"},
      {"0f 0f c1 9e", "pfadd"},
      {"c5 f8 77", "vzeroupper"},
      {"c5 fd 6f 47 20", "vmovdqa"},
      {"c5 f9 70 c0 1b", "vpshufd"},
      {"c4 e2 7d 59 c0", "vpbroadcastq"},
      {"c4 e3 7d 39 c1 01", "vextracti128"},
      {"62 f1 fe 48 6f 07", "vmovdqu64 with EVEX"},
      {"62 f1 fe 48 6f 47 01", "vmovdqu64 with a displacement"},
      {"62 f3 7d 48 3f c1 00", "vpcmpb"},
      {"62 f5 7c 48 58 c1", "vaddph"},
      {"8f e8 78 c0 c1 03", "vprotb with XOP"},
      {"8f ea 78 10 c1 04 03 02 01", "bextr with XOP"},
      {"8f 00", "pop (%rax)"},
      {"c7 f8 00 00 00 00", "xbegin"},
      {"0f 01 f9", "rdtscp"},
  };
  for (const auto &[text, name] : kInstructions) {
    EXPECT_EQ(length_of(text), (std::strlen(text) + 1) / 3) << name;
  }
}

TEST(X86Instruction, IsRefused) {
  for (const char *text : {"06", "60", "82 c0 01", "9a", "ce", "ea", "0f 04", "0f 24",
                           "c4 ff 00 00", "62 f7 00 00 00", "d4 0a"}) {
    EXPECT_EQ(length_of(text), 0u) << text;
  }
  EXPECT_FALSE(x86_instruction_length({}));
  const std::vector<uint8_t> prefixes(40, 0x66);
  EXPECT_FALSE(x86_instruction_length(prefixes));
}

TEST(X86Instruction, DoesNotReadBeyondTheCode) {
  const std::vector<uint8_t> whole = bytes("48 81 84 24 08 01 00 00 01 02 03 04");
  ASSERT_EQ(x86_instruction_length(whole), 12u);
  for (size_t size = 0; size < whole.size(); ++size) {
    // A copy of its own, so that a sanitizer sees what is read behind it.
    const std::vector<uint8_t> part(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(x86_instruction_length(part)) << size;
  }
}

TEST(X86Instruction, IsFoundAroundAnOffset) {
  const std::vector<uint8_t> code = bytes("55 48 89 e5 b8 01 00 00 00 c3 06");
  EXPECT_EQ(find_x86_instruction(code, 0)->before, 0u);
  EXPECT_EQ(find_x86_instruction(code, 1)->before, 1u);
  EXPECT_EQ(find_x86_instruction(code, 3)->before, 1u);
  EXPECT_EQ(find_x86_instruction(code, 3)->after, 4u);
  EXPECT_EQ(find_x86_instruction(code, 8)->before, 4u);
  EXPECT_EQ(find_x86_instruction(code, 9)->after, 10u);
  EXPECT_FALSE(find_x86_instruction(code, 10));
  EXPECT_FALSE(find_x86_instruction(code, 11));
}

#if defined(__x86_64__)

// Lines of `objdump -d`: "0000000000001000 <name>:" begins a function, "  1000:\tpush %rbp" is an
// instruction.
class Comparison {
 public:
  explicit Comparison(const std::string &path) : path_(path), file_(ElfFile::open(path)) {}

  void run() {
    ASSERT_TRUE(file_) << file_.error().message;
    const std::string command = "objdump -d --no-show-raw-insn '" + path_ + "'";
    std::unique_ptr<FILE, int (*)(FILE *)> pipe(popen(command.c_str(), "r"), pclose);
    ASSERT_NE(pipe, nullptr);
    char line[4096];
    while (fgets(line, sizeof line, pipe.get()) != nullptr) {
      char *after = nullptr;
      const uint64_t address = strtoull(line, &after, 16);
      if (after == line) continue;
      if (*after == ':') {
        is_bad_ = is_bad_ || strstr(after, "(bad)") != nullptr || strstr(after, ".byte") != nullptr;
        starts_.push_back(address);
      } else if (std::string_view(after).starts_with(" <")) {
        compare();
      }
    }
    compare();
  }

  size_t functions() const { return functions_; }

 private:
  // The boundaries of the function that has ended here; those of the last instruction are not told.
  void compare() {
    const std::vector<uint64_t> starts = std::move(starts_);
    const bool is_bad = std::exchange(is_bad_, false);
    starts_.clear();
    if (is_bad || starts.size() < 2) return;
    ++functions_;
    std::vector<uint8_t> code(starts.back() - starts.front());
    const auto offset = segment_offset(file_->segments(), starts.front(), false);
    ASSERT_TRUE(offset && file_->read(*offset, code.data(), code.size()));
    uint64_t at = starts.front();
    for (size_t i = 0; i < starts.size(); ++i) {
      ASSERT_EQ(at, starts[i]) << path_ << ": instruction at " << std::hex
                               << starts[i > 0 ? i - 1 : 0];
      if (at == starts.back()) break;
      // The processor's wait is an instruction; the disassembler takes it together with the next.
      if (code[at - starts.front()] == kWait && starts[i + 1] != at + 1) ++at;
      const auto length = x86_instruction_length(std::span(code).subspan(at - starts.front()));
      ASSERT_TRUE(length) << path_ << ": instruction at " << std::hex << at;
      at += *length;
    }
  }

  static constexpr uint8_t kWait = 0x9b;
  std::string path_;
  Result<ElfFile> file_;
  std::vector<uint64_t> starts_;
  bool is_bad_ = false;
  size_t functions_ = 0;
};

void compare_file(const std::string &path) {
  Comparison comparison(path);
  comparison.run();
  EXPECT_GT(comparison.functions(), 100u) << path;
}

class X86Disassembly : public ::testing::Test {
 protected:
  void SetUp() override {
    if (system("objdump --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "there is no objdump";
  }
};

TEST_F(X86Disassembly, AgreesInTheCLibrary) {
  const Result<std::string> libc = find_binary("libc", "");
  ASSERT_TRUE(libc) << libc.error().message;
  compare_file(*libc);
}

// The programs themselves have no symbols in a release.
TEST_F(X86Disassembly, AgreesInTheseTests) {
  char path[4096] = "";
  ASSERT_GT(readlink("/proc/self/exe", path, sizeof path - 1), 0);
  compare_file(path);
}

// Any other file: AWL_DISASSEMBLE=/usr/lib/x86_64-linux-gnu/libcrypto.so.3.
TEST_F(X86Disassembly, AgreesInAFile) {
  const char *path = getenv("AWL_DISASSEMBLE");
  if (path == nullptr) GTEST_SKIP() << "AWL_DISASSEMBLE names no file";
  compare_file(path);
}

#endif

}  // namespace
}  // namespace awl::runtime
