#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct task_struct;

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 4);
  __type(key, int);
  __type(value, long);
} counts SEC(".maps");

static const int factor = 3;
const volatile int limit = 5;
int calls;

long bump(unsigned int key, short by) {
  int k = key;
  long *count = bpf_map_lookup_elem(&counts, &k);
  if (!count) return -1;
  *count += by;
  calls++;
  return *count * factor + limit;
}

int first_character(const char *text) { return text[0]; }
unsigned char narrow(int value) { return value; }
signed char negative(void) { return -3; }
void add_call(void) { calls += 10; }
int call_count(void) { return calls; }
struct task_struct *same(struct task_struct *task) { return task; }
