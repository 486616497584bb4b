"""trace_odd_process.py thread|zombie COMMAND...: COMMAND with the id of a thread that is no process, or of a process
that has ended and is not waited for, in the place of PID."""
import subprocess
import sys
import threading


def run(command, ident):
    return subprocess.run([word.replace("PID", str(ident)) for word in command], timeout=60).returncode


def main():
    kind, command = sys.argv[1], sys.argv[2:]
    if kind == "zombie":
        child = subprocess.Popen(["true"], stdout=subprocess.PIPE)
        child.stdout.read()  # it has closed its end: it is about to end
        while open(f"/proc/{child.pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
            pass
        code = run(command, child.pid)
        child.wait()
        return code
    may_end = threading.Event()
    thread = threading.Thread(target=may_end.wait)
    thread.start()
    code = run(command, thread.native_id)
    may_end.set()
    thread.join()
    return code


sys.exit(main())
