"""Boots a kernel in qemu's software emulation and runs a script in it."""
import ctypes
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time

import image
import kernels

PR_SET_PDEATHSIG = 1
EMULATOR = "qemu-system-x86_64"
TOP = pathlib.Path(__file__).resolve().parent.parent.parent


class Outcome:
    """What came of a run: `code` is None when the time was over or the machine died; `why` then says so."""

    def __init__(self, code, why, output, errors, seconds):
        self.code = code
        self.why = why
        self.output = output
        self.errors = errors
        self.seconds = seconds
        self.has_not_started = False


def site_value(build, key):
    """A value of the lit configuration that CMake wrote for a build; None when there is none."""
    path = pathlib.Path(build) / "test" / "lit" / "lit.site.cfg.py"
    if not path.exists():
        return None
    found = re.search(rf'^config\.{key} = "(.*)"$', path.read_text(), re.M)
    return found[1] if found else None


def tools_of(build):
    """The folder of lit and the programs of LLVM that tests use."""
    llvm = site_value(build, "llvm_tools")
    if not llvm:
        return None, []
    lit = pathlib.Path(llvm).parent / "build" / "utils" / "lit"
    programs = [site_value(build, "filecheck"), f"{llvm}/llvm-readelf", f"{llvm}/not"]
    return (str(lit) if lit.exists() else None), programs


def build_files(build):
    """What of a build a machine gets: the programs, what they trace, the lit suites."""
    build = pathlib.Path(build).resolve()
    wanted = [build / "bin" / "awl", build / "bin" / "awl-run", build / "test" / "programs", build / "test" / "lit",
              TOP / "test" / "lit", TOP / "test" / "programs", TOP / "test" / "fixtures", TOP / "test" / "vm"]
    return [str(path) for path in wanted if path.exists()]


def boot(kernel, files, script, timeout_s, build, memory_mb=2048, cpus=2, echo=False):
    """Runs a shell script on a kernel with files of the host; an Outcome. Raises kernels.Unavailable."""
    kernels.need(EMULATOR)
    lit, programs = tools_of(build)
    system = image.system_disk(kernel, lit, programs)
    with tempfile.TemporaryDirectory(prefix="awl-vm-") as folder:
        job = os.path.join(folder, "job.ext4")
        image.job_disk(job, files, script)
        outcome = Machine(kernel, system, job, folder, memory_mb, cpus).run(timeout_s, echo)
        # On a busy host a kernel may find its emulated clock broken and panic, before anything has run.
        if outcome.has_not_started:
            outcome = Machine(kernel, system, job, folder, memory_mb, cpus).run(timeout_s, echo)
        return outcome


def end_with_parent():
    """In the emulator's process: no machine goes on when whoever wanted it has been killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Machine:
    """One run of the emulator; the serial lines are files in its folder."""

    LINES = ["console", "output", "errors", "status"]

    def __init__(self, kernel, system, job, folder, memory_mb, cpus):
        self.folder_ = pathlib.Path(folder)
        # No mitigations: they cost time and change nothing that is tested. A panic ends the emulator.
        words = f"root={image.ROOT} rw rootwait init=/init console=ttyS0 loglevel=4 panic=-1 mitigations=off " \
                "random.trust_cpu=on no_timer_check net.ifnames=0 lsm=landlock,lockdown,yama,integrity,apparmor,bpf"
        self.command_ = [
            "nice", "-n", "10", EMULATOR, "-accel", "tcg,thread=single", "-machine", "q35", "-cpu", "max",
            "-smp", str(cpus), "-m", str(memory_mb), "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-device", "virtio-rng-pci", "-kernel", str(kernel.boot), "-append", words,
        ]
        for number, disk in enumerate([system, job]):
            self.command_ += ["-drive", f"file={disk},if=none,id=d{number},format=raw,cache=unsafe,snapshot=on",
                              "-device", f"nvme,drive=d{number},serial=disk{number}"]
        for line in self.LINES:
            self.command_ += ["-serial", f"file:{self.folder_ / line}"]

    def read(self, line):
        path = self.folder_ / line
        return path.read_bytes() if path.exists() else b""

    def run(self, timeout_s, echo):
        start = time.monotonic()
        said = self.folder_ / "emulator"
        with open(said, "wb") as log:
            process = subprocess.Popen(self.command_, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       preexec_fn=end_with_parent)
        shown = {"output": 0, "errors": 0}
        try:
            while process.poll() is None and time.monotonic() - start < timeout_s:
                time.sleep(0.05)
                if echo:
                    self.show(shown)
                if self.read("status").endswith(b"\n"):
                    break
            over = process.poll() is None and not self.read("status")
        finally:
            process.kill()
            process.wait()
        if echo:
            self.show(shown)
        seconds = time.monotonic() - start
        found = re.match(rb"exit (\d+)", self.read("status"))
        why = None
        if not found:
            last = self.read("console").decode(errors="replace").strip().splitlines()[-15:]
            last = last or said.read_text(errors="replace").strip().splitlines()[-3:]
            why = (f"no end after {timeout_s} s" if over else "the machine ended early") + ":\n" + "\n".join(last)
        outcome = Outcome(int(found[1]) if found else None, why, self.read("output").decode(errors="replace"),
                          self.read("errors").decode(errors="replace"), seconds)
        outcome.has_not_started = not found and not over and not outcome.output and not outcome.errors
        return outcome

    def show(self, shown):
        """Passes on what has arrived since the last time."""
        for line, stream in [("output", sys.stdout), ("errors", sys.stderr)]:
            data = self.read(line)[shown[line]:]
            shown[line] += len(data)
            stream.buffer.write(data)
            stream.flush()


def command_script(command, folder, environment=()):
    """A script that runs a command in a folder, if the machine has that, with some variables set."""
    lines = ["#!/bin/bash", f"cd {shlex.quote(str(folder))} 2>/dev/null || cd /tmp"]
    lines += [f"export {shlex.quote(entry)}" for entry in environment]
    lines.append(("exec " if len(command) > 1 else "") + (shlex.join(command) if len(command) > 1 else command[0]))
    return "\n".join(lines) + "\n"
