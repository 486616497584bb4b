// Names of addresses and numbers, on this very process.
#include "runtime/symbols/symbols.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "runtime/symbols/cgroup_path.h"

// Not inline, so that it is a symbol of the test program.
[[gnu::noinline]] int awl_symbols_test_function(int a) { return a + getpid(); }

namespace awl::runtime {
namespace {

TEST(Symbols, Demangle) {
  EXPECT_EQ(demangle("_ZN2ns1AIiE1mERKiSt6vectorIiSaIiEE"),
            "ns::A<int>::m(int const&, std::vector<int, std::allocator<int> >)");
  EXPECT_EQ(demangle("main"), "main");
  EXPECT_EQ(demangle("_Znonsense"), "_Znonsense");
}

TEST(Symbols, OwnFunction) {
  Symbols symbols;
  auto address = reinterpret_cast<uint64_t>(&awl_symbols_test_function);
  Symbol symbol = symbols.user(address + 2, static_cast<uint32_t>(getpid()), "");
  EXPECT_EQ(symbol.name, "awl_symbols_test_function(int)");
  EXPECT_EQ(symbol.offset, 2u);
  EXPECT_EQ(symbol.module[0], '/');
  EXPECT_NE(symbol.file_offset, 0u);
  Symbols raw(/*demangle=*/false);
  EXPECT_EQ(raw.user(address, static_cast<uint32_t>(getpid()), "").name,
            "_Z25awl_symbols_test_functioni");
}

TEST(Symbols, Unknown) {
  Symbols symbols;
  EXPECT_EQ(symbols.user(0, static_cast<uint32_t>(getpid()), "").name, "");
  EXPECT_EQ(symbols.user(16, UINT32_MAX, "/nonexistent").name, "");
  EXPECT_EQ(symbols.kernel(1).name, "");
}

TEST(Symbols, ProcessesThatHaveEndedAreRemembered) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(ends[1]);
    _exit(static_cast<int>(read(ends[0], &byte, 1)));
  }
  Symbols symbols;
  symbols.remember_process(static_cast<uint32_t>(child));
  close(ends[0]);
  close(ends[1]);
  waitpid(child, nullptr, 0);
  auto address = reinterpret_cast<uint64_t>(&awl_symbols_test_function);
  EXPECT_EQ(symbols.user(address, static_cast<uint32_t>(child), "").name,
            "awl_symbols_test_function(int)");
}

TEST(Symbols, JitMap) {
  void *code = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(code, MAP_FAILED);
  auto address = reinterpret_cast<uint64_t>(code);
  std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  FILE *file = fopen(path.c_str(), "w");
  ASSERT_TRUE(file);
  fprintf(file, "garbage\n%lx 100 function one\n%lx 10 two\n", address, address + 0x100);
  fclose(file);
  Symbols symbols;
  Symbol symbol = symbols.user(address + 8, static_cast<uint32_t>(getpid()), "");
  EXPECT_EQ(symbol.name, "function one");
  EXPECT_EQ(symbol.offset, 8u);
  EXPECT_EQ(symbols.user(address + 0x10f, static_cast<uint32_t>(getpid()), "").name, "two");
  EXPECT_EQ(symbols.user(address + 0x110, static_cast<uint32_t>(getpid()), "").name, "");
  unlink(path.c_str());
  munmap(code, 4096);
}

TEST(Symbols, Users) {
  Symbols symbols;
  EXPECT_EQ(symbols.username(0), "root");
  EXPECT_EQ(symbols.username(4000000000u), "4000000000");
}

TEST(Symbols, Cgroups) {
  // Whatever is mounted here: no directory has this number, no hierarchy this name.
  EXPECT_EQ(find_cgroup_paths(UINT64_MAX, ""), "");
  EXPECT_EQ(find_cgroup_paths(1, "no-such-hierarchy"), "");
}

TEST(Symbols, Syscalls) {
  EXPECT_STREQ(syscall_name(451), "cachestat");
  EXPECT_EQ(syscall_name(100000), nullptr);
#ifdef __x86_64__
  EXPECT_STREQ(syscall_name(0), "read");
  EXPECT_STREQ(syscall_name(257), "openat");
  EXPECT_EQ(syscall_text(1), "write");
#endif
}

}  // namespace
}  // namespace awl::runtime
