// The one probe of usdtprog that has a semaphore: <sys/sdt.h> gives them to all probes of a file.
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

// On a page of the file that no other segment shares: the kernel takes the first writable mapping
// of the page for the semaphore's, and linkers may put all of a small program into one page.
__attribute__((section(".probes"), aligned(4096))) volatile unsigned short awltest_counted_semaphore;

// The probe is not the first instruction: a uprobe there could not raise the semaphore, too.
void fire_counted(int i) {
  volatile int value = i;
  DTRACE_PROBE1(awltest, counted, value);
}
