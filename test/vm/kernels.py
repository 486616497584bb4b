"""Debian's cloud kernels, fetched from the mirror that this machine's apt already uses and unpacked into a cache.

apt runs with a sources list, lists, and cache of its own, so nothing of the machine's own configuration changes. Each
series is what its suite has now: versions come and go, so none is written here. A kernel in the cache is used as it
is; `AWL_VM_REFRESH=1` looks for a newer one.
"""
import os
import pathlib
import re
import shutil
import subprocess
import time

# Series and the suites that may have it, in the order of asking. A suite whose name ends in "-security" lies in the
# security archive.
SERIES = {
    "5.10": ["bullseye-security", "bullseye"],
    "6.1": ["bookworm-security", "bookworm"],
    "6.12": ["trixie-security", "trixie"],
    "7.2": ["sid"],
}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
INDEX_LIFETIME_S = 24 * 3600


class Unavailable(Exception):
    """A kernel or a tool cannot be had here; the text says why."""


def cache_folder():
    """Where kernels and images are kept between builds: outside the tree, so that a clean build keeps them."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = pathlib.Path(base) / "awl-vm"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def need(*tools):
    """Raises Unavailable when a program is missing."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [tool for tool in tools if not shutil.which(tool, path=path)]
    if missing:
        raise Unavailable(f"not installed: {', '.join(missing)}")


def run(command, **options):
    """Runs a command; its standard output. Raises Unavailable with its last words on failure."""
    environment = dict(os.environ, LC_ALL="C", PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    result = subprocess.run(command, capture_output=True, text=True, env=environment, **options)
    if result.returncode != 0:
        words = (result.stderr.strip() or result.stdout.strip() or "no output").splitlines()[-1]
        raise Unavailable(f"{os.path.basename(command[0])}: {words}")
    return result.stdout


def archives():
    """The addresses of the machine's own main and security archives."""
    codename = re.search(r"^VERSION_CODENAME=(\S+)", pathlib.Path("/etc/os-release").read_text(), re.M)
    if not codename:
        raise Unavailable("this is no Debian release: /etc/os-release has no VERSION_CODENAME")
    targets = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"])
    found = {}
    for line in targets.splitlines():
        address, _, suite = line.partition(" ")
        if suite == codename[1]:
            found.setdefault("main", address)
        elif suite == codename[1] + "-security":
            found.setdefault("security", address)
    if "main" not in found:
        raise Unavailable(f"apt knows no archive of {codename[1]}")
    return found


class Apt:
    """apt with its state in a folder of our own."""

    def __init__(self, folder):
        self.folder_ = folder
        for name in ["lists/partial", "cache/archives/partial", "parts"]:
            (folder / name).mkdir(parents=True, exist_ok=True)
        settings = {
            "Dir::Etc::sourcelist": folder / "sources.list", "Dir::Etc::sourceparts": folder / "parts",
            "Dir::State::lists": folder / "lists", "Dir::Cache": folder / "cache",
            "Dir::State::status": "/dev/null", "Acquire::Languages": "none", "APT::Sandbox::User": "root",
            "APT::Architecture": "amd64", "Acquire::Retries": "2",
        }
        self.options_ = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]

    def update(self, suites):
        """Reads the lists of packages of the suites, unless that was done within the last day."""
        found = archives()
        lines = []
        for suite in suites:
            address = found.get("security" if suite.endswith("-security") else "main")
            if address:
                lines.append(f"deb [arch=amd64 signed-by={KEYRING}] {address} {suite} main\n")
        stamp = self.folder_ / "updated"
        sources = self.folder_ / "sources.list"
        known = sources.read_text() if sources.exists() else ""
        if known == "".join(lines) and stamp.exists() and time.time() - stamp.stat().st_mtime < INDEX_LIFETIME_S:
            return
        sources.write_text("".join(lines))
        # A suite that is gone must not keep us from the others: apt then exits with 100, its lists are there.
        subprocess.run(["apt-get", *self.options_, "-q", "update"], capture_output=True, timeout=300)
        if not list((self.folder_ / "lists").glob("*Packages*")):
            raise Unavailable("apt-get update: no list of packages could be read")
        stamp.touch()

    def packages(self, pattern):
        """The (version, name) of all packages whose name matches, newest first."""
        lines = run(["apt-cache", *self.options_, "search", "--names-only", pattern]).splitlines()
        names = {line.split(" ")[0] for line in lines}
        if not names:
            return []
        found = set()
        for line in run(["apt-cache", *self.options_, "madison", *names]).splitlines():
            name, version, _ = line.split("|")
            found.add((version.strip(), name.strip()))
        return sorted(found, key=lambda entry: version_key(entry[0]), reverse=True)

    def depends(self, name, version):
        """The names of the packages that one needs, of those that hold parts of a kernel."""
        text = run(["apt-cache", *self.options_, "show", f"{name}={version}"])
        return re.findall(r"\blinux-(?:binary|modules)-[^ ,]+", text.partition("Depends:")[2].partition("\n")[0])

    def download(self, name, version, folder):
        """Downloads a package into a folder; its path."""
        run(["apt-get", *self.options_, "-q", "download", f"{name}={version}"], cwd=folder, timeout=300)
        return next(path for path in folder.iterdir() if path.name.startswith(name + "_"))


