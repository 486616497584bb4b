#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/cgroup.h"
#include "base/file.h"
#include "base/kernel_symbols.h"

namespace awl {
namespace {

constexpr const char *kText =
    "ffffffff81000000 T _text\n"
    "ffffffff81000000 T _stext\n"
    "ffffffff81000100 t local_function\n"
    "ffffffff82000000 D data\n"
    "ffffffffc0202000 t late\t[ext4]\n"
    "ffffffffc0201000 t init\t[ext4]\n"
    "0000000000000000 T hidden\n"
    "not a line\n"
    "ffffffff83000000 T\n"
    "\n"
    "ffffffff84000000 W last_without_newline";

TEST(KernelSymbols, ParsesAndSorts) {
  const auto symbols = KernelSymbols::parse(kText);
  ASSERT_EQ(symbols->symbols().size(), 7u);
  EXPECT_EQ(symbols->find("hidden"), nullptr);
  EXPECT_FALSE(symbols->find("data")->is_function);
  EXPECT_TRUE(symbols->find("last_without_newline")->is_function);
  EXPECT_EQ(symbols->find("init")->module, "ext4");
  EXPECT_EQ(symbols->containing(0xffffffff80ffffff), nullptr);
  EXPECT_EQ(symbols->containing(0xffffffff81000001)->name, "_text");
  EXPECT_EQ(symbols->containing(0xffffffffc0201fff)->name, "init");
  EXPECT_EQ(symbols->containing(~0ull)->name, "late");
  EXPECT_TRUE(KernelSymbols::parse("")->symbols().empty());
}

TEST(KernelSymbols, FindsOneWithoutReadingAll) {
  const std::string path = "/tmp/awl-kallsyms-" + std::to_string(::getpid());
  {
    std::ofstream file(path);
    // More than one block, so that lines lie across its ends.
    for (int i = 0; i < 5000; ++i) file << "ffffffff8" << 1000000 + i << " t filler_" << i << '\n';
    file << kText << '\n';
  }
  EXPECT_EQ(find_kernel_symbol("filler_0", path), 0xffffffff81000000u);
  EXPECT_EQ(find_kernel_symbol("filler_4999", path), 0xffffffff81004999u);
  for (int i = 0; i < 5000; i += 7) {
    EXPECT_TRUE(find_kernel_symbol("filler_" + std::to_string(i), path));
  }
  EXPECT_EQ(find_kernel_symbol("init", path), 0xffffffffc0201000u);
  EXPECT_EQ(find_kernel_symbol("filler", path), std::nullopt);
  EXPECT_EQ(find_kernel_symbol("hidden", path), std::nullopt);
  EXPECT_EQ(find_kernel_symbol("", path), std::nullopt);
  EXPECT_EQ(find_kernel_symbol("x", "/nonexistent"), std::nullopt);
  ::unlink(path.c_str());
}

TEST(File, BoundsWhatItReads) {
  EXPECT_TRUE(read_file("/proc/self/status"));
  EXPECT_FALSE(read_file("/proc/self/exe", 16));
  EXPECT_FALSE(read_file("/nonexistent"));
  EXPECT_FALSE(read_file("/tmp"));
}

TEST(Cgroup, HasIdsOrSaysWhyNot) {
  const auto mount = cgroup2_mount();
  if (!mount) GTEST_SKIP() << mount.error().message;
  const auto root = cgroup_id("/");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(*root, *cgroup_id(*mount));
  EXPECT_GT(*root, 0u);
  const auto none = cgroup_id("/no/such/group");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("/no/such/group"), std::string::npos);
}

}  // namespace
}  // namespace awl
