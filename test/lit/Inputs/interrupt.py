"""usage: interrupt.py SIGNAL COMMAND…   sends the signal after a line of output that says "up"."""
import signal
import subprocess
import sys

process = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, text=True)
for line in process.stdout:
    print(line, end="", flush=True)
    if line.strip() == "up":
        break
process.send_signal(getattr(signal, "SIG" + sys.argv[1]))
print(process.communicate(timeout=15)[0], end="")
print("exit code", process.returncode)
