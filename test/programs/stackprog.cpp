// What stacks are taken of: stackprog WAY COUNT [MS] calls leaf() so often, from the functions of a
// library, from C++ and Rust names, and, with WAY "jit", through code made at run time, with
// "signal", from a signal handler; "fork" makes a child besides, which calls getppid(), and
// "threads" one that does so in its second thread when the first has ended. At last it sleeps so
// long.
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "stacklib.h"

// Calls are not the last thing of a function: none may become a jump.
#define NOT_LAST asm volatile("")

extern "C" [[gnu::noinline]] void leaf(int n) { asm volatile("" ::"r"(n) : "memory"); }

// Whoever calls a function is missing in stacks from its first instruction, on older kernels.
[[gnu::noinline]] static void middle(int n) {
  leaf(n);
  NOT_LAST;
}

// As rustc names <vec::Vec<T> as clone::Clone>::clone and core::fmt::Formatter::pad.
void rust_legacy(int n) asm(
    "_ZN63_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..clone..Clone$GT$"
    "5clone17h0123456789abcdefE");
[[gnu::noinline]] void rust_legacy(int n) {
  middle(n);
  NOT_LAST;
}

void rust_v0(int n) asm("_RNvMNtCs1234_7mycrate3fooNtB2_3Bar3baz");
[[gnu::noinline]] void rust_v0(int n) {
  rust_legacy(n);
  NOT_LAST;
}

namespace shop {

template <class T>
struct Cart {
  [[gnu::noinline]] void add(T item, const std::string &) {
    rust_v0(static_cast<int>(item));
    NOT_LAST;
  }
};

namespace {
[[gnu::noinline]] void hidden(int n) {
  Cart<long>().add(n, "");
  NOT_LAST;
}
}  // namespace

}  // namespace shop

[[gnu::noinline]] static void from_library(int n) {
  shop::hidden(n);
  NOT_LAST;
}

[[gnu::noinline]] static void through_library(int n) {
  library_entry(from_library, n);
  NOT_LAST;
}

#ifdef __x86_64__
// push %rbp; mov %rsp,%rbp; mov %rdi,%rax; mov %esi,%edi; call *%rax; pop %rbp; ret
constexpr unsigned char kCode[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0xf8,
                                   0x89, 0xf7, 0xff, 0xd0, 0x5d, 0xc3};
#else
constexpr unsigned char kCode[] = {0};
#endif

using Compiled = void (*)(void (*)(int), int);

// The map of symbols of a JIT compiler, as perf and others read it.
static Compiled compile() {
  const long start = 64;
  auto *code = static_cast<unsigned char *>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  memcpy(code + start, kCode, sizeof kCode);
  char path[64];
  snprintf(path, sizeof path, "/tmp/perf-%d.map", getpid());
  FILE *map = fopen(path, "w");
  fprintf(map, "%lx %x LazyCompile:~main a.js:1\n", reinterpret_cast<long>(code) + start, 64);
  fclose(map);
  return reinterpret_cast<Compiled>(code + start);
}

[[gnu::noinline]] static void on_signal(int n) {
  middle(n);
  NOT_LAST;
}

int main(int count, char **arguments) {
  if (count < 3) return 1;
  const bool is_jit = strcmp(arguments[1], "jit") == 0;
  const bool is_signal = strcmp(arguments[1], "signal") == 0;
  if (is_signal) signal(SIGUSR1, on_signal);
  const unsigned milliseconds = count > 3 ? static_cast<unsigned>(atoi(arguments[3])) : 0;
  const unsigned in_time = milliseconds / 2 * 1000;  // for the tracer to hear of a child; us
  if (strcmp(arguments[1], "fork") == 0 && fork() == 0) {
    usleep(in_time);
    return getppid() == 0;
  }
  // A child whose first thread ends before its second one.
  if (strcmp(arguments[1], "threads") == 0 && fork() == 0) {
    std::thread([in_time] {
      usleep(in_time);
      _exit(getppid() == 0);
    }).detach();
    pthread_exit(nullptr);
  }
  const Compiled compiled = is_jit ? compile() : nullptr;
  for (int i = 0; i < atoi(arguments[2]); i++) {
    if (is_jit) {
      compiled(through_library, i);
    } else if (is_signal) {
      raise(SIGUSR1);
    } else {
      through_library(i);
    }
  }
  if (milliseconds != 0) usleep(milliseconds * 1000);
  if (is_jit) unlink(("/tmp/perf-" + std::to_string(getpid()) + ".map").c_str());
}
