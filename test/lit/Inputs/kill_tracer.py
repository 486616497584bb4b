"""usage: kill_tracer.py ROUNDS AWL PROGRAMS   kills tracers at random moments, and looks for what they left behind.

PROGRAMS is the folder of the tests' programs. In each round a tracer with a command (stopped at first) attaches to
copies of them and is killed: while it starts, attaches, runs. After that no process may be left that it started, a
process that was stopped until an address is watched must run, and the traced processes' code and data must be as
before: no breakpoint of a uprobe, no semaphore raised. In the end no BPF program or map, no event of tracefs, and no
pin of theirs may be left. The network's probes are on the loopback interface of a namespace of its own, and on a cgroup of
its own. What cannot be attached here is told, and noted in AWL_SKIP_LOG.
"""
import ctypes
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 20  # what has been closed may take the kernel a moment
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWNET = 0x40000000
EVENTS = ["/sys/kernel/tracing/uprobe_events", "/sys/kernel/tracing/kprobe_events"]


def eventually(holds):
    """Whether it holds within a while."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def state_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


class Target:
    """A process that waits, to be traced: `image` is what its program's code and data look like in memory."""

    def __init__(self, program, words):
        self.program_ = program
        self.process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
        # Stopped where it waits: from there on its data changes by others' hands alone.
        eventually(lambda: self.state() == "S")
        self.process.send_signal(signal.SIGSTOP)
        eventually(lambda: self.state() == "T")
        self.image = self.read()

    def state(self):
        return state_of(self.process.pid)

    def read(self):
        parts = []
        with open(f"/proc/{self.process.pid}/maps") as maps, open(f"/proc/{self.process.pid}/mem", "rb") as memory:
            for line in maps:
                fields = line.split()
                if fields[-1] != self.program_:
                    continue
                begin, end = (int(word, 16) for word in fields[0].split("-"))
                memory.seek(begin)
                parts.append(memory.read(end - begin))
        return b"".join(parts)

    def is_clean(self):
        return self.read() == self.image


