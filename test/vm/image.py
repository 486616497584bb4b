"""The disks of a machine: a system (tools of this host, a kernel's modules), and a job (what is to be tested).

All kernels have NVMe and ext4 built in, so that no initramfs is needed: the system disk is the root, the job disk holds
files of the host that appear at the very same paths, because the tests' configuration names them so.
"""
import hashlib
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

import kernels

UNUSED_LIFETIME_S = 2 * 24 * 3600

# Programs of the host that tests use inside. What is missing on the host is missing inside.
PROGRAMS = [
    "bash", "sh", "dash", "cat", "cp", "mv", "rm", "ls", "ln", "mkdir", "rmdir", "chmod", "chown", "touch", "true",
    "false", "echo", "printf", "env", "sleep", "sort", "uniq", "head", "tail", "wc", "cut", "tr", "seq", "tee", "dd",
    "df", "du", "stat", "date", "id", "uname", "readlink", "realpath", "basename", "dirname", "mktemp", "timeout",
    "kill", "nice", "sync", "test", "expr", "od", "diff", "cmp", "grep", "sed", "awk", "find", "xargs", "tar", "gzip",
    "ps", "mount", "umount", "unshare", "nsenter", "setpriv", "taskset", "ip", "tc", "ping", "bpftool", "modprobe",
    "kmod", "insmod", "lsmod", "dmesg", "sysctl", "setsid", "stty", "chroot", "losetup", "mknod", "strace", "zip", "unzip", "readelf",
    "objcopy", "strip", "ldd", "hostname", "truncate", "yes", "zstd", "xz",
]
PYTHON = "/usr/bin/python3"
UNUSED_PYTHON = {"test", "idlelib", "lib2to3", "tkinter", "turtledemo", "ensurepip", "dist-packages", "__pycache__"}
FOLDERS = ["proc", "sys", "dev", "tmp", "run", "root", "job", "etc", "var/tmp", "mnt"]
SEARCH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin"


