"""Interrupts tracers twice and says how many processes stay. usage: second_interrupt.py AWL SCRIPT"""
import glob
import os
import signal
import subprocess
import sys
import time

awl, script = sys.argv[1:]


def left():
    """The processes that were started with the script, those that close what is attached included."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            words = open(path, "rb").read().split(b"\0")
        except OSError:
            continue
        if script.encode() in words and int(path.split("/")[2]) != os.getpid():
            found.append(int(path.split("/")[2]))
    return found


for step in range(10):
    tracer = subprocess.Popen([awl, script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tracer.stdout.readline()  # Attached …
    tracer.send_signal(signal.SIGINT)
    time.sleep(step * 0.002)
    tracer.send_signal(signal.SIGINT)
    tracer.communicate()
for _ in range(300):
    if not left():
        break
    time.sleep(0.1)
stayed = left()
for pid in stayed:
    os.kill(pid, signal.SIGKILL)
print(f"{len(stayed)} stay")
