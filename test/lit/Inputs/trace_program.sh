#!/bin/sh
# Traces getpriority in the background, and prints what can be traced of the program that does it.
# usage: trace_program.sh AWL
timeout 80 "$1" -q -e 'tracepoint:syscalls:sys_enter_getpriority { @ = count() }' &
tracer=$!
while kill -0 $tracer; do
  "$1" -l 'fentry:bpf:*' | grep tracepoint_syscalls_ && break
  sleep 0.5
done
kill -INT $tracer
wait $tracer
exit 0