class Tree:
    """A folder that becomes a disk: files of the host at their own paths, with the libraries that they need."""

    def __init__(self, folder):
        self.folder_ = pathlib.Path(folder)
        self.seen_ = set()

    def place(self, path):
        return self.folder_ / str(path).lstrip("/")

    def add(self, path):
        """Copies a file and, when it is an ELF file, its libraries. Links are followed: they become files."""
        path = str(path)
        if path in self.seen_:
            return
        self.seen_.add(path)
        target = self.place(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        shutil.copymode(path, target)
        with open(path, "rb") as file:
            is_elf = file.read(4) == b"\x7fELF"
        if is_elf:
            for library in libraries(path):
                self.add(library)

    def add_folder(self, folder, unused=frozenset()):
        """Copies a folder's files."""
        for parent, folders, files in os.walk(folder, followlinks=False):
            folders[:] = [name for name in folders if name not in unused]
            for name in files:
                path = os.path.join(parent, name)
                if os.path.isfile(path):
                    self.add(path)

    def link(self, path, target):
        place = self.place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink():
            place.symlink_to(target)


def libraries(path):
    """The shared libraries of a program, with its loader, as `ldd` says."""
    result = subprocess.run(["ldd", path], capture_output=True, text=True)
    for line in result.stdout.splitlines():
        for word in line.replace("=>", " ").split():
            if word.startswith("/") and os.path.exists(word):
                yield word


# The kernel finds its root by the signature in the partition table: disks are numbered as they are found.
ROOT_SIGNATURE = 0x61776c31
ROOT = f"PARTUUID={ROOT_SIGNATURE:08x}-01"
SECTOR = 512
FIRST_SECTOR = 2048


def partition_table(sectors):
    """A master boot record with one Linux partition."""
    entry = struct.pack("<B3sB3sII", 0, b"\0" * 3, 0x83, b"\0" * 3, FIRST_SECTOR, sectors)
    return b"\0" * 440 + struct.pack("<IH", ROOT_SIGNATURE, 0) + entry + b"\0" * 48 + b"\x55\xaa"


def make_disk(tree, disk, spare_mb, is_root=False):
    """Writes a folder as an ext4 file system, in a partition if it is the root; `disk` appears when it is complete."""
    size_kb = int(kernels.run(["du", "-sk", str(tree)]).split()[0]) * 5 // 4 + 1024 * (spare_mb + 16)
    offset = FIRST_SECTOR * SECTOR if is_root else 0
    fresh = f"{disk}.{os.getpid()}"
    try:
        with open(fresh, "wb") as file:
            file.truncate(offset + size_kb * 1024)
            if is_root:
                file.write(partition_table(size_kb * 1024 // SECTOR))
        kernels.run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-E",
                     f"root_owner=0:0,lazy_itable_init=1,offset={offset}", "-d", str(tree), fresh, f"{size_kb}k"])
        os.replace(fresh, disk)
    finally:
        if os.path.exists(fresh):
            os.unlink(fresh)


def system_disk(kernel, lit_folder, llvm_tools):
    """The root disk for a kernel, made once per kernel, set of tools, and version of this file."""
    kernels.need("mke2fs", "ldd", "bash", "mount", "setsid")
    tools = [path for path in (shutil.which(name, path=SEARCH) for name in PROGRAMS) if path]
    tools += [str(path) for path in llvm_tools if os.path.exists(path)]
    here = pathlib.Path(__file__).parent
    identity = hashlib.sha256((here / "image.py").read_bytes() + (here / "init").read_bytes())
    for path in [kernel.release, lit_folder, PYTHON, *tools]:
        stamp = os.stat(path).st_mtime_ns if os.path.exists(path) else 0
        identity.update(f"{path} {stamp}\n".encode())
    folder = kernels.cache_folder() / "images"
    folder.mkdir(exist_ok=True)
    disk = folder / f"{kernel.series}-{identity.hexdigest()[:16]}.ext4"
    if not disk.exists():
        with tempfile.TemporaryDirectory(dir=folder) as staging:
            fill_system(Tree(staging), kernel, lit_folder, tools)
            make_disk(staging, disk, spare_mb=256, is_root=True)
    os.utime(disk)
    # Other checkouts may use others; what nobody has used for days goes.
    for old in folder.glob("*.ext4"):
        if time.time() - old.stat().st_mtime > UNUSED_LIFETIME_S:
            old.unlink(missing_ok=True)
    return disk


def fill_system(tree, kernel, lit_folder, tools):
    """What the root disk holds."""
    for name in FOLDERS:
        tree.place(name).mkdir(parents=True, exist_ok=True)
    # Debian's merged /usr; paths that name either half then work.
    for name in ["bin", "sbin", "lib", "lib64"]:
        tree.place("usr/" + name).mkdir(parents=True, exist_ok=True)
        tree.link(name, "usr/" + name)
    for path in tools:
        tree.add(path)
    if os.path.exists(PYTHON):
        tree.add(PYTHON)
        version = kernels.run([PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()
        tree.add_folder(f"/usr/lib/python{version}", UNUSED_PYTHON | {f"config-{version}-x86_64-linux-gnu"})
    if lit_folder:
        tree.add_folder(lit_folder, {"tests", "__pycache__"})
    shutil.copytree(kernel.modules, tree.place(f"lib/modules/{kernel.release}"), symlinks=True,
                    ignore=shutil.ignore_patterns("vmlinuz*", "build", "source"))
    init = tree.place("init")
    shutil.copy(pathlib.Path(__file__).parent / "init", init)
    init.chmod(0o755)
    tree.place("etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n")
    tree.place("etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    tree.place("etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    # What the mount and cgroup tests find on every machine.
    tree.link("etc/mtab", "/proc/self/mounts")


def job_disk(disk, files, script):
    """A disk with files of the host, each at its own path, and the script that is run."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(disk)) as staging:
        tree = Tree(staging)
        for path in files:
            path = os.path.abspath(path)
            if os.path.isdir(path):
                tree.place(path).mkdir(parents=True, exist_ok=True)
                tree.add_folder(path, {"__pycache__", ".git"})
            else:
                tree.add(path)
        tree.place("script").write_text(script)
        tree.place("script").chmod(0o755)
        make_disk(staging, disk, spare_mb=64)
