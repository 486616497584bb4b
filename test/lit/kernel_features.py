"""What the running kernel offers to the run tests, asked without awl: so a fault of awl is never taken for a gap of
the kernel. A test names what it needs in its `REQUIRES:` line; test/vm prints the reasons in its table.
"""
import ctypes
import functools
import os
import re
import shutil
import subprocess

EVENT_SOURCES = "/sys/bus/event_source/devices/"
TRACING = "/sys/kernel/tracing/"
PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}


@functools.lru_cache
def symbols():
    """The names in the kernel's symbol table."""
    with open("/proc/kallsyms") as file:
        return {line.split()[2] for line in file}


def version():
    return tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])


def opens_perf_event(event_type, config, address=0, breakpoint_type=0):
    """Whether perf_event_open(2) takes an event for this process; the reason when not."""
    attributes = bytearray(128)
    attributes[0:4] = event_type.to_bytes(4, "little")
    attributes[4:8] = (128).to_bytes(4, "little")
    attributes[8:16] = config.to_bytes(8, "little")
    attributes[40] = 1  # disabled
    attributes[52:56] = breakpoint_type.to_bytes(4, "little")
    attributes[56:64] = address.to_bytes(8, "little")
    attributes[64:72] = (4).to_bytes(8, "little")
    number = PERF_EVENT_OPEN.get(os.uname().machine)
    if number is None:
        return "perf_event_open's number is not known for this architecture"
    libc = ctypes.CDLL(None, use_errno=True)
    file = libc.syscall(number, (ctypes.c_char * 128).from_buffer(attributes), 0, -1, -1, 0)
    if file < 0:
        return f"perf_event_open: {os.strerror(ctypes.get_errno())}"
    os.close(file)
    return None


def source(name, words):
    return None if os.path.exists(EVENT_SOURCES + name) else words


def symbol(name, words):
    return None if name in symbols() else words


def function_tracing():
    if not os.path.exists(TRACING + "available_filter_functions"):
        return "the kernel is built without function tracing (CONFIG_DYNAMIC_FTRACE)"
    return None


def since(major, minor, words):
    return None if version() >= (major, minor) else f"{words} came with Linux {major}.{minor}"


def lsm():
    path = "/sys/kernel/security/lsm"
    names = open(path).read() if os.path.exists(path) else ""
    if "bpf" not in names.split(","):
        return "the kernel runs without the LSM 'bpf' (CONFIG_BPF_LSM, boot parameter lsm=)"
    return None


def virtual_network():
    """Pairs of virtual devices in network namespaces, tried in a namespace that ends at once."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        return "unshare or ip is not installed"
    result = subprocess.run(["unshare", "-n", "ip", "link", "add", "type", "veth"], capture_output=True, text=True)
    return None if result.returncode == 0 else f"veth: {result.stderr.strip() or 'cannot be made'}"


def tunnel():
    """Devices without a link layer. Only the device file's use would load the module."""
    if not os.path.exists("/dev/net/tun") and shutil.which("modprobe"):
        subprocess.run(["modprobe", "tun"], capture_output=True)
    result = subprocess.run(["unshare", "-n", "ip", "tuntap", "add", "mode", "tun"], capture_output=True, text=True)
    return None if result.returncode == 0 else f"tun: {result.stderr.strip() or 'cannot be made'}"


def cgroups():
    for path in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]:
        if os.path.exists(path + "/cgroup.procs") and os.access(path, os.W_OK):
            return None
    return "no cgroup2 file system is mounted"


def first(*reasons):
    """The first reason there is, asked in order."""
    for reason in reasons:
        said = reason() if callable(reason) else reason
        if said:
            return said
    return None


# Each says why the kernel does not have it, or None.
FEATURES = {
    "kprobe": lambda: source("kprobe", "the kernel is built without kprobes (CONFIG_KPROBE_EVENTS)"),
    "kprobe_multi": lambda: first(since(5, 18, "kprobe_multi links"), lambda: symbol(
        "register_fprobe_ips", "the kernel is built without CONFIG_FPROBE")),
    "kprobe_session": lambda: first(since(6, 10, "session links"), lambda: symbol(
        "register_fprobe_ips", "the kernel is built without CONFIG_FPROBE")),
    "kprobe_roomy_session": lambda: first(since(6, 14, "sessions for any number of calls at once"), lambda: symbol(
        "register_fprobe_ips", "the kernel is built without CONFIG_FPROBE")),
    "fentry": lambda: first(function_tracing, lambda: symbol(
        "arch_prepare_bpf_trampoline", "the kernel has no BPF trampolines (Linux 5.5)")),
    "uprobe": lambda: source("uprobe", "the kernel is built without uprobes (CONFIG_UPROBE_EVENTS)"),
    "uprobe_multi": lambda: first(source("uprobe", "the kernel is built without uprobes"),
                                  since(6, 6, "uprobe_multi links")),
    "uprobe_session": lambda: first(source("uprobe", "the kernel is built without uprobes"),
                                    since(6, 13, "session links of uprobes")),
    "uprobe_entry_address": lambda: since(6, 7, "bpf_get_func_ip for uprobes"),
    "hardware": lambda: opens_perf_event(0, 0),
    "watchpoint": lambda: opens_perf_event(5, 0, ctypes.addressof(ctypes.c_int.in_dll(ctypes.CDLL(None), "optind")), 2),
    "error_injection": lambda: symbol("bpf_override_return",
                                      "the kernel is built without CONFIG_BPF_KPROBE_OVERRIDE"),
    "lsm": lsm,
    "iter": lambda: symbol("bpf_iter_run_prog", "iterators came with Linux 5.8"),
    "iter_task_vma": lambda: since(5, 12, "iter:task_vma"),
    "cookie": lambda: since(5, 15, "attach cookies"),
    "map_loops": lambda: since(5, 13, "bpf_for_each_map_elem"),
    "bpf_loop": lambda: since(5, 17, "bpf_loop"),
    "percpu_lookup": lambda: since(5, 19, "bpf_map_lookup_percpu_elem"),
    "caller_frames": lambda: since(5, 15, "the caller's frame in stacks that a uprobe takes"),
    "long_keys": lambda: since(5, 11, "keys of more than 512 bytes"),
    "module_btf": lambda: since(5, 11, "BTF of modules"),
    "tcx": lambda: since(6, 6, "tcx links"),
    "variables": lambda: symbol("__per_cpu_offset", "the kernel lists functions alone (CONFIG_KALLSYMS_ALL)"),
    "veth": virtual_network,
    "tun": tunnel,
    "cgroup": cgroups,
}


@functools.lru_cache
def missing():
    """What the kernel has not got: name and reason."""
    found = {name: check() for name, check in FEATURES.items()}
    return {name: reason for name, reason in found.items() if reason}