def version_key(version):
    """Orders versions of one series: numbers as numbers."""
    return [int(part) if part.isdigit() else 0 for part in re.split(r"[^0-9]+", version)]


class Kernel:
    """An unpacked kernel: `boot` is its image, `modules` the folder named by its release."""

    def __init__(self, series, folder):
        self.series = series
        self.folder = folder
        images = list(folder.glob("**/vmlinuz*"))
        modules = [path for path in folder.glob("**/lib/modules/*") if (path / "kernel").is_dir()]
        if not images or not modules:
            raise Unavailable(f"the package of {series} holds no kernel image or no modules")
        self.boot = images[0]
        self.modules = modules[0]
        self.release = self.modules.name


def fetch(series):
    """The kernel of a series, from the cache or from Debian. Raises Unavailable."""
    if series not in SERIES:
        raise Unavailable(f"no kernel named '{series}': {', '.join(SERIES)}")
    folder = cache_folder() / "kernels" / series
    if (folder / "done").exists() and not os.environ.get("AWL_VM_REFRESH"):
        return Kernel(series, folder)
    need("apt-get", "apt-cache", "dpkg-deb", "depmod")
    apt = Apt(cache_folder() / "apt" / series)
    apt.update(SERIES[series])
    pattern = "^linux-image-" + re.escape(series) + r"\.[.0-9]+([+-][0-9a-z]+)?-cloud-amd64$"
    # A suite's own kernel, not one that was built for an older suite.
    candidates = [entry for entry in apt.packages(pattern) if "~deb" not in entry[0]]
    failure = f"no suite has a cloud kernel {series}"
    for version, name in candidates[:3]:
        try:
            return unpack(apt, series, name, version, folder)
        except Unavailable as error:
            failure = f"{name} {version}: {error}"
    raise Unavailable(failure)


def unpack(apt, series, name, version, folder):
    """Downloads and unpacks one version, beside the place first so that an interrupted run leaves no half kernel."""
    fresh = folder.with_name(folder.name + f".{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "debs").mkdir(parents=True)
    try:
        for package in [name, *apt.depends(name, version)]:
            path = apt.download(package, version, fresh / "debs")
            run(["dpkg-deb", "-x", str(path), str(fresh)])
            path.unlink()
        kernel = Kernel(series, fresh)
        # depmod looks below lib/modules of its base folder.
        run(["depmod", "-b", str(kernel.modules.parent.parent.parent), kernel.release])
        (fresh / "done").touch()
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Kernel(series, folder)
