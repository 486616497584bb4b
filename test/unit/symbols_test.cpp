// Names of addresses and numbers, on this very process.
#include "runtime/symbols/symbols.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include "runtime/symbols/cgroup_path.h"
#include "runtime/symbols/demangle_rust.h"
#include "runtime/symbols/jit_map.h"

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

TEST(Symbols, DemangleRust) {
  EXPECT_EQ(demangle("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE"),
            "core::fmt::Formatter::pad");
  EXPECT_EQ(demangle("_ZN63_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..clone..Clone$GT$"
                     "5clone17h0123456789abcdefE.llvm.17"),
            "<alloc::vec::Vec<T> as core::clone::Clone>::clone");
  EXPECT_EQ(demangle("_ZN3foo17h05af221e174051e9E"), "foo");
  // The hash of a C++ name would look different.
  EXPECT_EQ(demangle("_ZN3foo17hello_world_functE"), "foo::hello_world_funct");
  // Cut off, or longer than it is.
  EXPECT_EQ(demangle_rust_legacy("_ZN4core3fmt9Form"), "");
  EXPECT_EQ(demangle_rust_legacy("_ZN99999999999999999999foo17h05af221e174051e9E"), "");
}

TEST(Symbols, DemangleRustV0) {
  const std::pair<const char *, const char *> names[] = {
      {"_RNvC6_123foo3bar", "123foo::bar"},
      {"_RNvMNtCs1234_7mycrate3fooNtB2_3Bar3baz", "<mycrate::foo::Bar>::baz"},
      {"_RNCNvCs4fqI2P2rA04_5crate4main0B3_", "crate::main::{closure#0}"},
      {"_RNCNvC5crate4mains_0", "crate::main::{closure#1}"},
      {"_RINvC5crate3fooReE", "crate::foo::<&str>"},
      {"_RINvC5crate3fooTlbEE", "crate::foo::<(i32, bool)>"},
      {"_RINvC5crate3fooAhj20_E", "crate::foo::<[u8; 32]>"},
      {"_RINvC5crate3fooKj1f_E", "crate::foo::<31>"},
      {"_RINvC5crate3fooKln5_E", "crate::foo::<-5>"},
      {"_RNvXC5crateNtC5crate4TypeNtC5crate5Trait6method", "<crate::Type as crate::Trait>::method"},
      {"_RINvC5crate3fooFUKCjEuE", "crate::foo::<unsafe extern \"C\" fn(usize)>"},
      {"_RINvC5crate3fooDNtC5crate5TraitEL_E", "crate::foo::<dyn crate::Trait>"},
      {"_RINvC5crate3fooINtC5alloc3VechEE", "crate::foo::<alloc::Vec<u8>>"},
      {"_RNvC5crate3foo.llvm.123", "crate::foo"},
  };
  for (const auto &[symbol, name] : names) EXPECT_EQ(demangle(symbol), name) << symbol;
  // What is malformed stays as it is: cut off, references forward and to itself, without end.
  for (const char *symbol :
       {"_R", "_RNv", "_RNvC6_123fo", "_RB_", "_RNvB5_3foo",
        "_RINvC1a1bRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR"}) {
    EXPECT_EQ(demangle(symbol), symbol);
  }
  // Each reference doubles what comes out.
  std::string bomb = "_RINvC1a1b";
  for (int i = 0; i < 40; ++i) bomb += "TTlllllEB7_B7_E";
  demangle_rust_v0(bomb);
  std::string deep = "_RINvC1a1b" + std::string(100000, 'S');
  EXPECT_EQ(demangle_rust_v0(deep), "");
}

TEST(Symbols, OwnFunction) {
  Symbols symbols;
  auto address = reinterpret_cast<uint64_t>(&awl_symbols_test_function);
  Symbol symbol = symbols.user(address + 2, static_cast<uint32_t>(getpid()));
  EXPECT_EQ(symbol.name, "awl_symbols_test_function(int)");
  EXPECT_EQ(symbol.offset, 2u);
  EXPECT_EQ(symbol.module[0], '/');
  EXPECT_NE(symbol.file_offset, 0u);
  Symbols raw(/*demangle=*/false);
  EXPECT_EQ(raw.user(address, static_cast<uint32_t>(getpid())).name,
            "_Z25awl_symbols_test_functioni");
}

TEST(Symbols, Unknown) {
  Symbols symbols;
  EXPECT_EQ(symbols.user(0, static_cast<uint32_t>(getpid())).name, "");
  EXPECT_EQ(symbols.user(16, UINT32_MAX).name, "");
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
  EXPECT_EQ(symbols.user(address, static_cast<uint32_t>(child)).name,
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
  Symbol symbol = symbols.user(address + 8, static_cast<uint32_t>(getpid()));
  EXPECT_EQ(symbol.name, "function one");
  EXPECT_EQ(symbol.offset, 8u);
  EXPECT_EQ(symbols.user(address + 0x10f, static_cast<uint32_t>(getpid())).name, "two");
  EXPECT_EQ(symbols.user(address + 0x110, static_cast<uint32_t>(getpid())).name, "");
  unlink(path.c_str());
  munmap(code, 4096);
}

TEST(Symbols, JitMapIsNotLookedForAtEveryAddress) {
  const std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  unlink(path.c_str());
  JitMap map(static_cast<uint32_t>(getpid()));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(map.find(0x1000), nullptr);
  FILE *file = fopen(path.c_str(), "w");
  ASSERT_TRUE(file);
  fprintf(file, "1000 10 late\n");
  fclose(file);
  const JitMap::Function *at_once = map.find(0x1000);
  if (std::chrono::steady_clock::now() - start < kMinReadInterval) {
    EXPECT_EQ(at_once, nullptr);
  }
  std::this_thread::sleep_for(kMinReadInterval * 2);
  const JitMap::Function *later = map.find(0x1000);
  unlink(path.c_str());
  ASSERT_NE(later, nullptr);
  EXPECT_EQ(later->name, "late");
}

TEST(Symbols, JitMapsOfOthersAreNotRead) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  void *code = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  auto address = reinterpret_cast<uint64_t>(code);
  std::string text = fmt::format("{:x} 100 lie\n", address);
  FILE *file = fopen(path.c_str(), "w");
  ASSERT_TRUE(file);
  fwrite(text.data(), text.size(), 1, file);
  fclose(file);
  ASSERT_EQ(chown(path.c_str(), 12345, 12345), 0);
  EXPECT_EQ(Symbols().user(address, static_cast<uint32_t>(getpid())).name, "");
  unlink(path.c_str());
  ASSERT_EQ(symlink("/proc/kmsg", path.c_str()), 0);
  EXPECT_EQ(Symbols().user(address, static_cast<uint32_t>(getpid())).name, "");
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

}  // namespace
}  // namespace awl::runtime
