// Runs a command and prints what it cost, as one line of JSON on standard error:
// milliseconds to the first byte of its standard output, to a signal's effect and to its end, CPU
// milliseconds and peak memory in KiB. Small itself, because a child's peak memory counts that
// of the process that forked it (getrusage(2)). Ends when all that the command left behind has ended
// too: a tracer that detaches in the background would slow down whatever is measured next.
//
// usage: measure [-i MILLISECONDS] COMMAND…   -i: send SIGINT so long after the first output line
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static double milliseconds(struct timeval time) { return time.tv_sec * 1e3 + time.tv_usec / 1e3; }

int main(int argc, char **argv) {
  double interrupt_after = -1;
  int first = 1;
  if (argc > 3 && !strcmp(argv[1], "-i")) {
    interrupt_after = atof(argv[2]);
    first = 3;
  }
  int pipe_fds[2];
  if (argc <= first || pipe(pipe_fds)) return 2;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const double start = now_ms();
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipe_fds[1], STDOUT_FILENO);
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    execvp(argv[first], argv + first);
    _exit(127);
  }
  close(pipe_fds[1]);

  double first_output = -1, interrupted = -1, ended = -1;
  long long bytes = 0, lines = 0;
  int status = 0;
  struct rusage usage;
  memset(&usage, 0, sizeof usage);
  while (1) {
    struct pollfd poll_fd = {pipe_fds[0], POLLIN, 0};
    poll(&poll_fd, 1, 2);
    const double now = now_ms();
    if (poll_fd.revents & POLLIN) {
      static char buffer[1 << 16];
      const ssize_t got = read(pipe_fds[0], buffer, sizeof buffer);
      if (got > 0) {
        if (first_output < 0) first_output = now - start;
        bytes += got;
        for (ssize_t i = 0; i < got; ++i) lines += buffer[i] == '\n';
      }
    }
    if (interrupt_after >= 0 && interrupted < 0 && first_output >= 0 &&
        now - start >= first_output + interrupt_after) {
      interrupted = now_ms() - start;
      kill(child, SIGINT);
    }
    if (ended < 0 && wait4(child, &status, WNOHANG, &usage) == child) ended = now_ms() - start;
    // A detached process may hold the pipe for longer than the command runs.
    if (ended >= 0 && !(poll_fd.revents & POLLIN)) break;
  }
  fprintf(stderr,
          "{\"first_ms\": %.2f, \"leave_ms\": %.2f, \"wall_ms\": %.2f, \"cpu_ms\": %.2f, "
          "\"peak_kib\": %ld, \"bytes\": %lld, \"lines\": %lld, \"status\": %d}\n",
          first_output, interrupted < 0 ? -1 : ended - interrupted, ended,
          milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime), usage.ru_maxrss, bytes, lines,
          WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  close(pipe_fds[0]);
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
  return 0;
}