class Rounds:
    def __init__(self, awl, programs, folder):
        self.awl_ = awl
        self.mark = f"kill_{os.getpid()}"
        self.folder_ = folder
        self.targets = []
        self.scripts = []
        testprog = shutil.copy(os.path.join(programs, "testprog"), folder)
        self.targets.append(Target(testprog, ["sleep", "600000"]))
        self.command_ = f"{testprog} add 2000"
        self.watched = subprocess.Popen([testprog, "increase", "-1"], stdout=subprocess.DEVNULL)
        self.without = []
        self.add("uprobes", f"uprobe:{testprog}:test_* {{ @{self.mark} = count() }} uretprobe:{testprog}:test_add "
                            f"{{ @{self.mark} = count() }} tracepoint:sched:sched_process_exit {{ @{self.mark} = "
                            f"count() }} tracepoint:syscalls:sys_enter_* {{ @{self.mark} = count() }} interval:ms:5 {{ }}")
        self.add("kprobes", f"kprobe:vfs_read {{ @{self.mark} = count() }} kretprobe:vfs_write {{ @{self.mark} = count() }} "
                            "interval:ms:5 { }")
        self.add("watchpoints", f"watchpoint:{testprog}:test_increase+arg0:4:w {{ @{self.mark} = count() }} "
                                "interval:ms:5 { }", ["-p", str(self.watched.pid)])
        usdtprog = os.path.join(programs, "usdtprog")
        if os.path.exists(usdtprog):
            usdtprog = shutil.copy(usdtprog, folder)
            self.targets.append(Target(usdtprog, ["wait", "1"]))
            self.add("semaphores", f"usdt:{usdtprog}:awltest:counted {{ @{self.mark} = count() }} interval:ms:5 {{ }}")
        else:
            self.leave_out("semaphores", "usdtprog is not built")

    def add_network(self, cgroup):
        """Probes of the loopback interface here and of a cgroup (or None)."""
        self.add("xdp", f"xdp:lo {{ @{self.mark} = count() }} interval:ms:5 {{ }}")
        self.add("tc", f"tc:lo:ingress {{ @{self.mark} = count() }} tc:lo:egress {{ @{self.mark} = count() }} "
                       "interval:ms:5 { }")
        if cgroup is None:
            self.leave_out("cgroups", "no cgroup of version 2 can be made")
            return
        self.add("cgroups", f"cgroup_skb:{cgroup}:egress {{ @{self.mark} = count() }} sock_ops:{cgroup} {{ @{self.mark} "
                            f"= count() }} cgroup_sock_addr:{cgroup}:connect4 {{ @{self.mark} = count() }} "
                            "interval:ms:5 { }")

    def add(self, name, script, process=None):
        """Takes a script that can be attached here, with the words that name its process."""
        words = [self.awl_, "-q", "-e", script, *(process or ["-c", self.command_])]
        tried = subprocess.run([*words, "--dry-run"], capture_output=True, text=True)
        if tried.returncode == 0:
            self.scripts.append((name, words))
        else:
            self.leave_out(name, (tried.stderr.strip() or "no words").splitlines()[0])

    def leave_out(self, name, reason):
        self.without.append(name)
        print(f"without {name}: {reason}")
        log = os.environ.get("AWL_SKIP_LOG")
        if log:
            with open(log, "a") as file:
                file.write(f"kill_tracer: no {name} are killed here: {reason}\n")

    def time_to_attach(self, words):
        """How long the script takes until it runs, the longest of three times; milliseconds."""
        longest = 0.0
        for _ in range(3):
            start = time.monotonic()
            subprocess.run([*words, "--dry-run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            longest = max(longest, time.monotonic() - start)
        return longest

    def kill_one(self, words, limit_s):
        """One tracer, killed; what it left behind, or nothing."""
        self.watched.send_signal(signal.SIGCONT)
        tracer = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, limit_s))
        tracer.kill()
        tracer.wait()
        if not eventually(self.has_no_orphan):
            return "a process: " + ", ".join(self.orphans())
        if not eventually(lambda: state_of(self.watched.pid) != "T"):
            return "a stopped process"
        self.watched.send_signal(signal.SIGSTOP)  # it needs a CPU that the other rounds can use
        for target in self.targets:
            if not eventually(target.is_clean):
                return "a changed byte in a traced process"
        return None

    def orphans(self):
        """The children that came to us when their tracer ended, with their states."""
        found = []
        own = {target.process.pid for target in self.targets} | {self.watched.pid}
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            children = [int(word) for word in file.read().split()]
        for pid in children:
            if pid in own:
                continue
            try:
                ended, _ = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue
            if ended == 0:
                with open(f"/proc/{pid}/stat") as stat:
                    found.append(" ".join(stat.read().split()[:3]))
        return found

    def has_no_orphan(self):
        return not self.orphans()

    def left_in_kernel(self):
        """The events of tracefs that name our programs' files, and our maps, which every BPF program of ours holds."""
        left = [line for path in EVENTS if os.path.exists(path)
                for line in open(path).read().splitlines() if self.folder_ in line]
        listed = subprocess.run(["bpftool", "-j", "map", "list"], capture_output=True, text=True, check=True)
        name = ("m_" + self.mark)[:15]  # as much as the kernel keeps
        return left + [entry["name"] for entry in json.loads(listed.stdout) if entry.get("name") == name]


def make_cgroup(name):
    """A cgroup of its own, or None."""
    for line in open("/proc/self/mountinfo"):
        if " - cgroup2 " in line:
            folder = os.path.join(line.split()[4], name)
            try:
                os.mkdir(folder)
                return folder
            except OSError:
                return None
    return None


def pins():
    return {os.path.join(parent, name) for parent, _, files in os.walk("/sys/fs/bpf") for name in files}


def main():
    rounds, awl, programs = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    has_namespace = libc.unshare(CLONE_NEWNET) == 0
    cgroup = make_cgroup(f"awl-kill-{os.getpid()}")
    random.seed(rounds)
    pins_before = pins()
    with tempfile.TemporaryDirectory(prefix="awl-kill-") as folder:
        work = Rounds(awl, programs, folder)
        if has_namespace:
            work.add_network(cgroup)
        else:
            work.leave_out("network", "no network namespace can be made")
        try:
            times = {name: work.time_to_attach(words) for name, words in work.scripts}
            for number in range(rounds):
                name, words = work.scripts[number % len(work.scripts)]
                left = work.kill_one(words, 1.5 * times[name])
                if left:
                    print(f"round {number}, {name}: left behind {left}")
                    return 1
            if not eventually(lambda: not work.left_in_kernel()):
                print("left behind in the kernel:", work.left_in_kernel())
                return 1
            if pins() - pins_before:
                print("left behind pins:", pins() - pins_before)
                return 1
        finally:
            for process in [target.process for target in work.targets] + [work.watched]:
                process.send_signal(signal.SIGKILL)
                process.wait()
            if cgroup:
                os.rmdir(cgroup)
    names = ", ".join(name for name, _ in work.scripts)
    missing = f"; not here: {', '.join(work.without)}" if work.without else ""
    print(f"{rounds} tracers killed ({names}){missing}, nothing left behind")
    return 0


sys.exit(main())
