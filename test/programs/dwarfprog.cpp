// Functions with arguments of many kinds, for tests of debug information: by name, in registers,
// on the stack, structs by value; C++ names; statements.
//
// usage: dwarfprog [COUNT]   calls each function COUNT times, with i from 0
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#define NOINLINE __attribute__((noinline))

volatile long dwarf_sink;
int dwarf_global = 42;
unsigned char dwarf_byte = 7;

struct base_part {
  int first = 11;
};

enum color { red = 1, green = 5 };

struct dwarf_point : base_part {
  int x, y;
  const char *name;
  dwarf_point *next;
  unsigned low : 3, high : 5;
  int cells[4];
};

struct pair_of_longs {
  long a, b;
};
struct small_pair {
  int a, b;
};
struct pair_of_doubles {
  double a, b;
};
struct mixed {
  double a;
  long b;
};
struct __attribute__((packed)) packed_pair {
  char a;
  long b;
};
struct large {
  long values[5];
};

// The kernel has one, too.
struct file {
  int number;
};

extern "C" {
NOINLINE long dwarf_file(file *f) { return dwarf_sink = f->number; }
NOINLINE long dwarf_scalars(int8_t a, uint16_t b, int32_t c, uint64_t d, bool e, color f) {
  return dwarf_sink = a + b + c + static_cast<long>(d) + e + f;
}
NOINLINE long dwarf_many(long a, long b, long c, long d, long e, long f, long g, short h) {
  return dwarf_sink = a + b + c + d + e + f + g + h;
}
NOINLINE long dwarf_structs(small_pair s, pair_of_longs p, large l, long last) {
  return dwarf_sink = s.a + p.b + l.values[4] + last;
}
NOINLINE long dwarf_floats(double a, int b, float c, int d) {
  return dwarf_sink = static_cast<long>(a) + b + static_cast<long>(c) + d;
}
// Where the ABI has rules of its own: alignment on the stack, two kinds of registers, neither.
NOINLINE long dwarf_wide(long double a, long b, __int128 c, mixed m, packed_pair p, long x1,
                         long x2, long x3, __int128 w, long y) {
  return dwarf_sink = static_cast<long>(a) + b + static_cast<long>(c) + m.b + p.b + x1 + x2 + x3 +
                      static_cast<long>(w) + y;
}
NOINLINE long dwarf_pairs(pair_of_doubles a, pair_of_doubles b, pair_of_doubles c, double d,
                          pair_of_doubles e, double f, long last, double g) {
  return dwarf_sink = static_cast<long>(a.a + b.a + c.a + d + e.b + f + g) + last;
}
NOINLINE long double dwarf_long(int a) { return a; }
NOINLINE double dwarf_half(int a) { return a / 2.0; }
NOINLINE large dwarf_large(int a) { return {{a}}; }
NOINLINE int dwarf_negative(const char *text) { return text[0] == 'n' ? -1 : 1; }
NOINLINE dwarf_point *dwarf_pointer(dwarf_point *point) { return point->next; }
}

namespace awltest {
class Server {
 public:
  NOINLINE int handle(int fd) { return static_cast<int>(dwarf_sink = fd + count_); }
  NOINLINE int handle(const char *name) { return static_cast<int>(dwarf_sink = name[0]); }
  NOINLINE int stop() { return static_cast<int>(dwarf_sink = count_); }

 private:
  int count_ = 100;
};
template <class T>
NOINLINE T twice(T value) {
  return value + value;
}
}  // namespace awltest

NOINLINE static long statements(long i) {
  long sum = i;
  sum += 3;
  dwarf_sink = sum;
  return sum;
}

// A stack with a function that has no frame of its own.
extern "C" NOINLINE void lines_leaf() { asm volatile(""); }
[[gnu::always_inline]] static inline void lines_inlined() {
  lines_leaf();
  dwarf_sink = 1;
}
extern "C" NOINLINE void lines_outer() {
  lines_inlined();
  dwarf_sink = 2;
}

int main(int argc, char **argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1;
  dwarf_point second{{}, 3, 4, "second", nullptr, 1, 2, {5, 6, 7, 8}};
  dwarf_point first{{}, 1, 2, "first", &second, 5, 17, {1, 2, 3, 4}};
  awltest::Server server;
  for (int i = 0; i < count; ++i) {
    dwarf_scalars(-1, 65535, -70000, 1ull << 40, true, green);
    dwarf_many(1, 2, 3, 4, 5, 6, 7 + i, -8);
    dwarf_structs({1, -2}, {3, 4}, {{5, 6, 7, 8, 9}}, 10);
    dwarf_floats(1.5, 2, 2.5f, 3);
    dwarf_wide(1, 2, 3, {4, 5}, {6, -7}, 8, 9, 10, -11, 12);
    dwarf_pairs({1, 2}, {3, 4}, {5, 6}, 7, {8, 9}, 10, 11, 12);
    dwarf_sink = static_cast<long>(dwarf_long(i));
    dwarf_negative("negative");
    dwarf_sink = static_cast<long>(dwarf_half(i)) + dwarf_large(i).values[0];
    file own{77};
    dwarf_file(&own);
    dwarf_pointer(&first);
    server.handle(i);
    server.handle("name");
    server.stop();
    awltest::twice(i);
    statements(i);
    lines_outer();
  }
  return 0;
}
