#include <gtest/gtest.h>

#include <filesystem>

#include "runtime/attach/function_types.h"

namespace awl::runtime {
namespace {

namespace fs = std::filesystem;

// A folder as /sys/kernel/btf with the types of the snapshot.
struct FunctionTypesTest : testing::Test {
  FunctionTypesTest() {
    folder = fs::temp_directory_path() / ("awl-functions-" + std::to_string(getpid()));
    fs::create_directories(folder);
    fs::create_symlink(fs::path(AWL_SOURCE_DIR) / "test/fixtures/x86_64-6.18/vmlinux.btf",
                       folder / "vmlinux");
    Result<std::unique_ptr<FunctionTypes>> opened = FunctionTypes::open(folder);
    if (opened) types = std::move(*opened);
  }
  ~FunctionTypesTest() override { fs::remove_all(folder); }

  std::string names(const std::string &module, const std::string &pattern) {
    std::string text;
    for (const TypedFunction &function : types->find(module, pattern)) {
      text += (text.empty() ? "" : " ") + function.module + ":" + function.name;
    }
    return text;
  }

  fs::path folder;
  std::unique_ptr<FunctionTypes> types;
};

TEST_F(FunctionTypesTest, AreFoundByNameAndPattern) {
  ASSERT_NE(types, nullptr);
  EXPECT_EQ(names("", "vfs_read"), "vmlinux:vfs_read");
  EXPECT_EQ(names("vmlinux", "vfs_*"), "vmlinux:vfs_open vmlinux:vfs_read vmlinux:vfs_write");
  EXPECT_EQ(names("*", "do_nano*"), "vmlinux:do_nanosleep");
  EXPECT_EQ(names("nosuch", "vfs_read"), "");
  EXPECT_EQ(names("../btf", "vfs_read"), "");
  EXPECT_EQ(names("", "nosuch"), "");
}

TEST_F(FunctionTypesTest, KnowWhereArgumentsLie) {
  ASSERT_NE(types, nullptr);
  const std::vector<TypedFunction> found = types->find("", "vfs_read");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(types->argument_offset(found[0], "file"), 0);
  EXPECT_EQ(types->argument_offset(found[0], "count"), 16);
  EXPECT_EQ(types->argument_offset(found[0], "return"), 32);
  EXPECT_EQ(types->argument_offset(found[0], "nosuch"), std::nullopt);
  EXPECT_EQ(types->argument_offset({"f", "vmlinux", 0}, "file"), std::nullopt);
  EXPECT_EQ(types->argument_offset({"f", "vmlinux", 99999999}, "file"), std::nullopt);
}

TEST_F(FunctionTypesTest, TellWhatTheKernelHas) {
  ASSERT_NE(types, nullptr);
  EXPECT_TRUE(types->has_struct("task_struct"));
  EXPECT_FALSE(types->has_struct("no_such_struct"));
  EXPECT_FALSE(FunctionTypes::open("/nosuch"));
}

}  // namespace
}  // namespace awl::runtime
