// Static probes for the run tests: every form that an argument can take, fired a known number of
// times.
//
// usage: usdtprog COMMAND [COUNT]
//   sizes    COUNT times awltest:sizes: integers of all widths and signs, the extremes of each
//   forms    COUNT times awltest:forms, whose note is written by hand: parts of registers,
//            constants, memory by base, index, scale and offset, symbols
//   places   COUNT times each of three places of awltest:place, which pass their argument in
//            different ways: a constant, memory, a register (with the value i)
//   string   COUNT times awltest:string("hello usdt", i)
//   twice    COUNT times othertest:place, a name that awltest has, too
//   counted  COUNT times awltest:counted, if its semaphore is raised; prints the semaphore
//   wait     waits until the semaphore is raised and for a number of milliseconds more, for what else
//            is attached, then as `counted`; usage: usdtprog wait COUNT MS
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sdt.h>
#include <unistd.h>

extern volatile unsigned short awltest_counted_semaphore;
void fire_counted(int i);  // usdt_semaphore.c

volatile int64_t usdt_table[8] = {10, 20, 30, 40, 50, 60, 70, 80};
volatile int usdt_global = 77;

static void sizes(int count) {
  volatile int8_t s8 = INT8_MIN;
  volatile uint8_t u8 = UINT8_MAX;
  volatile int16_t s16 = INT16_MIN;
  volatile uint16_t u16 = UINT16_MAX;
  volatile int32_t s32 = INT32_MIN;
  volatile uint32_t u32 = UINT32_MAX;
  volatile int64_t s64 = INT64_MIN;
  volatile uint64_t u64 = UINT64_MAX;
  for (int i = 0; i < count; ++i) {
    DTRACE_PROBE8(awltest, sizes, s8, u8, s16, u16, s32, u32, s64, u64);
  }
}

#if defined(__x86_64__)
// A note with the arguments written out; see <sys/sdt.h> for its layout.
#define NOTE(provider, name, arguments)                                                      \
  "990: nop\n.pushsection .note.stapsdt,\"?\",\"note\"\n.balign 4\n"                         \
  ".4byte 992f-991f, 994f-993f, 3\n991: .asciz \"stapsdt\"\n992: .balign 4\n993: .8byte 990b\n" \
  ".8byte _.stapsdt.base\n.8byte 0\n.asciz \"" provider "\"\n.asciz \"" name "\"\n.asciz \"" \
  arguments "\"\n994: .balign 4\n.popsection\n"

static void forms(int count) {
  for (int i = 0; i < count; ++i) {
    __asm__ __volatile__(
        NOTE("awltest", "forms",
             "8@%%rax 4@%%eax -2@%%ax 1@%%ah -1@%%al "         // 0x1122334455669988
             "8@$1234567890123 -4@$-5 "                         // constants
             "8@(%%rbx) -8@16(%%rbx) 8@(%%rbx,%%rcx,8) -8@8(%%rbx,%%rcx,8) "
             "-4@usdt_global(%%rip)")
        :
        : "a"(0x1122334455669988), "b"(usdt_table), "c"(3l)
        : "memory");
  }
}
#else
static void forms(int count) { (void)count; }
#endif

static void places(int count) {
  for (int i = 0; i < count; ++i) {
    volatile int two = 2;
    register int three = i;
    DTRACE_PROBE1(awltest, place, 1);
    __asm__ __volatile__("" : "+m"(two));
    DTRACE_PROBE1(awltest, place, two);
    __asm__ __volatile__("" : "+r"(three));
    DTRACE_PROBE1(awltest, place, three);
  }
}

static void string(int count) {
  for (int i = 0; i < count; ++i) DTRACE_PROBE2(awltest, string, "hello usdt", i);
}

static void twice(int count) {
  for (int i = 0; i < count; ++i) DTRACE_PROBE1(othertest, place, i);
}

static void counted(int count) {
  int fired = 0;
  for (int i = 0; i < count; ++i) {
    if (awltest_counted_semaphore == 0) continue;
    fire_counted(i);
    ++fired;
  }
  printf("fired %d, semaphore %d\n", fired, awltest_counted_semaphore);
}

int main(int argc, char **argv) {
  const char *command = argc > 1 ? argv[1] : "";
  const int count = argc > 2 ? atoi(argv[2]) : 1;
  if (!strcmp(command, "sizes")) sizes(count);
  if (!strcmp(command, "forms")) forms(count);
  if (!strcmp(command, "places")) places(count);
  if (!strcmp(command, "string")) string(count);
  if (!strcmp(command, "twice")) twice(count);
  if (!strcmp(command, "wait")) {
    for (int i = 0; i < 60000 && awltest_counted_semaphore == 0; ++i) usleep(1000);
    usleep(1000u * (unsigned)(argc > 3 ? atoi(argv[3]) : 0));
    counted(count);
  }
  if (!strcmp(command, "counted")) counted(count);
  return 0;
}
