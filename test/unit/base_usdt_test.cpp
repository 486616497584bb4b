// The text of a static probe's arguments, on both machines.
#include <gtest/gtest.h>

#include "base/usdt_arguments.h"

namespace awl {
namespace {

UsdtArgument parse_one(const std::string &text, UsdtMachine machine = UsdtMachine::kX86_64) {
  const auto find = [](const std::string &name) -> std::optional<int64_t> {
    return name == "counter" ? std::optional<int64_t>(0x2000) : std::nullopt;
  };
  const std::vector<UsdtArgument> arguments = parse_usdt_arguments(text, machine, find);
  EXPECT_EQ(arguments.size(), 1u) << text;
  return arguments.empty() ? UsdtArgument{} : arguments[0];
}

TEST(UsdtArguments, SizesAndSigns) {
  for (int size : {1, 2, 4, 8}) {
    UsdtArgument plain = parse_one(std::to_string(size) + "@%rax");
    EXPECT_EQ(plain.size, size);
    EXPECT_FALSE(plain.is_signed);
    UsdtArgument with_sign = parse_one(std::to_string(-size) + "@%rax");
    EXPECT_EQ(with_sign.size, size);
    EXPECT_TRUE(with_sign.is_signed);
  }
  for (const char *wrong : {"3@%rax", "0@%rax", "16@%rax", "@%rax", "x@%rax", "8%rax", "8@"}) {
    EXPECT_NE(parse_one(wrong).problem, "") << wrong;
  }
}

TEST(UsdtArguments, Constants) {
  EXPECT_EQ(parse_one("-4@$-5").offset, -5);
  EXPECT_EQ(parse_one("8@$0x7fffffffffffffff").offset, INT64_MAX);
  EXPECT_EQ(parse_one("8@$18446744073709551615").offset, -1);
  EXPECT_FALSE(parse_one("4@$1").base);
  EXPECT_FALSE(parse_one("4@$1").is_memory);
}

TEST(UsdtArguments, RegistersOfX86AndTheirParts) {
  for (const char *name : {"rax", "eax", "ax", "al"}) {
    EXPECT_EQ(parse_one(std::string("8@%") + name).base, 80) << name;
    EXPECT_EQ(parse_one(std::string("8@%") + name).first_bit, 0) << name;
  }
  EXPECT_EQ(parse_one("1@%ah").base, 80);
  EXPECT_EQ(parse_one("1@%ah").first_bit, 8);
  EXPECT_EQ(parse_one("1@%dil").base, 112);
  EXPECT_EQ(parse_one("4@%r8d").base, 72);
  EXPECT_EQ(parse_one("1@%r11b").base, 48);
  EXPECT_EQ(parse_one("2@%r12w").base, 24);
  EXPECT_EQ(parse_one("8@%r15").base, 0);
  EXPECT_EQ(parse_one("8@%rsp").base, 152);
  EXPECT_EQ(parse_one("8@%xmm0").problem, "xmm0 is a floating point register");
  EXPECT_EQ(parse_one("8f@%xmm0").problem, "it is a floating point number");
  EXPECT_EQ(parse_one("8@%foo").problem, "foo is not a known register");
}

TEST(UsdtArguments, MemoryOfX86) {
  const UsdtArgument plain = parse_one("8@(%rbx)");
  EXPECT_TRUE(plain.is_memory);
  EXPECT_EQ(plain.base, 40);
  EXPECT_EQ(plain.offset, 0);
  EXPECT_EQ(parse_one("-4@-1204(%rbp)").offset, -1204);
  const UsdtArgument full = parse_one("8@16(%rbx,%rcx,8)");
  EXPECT_EQ(full.base, 40);
  EXPECT_EQ(full.index, 88);
  EXPECT_EQ(full.scale, 3);
  EXPECT_EQ(full.offset, 16);
  const UsdtArgument without_base = parse_one("8@-8(,%rax,4)");
  EXPECT_FALSE(without_base.base);
  EXPECT_EQ(without_base.index, 80);
  EXPECT_EQ(without_base.scale, 2);
  EXPECT_EQ(parse_one("8@(%rbx,%rcx)").scale, 0);
  for (const char *wrong : {"8@(%rbx", "8@(%rbx,%rcx,3)", "8@()", "8@8(", "8@(rbx)"}) {
    EXPECT_NE(parse_one(wrong).problem, "") << wrong;
  }
}

TEST(UsdtArguments, Symbols) {
  const UsdtArgument relative = parse_one("4@counter(%rip)");
  EXPECT_TRUE(relative.is_memory);
  EXPECT_EQ(relative.base, 128);
  EXPECT_EQ(relative.offset, 0x2000);
  EXPECT_EQ(parse_one("4@counter+4(%rip)").offset, 0x2004);
  EXPECT_EQ(parse_one("4@4+counter(%rip)").offset, 0x2004);
  EXPECT_EQ(parse_one("4@counter").offset, 0x2000);
  EXPECT_FALSE(parse_one("8@$counter").is_memory);
  EXPECT_EQ(parse_one("4@nothing(%rip)").problem, "the binary has no symbol nothing");
}

TEST(UsdtArguments, SeveralAndWrongOnesAmongThem) {
  const std::vector<UsdtArgument> arguments =
      parse_usdt_arguments("8@%rax 4@%xmm1  -2@(%rbx, %rcx) 8@$7", UsdtMachine::kX86_64, nullptr);
  ASSERT_EQ(arguments.size(), 4u);
  EXPECT_EQ(arguments[0].problem, "");
  EXPECT_NE(arguments[1].problem, "");
  EXPECT_EQ(arguments[2].problem, "the form \"-2@(%rbx, %rcx)\" is not known");
  EXPECT_EQ(arguments[3].offset, 7);
  EXPECT_TRUE(parse_usdt_arguments("", UsdtMachine::kX86_64, nullptr).empty());
  EXPECT_TRUE(parse_usdt_arguments("   ", UsdtMachine::kX86_64, nullptr).empty());
  std::string many;
  for (int i = 0; i < 40; ++i) many += "8@%rax ";
  EXPECT_EQ(parse_usdt_arguments(many, UsdtMachine::kX86_64, nullptr).size(), kMaxUsdtArguments);
}

TEST(UsdtArguments, Aarch64) {
  const auto arm = [](const char *text) { return parse_one(text, UsdtMachine::kAarch64); };
  EXPECT_EQ(arm("-4@5").offset, 5);
  EXPECT_FALSE(arm("-4@5").is_memory);
  EXPECT_EQ(arm("8@x19").base, 152);
  EXPECT_EQ(arm("4@w3").base, 24);
  EXPECT_EQ(arm("8@sp").base, 248);
  EXPECT_TRUE(arm("8@[x0]").is_memory);
  EXPECT_EQ(arm("4@[sp, 60]").offset, 60);
  EXPECT_EQ(arm("4@[sp,-4]").offset, -4);
  EXPECT_EQ(arm("8@[x0, x1, lsl 3]").index, 8);
  EXPECT_EQ(arm("8@[x0, x1, lsl 3]").scale, 3);
  EXPECT_EQ(arm("8@d0").problem, "d0 is a floating point register");
}

}  // namespace
}  // namespace awl
