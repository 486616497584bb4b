"""usage: blocked.py COMMAND…   reads a line, then no more; sends INT until the command has ended."""
import subprocess
import sys
import time

process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, bufsize=0)
print(process.stdout.readline().decode(), end="")
time.sleep(1)
for _ in range(2):
    process.send_signal(2)
    time.sleep(0.5)
print("exit code", process.wait(timeout=10))
