// What the run tests trace: calls known functions and syscalls a known number of times.
//
// usage: testprog COMMAND [COUNT]
//   add      COUNT calls of test_add(i, 2 * i)
//   nested   COUNT calls of test_outer, each calling test_inner twice
//   string   COUNT calls of test_string("hello world")
//   many     one call each of test_many_0 … test_many_9
//   getppid  COUNT getppid system calls
//   getpriority  COUNT getpriority system calls
//   write    COUNT writes of "written" to /dev/null
//   open     COUNT failing opens of "/awl/does/not/exist"
//   recurse  COUNT calls of test_recurse(5), each of which calls itself down to 0
//   escape   COUNT times: longjmp out of test_escape, then test_add
//   threads  16 threads, each with COUNT calls of test_slow and getppid
//   watch    one write to the word at 0x10000000, a second of sleep, COUNT more writes
//   increase  a call of test_increase(&a), a second of sleep, COUNT calls more in turns with &b, or
//            calls without end if COUNT is negative
//   sleep    sleep COUNT milliseconds
//   sleepers  COUNT threads (100 at the most) that sleep for half a second
//   fault    two calls of test_begin, COUNT pages touched for the first time, one call of test_end
//   spin     burn COUNT milliseconds of CPU time
//   worker   the same in a thread of its own, while the first one sleeps
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

volatile int test_sink;
unsigned int test_global = 42;

struct test_point {
  int x, y;
  char name[16];
  struct test_point *next;
  unsigned low : 3, high : 5;
};

__attribute__((noinline)) int test_add(int a, int b) { return a + b; }
__attribute__((noinline)) int test_inner(int depth) { return test_sink + depth; }
__attribute__((noinline)) int test_outer(int depth) {
  return test_inner(depth) + test_inner(depth + 1);
}
__attribute__((noinline)) size_t test_string(const char *text) { return strlen(text); }
__attribute__((noinline)) int test_struct(struct test_point *point) {
  return point->x + point->next->y;
}

__attribute__((noinline)) void test_increase(int *counter) { ++*counter; }

__attribute__((noinline)) int test_recurse(int depth) {
  return depth == 0 ? test_sink : test_recurse(depth - 1) + 1;
}
static jmp_buf test_jump;
__attribute__((noinline)) void test_escape(int n) { longjmp(test_jump, n + 1); }
__attribute__((noinline)) int test_slow(int rounds) {
  for (volatile int i = 0; i < rounds; ++i) continue;
  return rounds;
}

#define MANY(n) \
  __attribute__((noinline)) int test_many_##n(void) { return test_sink + n; }
MANY(0) MANY(1) MANY(2) MANY(3) MANY(4) MANY(5) MANY(6) MANY(7) MANY(8) MANY(9)

__attribute__((noinline)) void test_begin(void) { ++test_sink; }
__attribute__((noinline)) void test_end(void) { ++test_sink; }

static void fault(int count) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = page * (size_t)count;
  char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) exit(2);
  madvise(pages, size, MADV_NOHUGEPAGE);
  test_end();
  test_begin();  // what a probe on it has to fault in is there the second time
  test_begin();
  for (size_t at = 0; at < size; at += page) ((volatile char *)pages)[at] = 1;
  test_end();
}

static long long cpu_time_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void spin(int milliseconds) {
  for (const long long end = cpu_time_ns() + milliseconds * 1000000LL; cpu_time_ns() < end;)
    ++test_sink;
}

static void *spin_thread(void *count) {
  spin(*(int *)count);
  return NULL;
}

static void *run_thread(void *count) {
  for (int i = 0; i < *(int *)count; ++i) {
    test_slow(i * 10);
    syscall(SYS_getppid);
  }
  return NULL;
}

static void run_threads(int count) {
  pthread_t threads[16];
  for (int i = 0; i < 16; ++i) pthread_create(&threads[i], NULL, run_thread, &count);
  for (int i = 0; i < 16; ++i) pthread_join(threads[i], NULL);
}

static void *sleep_in_thread(void *unused) {
  usleep(500000);
  return unused;
}

static void run_sleepers(int count) {
  pthread_t threads[100];
  for (int i = 0; i < count; ++i) pthread_create(&threads[i], NULL, sleep_in_thread, NULL);
  for (int i = 0; i < count; ++i) pthread_join(threads[i], NULL);
}

static void watch(int count) {
  volatile long *word = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (word == MAP_FAILED) exit(1);
  *word = 1;
  sleep(1);
  for (int i = 0; i < count; ++i) *word = i;
}

static void increase(int count) {
  static int counters[4];  // of which the first and the last are in use
  test_increase(&counters[0]);
  sleep(1);
  for (int i = 0; count < 0 || i < count; i = (i + 1) % (1 << 30))
    test_increase(&counters[i % 2 == 0 ? 0 : 3]);
}

static void run(const char *command, int count) {
  if (!strcmp(command, "add")) {
    for (int i = 0; i < count; ++i) test_sink = test_add(i, 2 * i);
  } else if (!strcmp(command, "nested")) {
    for (int i = 0; i < count; ++i) test_sink = test_outer(i);
  } else if (!strcmp(command, "string")) {
    for (int i = 0; i < count; ++i) test_sink = (int)test_string("hello world");
  } else if (!strcmp(command, "struct")) {
    struct test_point second = {3, 4, "second", NULL, 1, 2};
    struct test_point first = {1, 2, "first", &second, 5, 17};
    for (int i = 0; i < count; ++i) test_sink = test_struct(&first);
  } else if (!strcmp(command, "many")) {
    test_sink = test_many_0() + test_many_1() + test_many_2() + test_many_3() + test_many_4() +
                test_many_5() + test_many_6() + test_many_7() + test_many_8() + test_many_9();
  } else if (!strcmp(command, "getppid")) {
    for (int i = 0; i < count; ++i) syscall(SYS_getppid);
  } else if (!strcmp(command, "getpriority")) {
    for (int i = 0; i < count; ++i) syscall(SYS_getpriority, 0, 0);
  } else if (!strcmp(command, "write")) {
    int null = open("/dev/null", O_WRONLY);
    for (int i = 0; i < count; ++i) test_sink = (int)write(null, "written", 7);
  } else if (!strcmp(command, "open")) {
    for (int i = 0; i < count; ++i) test_sink = openat(AT_FDCWD, "/awl/does/not/exist", O_RDONLY);
  } else if (!strcmp(command, "recurse")) {
    for (int i = 0; i < count; ++i) test_sink = test_recurse(5);
  } else if (!strcmp(command, "escape")) {
    for (volatile int i = 0; i < count; ++i) {
      if (!setjmp(test_jump)) test_escape(i);
      test_sink = test_add(i, 1);
    }
  } else if (!strcmp(command, "threads")) {
    run_threads(count);
  } else if (!strcmp(command, "watch")) {
    watch(count);
  } else if (!strcmp(command, "increase")) {
    increase(count);
  } else if (!strcmp(command, "sleep")) {
    usleep(1000 * (useconds_t)count);
  } else if (!strcmp(command, "sleepers")) {
    run_sleepers(count < 100 ? count : 100);
  } else if (!strcmp(command, "fault")) {
    fault(count);
  } else if (!strcmp(command, "spin")) {
    spin(count);
  } else if (!strcmp(command, "worker")) {
    pthread_t worker;
    if (pthread_create(&worker, NULL, spin_thread, &count) == 0) pthread_join(worker, NULL);
  } else {
    fprintf(stderr, "testprog: unknown command %s\n", command);
    exit(2);
  }
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  run(argv[1], argc > 2 ? atoi(argv[2]) : 1);
  return 0;
}
