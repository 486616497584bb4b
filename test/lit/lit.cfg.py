# The lit suites: a test is a few lines of script with its checks beside them.
#
#   parse, codegen, errors   need neither root nor BPF (they compile for a snapshot)
#   run                      need root and BPF; skipped, and said so, where there is none
import os
import platform
import shutil
import subprocess

import lit.formats

config.name = "awl"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".bt", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.join(config.source_dir, "test", "lit")
config.test_exec_root = os.path.join(config.build_dir, "lit")

snapshot = os.path.join(config.source_dir, "test", "fixtures", "x86_64-6.18")
awl = os.path.join(config.awl_bin, "awl")
# Emulated machines are slow; test/vm sets more.
limit = os.environ.get("AWL_TEST_LIMIT_S", "20")
# How run tests go from script to kernel: compiled where they run; or ("object", and "record" before it) as objects
# that were built once, see test/vm/awl-object.
way = os.environ.get("AWL_TEST_WAY", "compile")
vm = os.path.join(config.source_dir, "test", "vm")
if way != "compile":
    for name in ["AWL_TEST_WAY", "AWL_OBJECTS"]:
        config.environment[name] = os.environ[name]
    config.environment["AWL_BIN"] = config.awl_bin
    awl = os.path.join(vm, "awl-object")
if way == "record":
    config.filecheck = os.path.join(vm, "record", "FileCheck")
config.substitutions += [
    # Compiling for the fixture: what the tests see does not depend on the machine.
    ("%awl-hermetic", f"{awl} --target {snapshot}"),
    ("%build-hermetic", f"{awl} build --target {snapshot}"),
    ("%awl-run", f"timeout {limit} {config.awl_bin}/awl-run"),
    # Without `timeout` and `env`, for helpers that send signals.
    ("%awl-path", awl),
    ("%awl", f"timeout {limit} {awl}"),
    ("%python", "python3"),
    # Long enough for awl to start and attach.
    ("%long-ms", str(100 * int(limit))),
    ("%programs", os.path.join(config.build_dir, "programs")),
    ("%testprog", os.path.join(config.build_dir, "programs", "testprog")),
    ("%usdtprog", os.path.join(config.build_dir, "programs", "usdtprog")),
    ("%stackprog-nofp", os.path.join(config.build_dir, "programs", "stackprog-nofp")),
    ("%stackprog", os.path.join(config.build_dir, "programs", "stackprog")),
    ("%dwarfprog", os.path.join(config.build_dir, "programs", "dwarfprog")),
    ("%manyprog", os.path.join(config.build_dir, "programs", "manyprog")),
    ("%inputs", os.path.join(config.source_dir, "test", "lit", "Inputs")),
    ("FileCheck", config.filecheck),
    ("llvm-objdump", os.path.join(config.llvm_tools, "llvm-objdump")),
    ("llvm-readelf", os.path.join(config.llvm_tools, "llvm-readelf")),
]


def can_run_bpf():
    """Whether awl can load a program here; the reason when not."""
    result = subprocess.run([os.path.join(config.awl_bin, "awl"), "-q", "-e", "BEGIN { exit() }"],
                            capture_output=True, text=True, timeout=30)
    return None if result.returncode == 0 else (result.stderr.strip().splitlines() or ["unknown"])[-1]


if shutil.which("bpftool", path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
    config.available_features.add("bpftool")
# #include and import of C files call it.
if any(shutil.which(name) for name in ["clang", *(f"clang-{version}" for version in range(11, 25))]):
    config.available_features.add("clang")
else:
    message = "lit: no clang here: tests of #include and import of C files are skipped"
    lit_config.warning(message)
    if os.environ.get("AWL_SKIP_LOG"):
        with open(os.environ["AWL_SKIP_LOG"], "a") as file:
            file.write(message + "\n")
# Keys of more than 512 bytes came with it.
if tuple(int(part) for part in platform.release().split(".")[:2]) >= (5, 11):
    config.available_features.add("linux-5.11")
# What awl does while it compiles can be seen where it does.
if way == "compile":
    config.available_features.add("compiles")
first = [os.path.join(vm, "record")] if way == "record" else []
if os.path.exists(os.path.join(config.llvm_tools, "llvm-objcopy")):
    config.available_features.add("llvm-objcopy")
config.available_features.add(platform.machine())
if shutil.which("dwz"):
    config.available_features.add("dwz")
config.environment["PATH"] = os.pathsep.join([*first, config.llvm_tools, os.environ["PATH"], "/usr/sbin", "/sbin"])
config.environment["AWL_COLOR"] = "never"

# As root on a kernel with BTF there is no excuse: the tests run, and fail.
must_run = os.geteuid() == 0 and os.path.exists("/sys/kernel/btf/vmlinux")
reason = None if must_run else can_run_bpf()
if reason is None:
    config.available_features.add("bpf")
else:
    message = f"lit run suite: no BPF here: {reason}"
    lit_config.warning(message)
    log = os.environ.get("AWL_SKIP_LOG")
    if log:
        with open(log, "a") as file:
            file.write(message + "\n")
config.environment["AWL_SKIP_LOG"] = os.environ.get("AWL_SKIP_LOG", "")
