#include <gtest/gtest.h>

#include "base/kernel_functions.h"

namespace awl {
namespace {

std::string names(const std::vector<KernelFunction> &functions) {
  std::string text;
  for (const KernelFunction &function : functions) {
    text += (text.empty() ? "" : " ") + std::string(function.module) +
            (function.module.empty() ? "" : ":") + std::string(function.name);
  }
  return text;
}

const char *const kList =
    "vfs_write\nvfs_read\n__ftrace_invalid_address___12\next4_open [ext4]\nvfs_read\n"
    "vfs_read [other]\n";

TEST(KernelFunctions, AreReadFromTheListOfFtrace) {
  auto functions = KernelFunctions::parse_list(kList);
  EXPECT_EQ(names(functions->all()), "ext4:ext4_open vfs_read other:vfs_read vfs_write");
  EXPECT_TRUE(functions->is_exact());
}

TEST(KernelFunctions, AreFoundByPatterns) {
  auto functions = KernelFunctions::parse_list(kList);
  EXPECT_EQ(names(functions->matching("", "vfs_*")), "vfs_read other:vfs_read vfs_write");
  EXPECT_EQ(names(functions->matching("vmlinux", "*")), "vfs_read vfs_write");
  EXPECT_EQ(names(functions->matching("e*", "*open")), "ext4:ext4_open");
  EXPECT_EQ(names(functions->matching("", "nosuch*")), "");
  EXPECT_TRUE(functions->contains("", "ext4_open"));
  EXPECT_TRUE(functions->contains("ext4", "ext4_open"));
  EXPECT_FALSE(functions->contains("vmlinux", "ext4_open"));
  EXPECT_FALSE(functions->contains("", "vfs_rea"));
}

TEST(KernelFunctions, AreTakenFromSymbolsWithoutThoseThatKprobesRefuse) {
  auto functions = KernelFunctions::parse_symbols(
      "ffffffff81000000 T _stext\nffffffff81000010 t vfs_read\nffffffff81000010 t __pfx_vfs_read\n"
      "ffffffff81000020 D data\nffffffffc0000000 t init\t[ext4]\n0000000000000000 t hidden\n"
      "ffffffff81000030 t do_int3\nffffffffc0001000 t bpf_prog_1\t[bpf]\n",
      "0xffffffff81000030-0xffffffff81000040\tdo_int3\n");
  EXPECT_EQ(names(functions->all()), "_stext ext4:init vfs_read");
  EXPECT_FALSE(functions->is_exact());
}

TEST(KernelFunctions, KnowWhichNamesAreNotTheirsAlone) {
  const auto list = KernelFunctions::parse_list("a\nb\na\nc [m]\nc [n]\nab [m]\n");
  const auto ambiguous = [&](std::string_view module, std::string_view pattern) {
    std::string text;
    for (const KernelFunction &function : list->matching(module, pattern)) {
      if (function.is_ambiguous) text += std::string(function.name) + " ";
    }
    return text;
  };
  EXPECT_EQ(ambiguous("", "*"), "a c c ");
  EXPECT_EQ(ambiguous("n", "?"), "c ");  // there is another one in m
  EXPECT_EQ(ambiguous("", "ab*"), "");
}

TEST(KernelFunctions, PatternsWithSetsAndWithoutFixedText) {
  const auto list = KernelFunctions::parse_list("vfs_read\nvfs_write [x]\nxvfs_read");
  EXPECT_EQ(names(list->matching("", "*[d]")), "vfs_read xvfs_read");
  EXPECT_EQ(names(list->matching("", "?vfs*")), "xvfs_read");
  EXPECT_EQ(names(list->matching("", "[v]fs_*")), "vfs_read x:vfs_write");
  EXPECT_EQ(names(list->matching("", "x*")), "xvfs_read");  // not the module x
}

TEST(KernelFunctions, ListsWithoutSenseAreEmpty) {
  EXPECT_TRUE(KernelFunctions::parse_list("")->all().empty());
  EXPECT_TRUE(KernelFunctions::parse_list("\n\n [x]\n")->all().empty());
  EXPECT_EQ(names(KernelFunctions::parse_list("f [").get()->all()), "f");
}

}  // namespace
}  // namespace awl
