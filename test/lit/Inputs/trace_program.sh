#!/bin/sh
# Traces getppid in the background, and prints what can be traced of the program that does it.
# usage: trace_program.sh AWL TESTPROG
timeout 20 "$1" -q -e 'tracepoint:syscalls:sys_enter_getpriority { @ = count() } interval:s:10 { exit() }' &
tracer=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
  sleep 0.5
  "$1" -l 'fentry:bpf:*' | grep tracepoint_syscalls_ && break
done
kill $tracer
wait $tracer
exit 0
