"""How compile time grows with the size of a script: ahead of time, so that the kernel has no part in it."""

import os
import subprocess
import tempfile

SIZES = (10, 200, 1000, 5000)
RUNS = 3
LONG = "k" * 200

# One statement of each kind, by its number. A program may use 64 maps, so there are no more of them than that.
KINDS = {
    "printf": lambda i: f'printf("%d %s\\n", {i}, comm);',
    "count": lambda i: f"@a[{i}] = count();",
    "long keys": lambda i: f'@m["{LONG}{i}"] = {i};',
    "maps": lambda i: f"@a{i % 50}[{i}] = {i};",
    "variables": lambda i: f"$v{i} = pid + {i};",
    "if": lambda i: f"if (pid == {i}) {{ @x = {i}; }}",
    "str": lambda i: f"$s{i} = str(curtask);",
}


def cpu_ms(awl, script, folder):
    """CPU time of one `awl build`: the kernel's account of that process, not of what else has ended."""
    with open(os.devnull, "w") as null:
        command = [awl, "build", script, "-o", os.path.join(folder, "x.o")]
        process = subprocess.Popen(command, stdout=null, stderr=null)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return 1000 * (usage.ru_utime + usage.ru_stime)


def report(awl):
    print(f"\ncompile time by statements: CPU ms (best of {RUNS}), and of each statement beyond the first "
          f"{SIZES[0]} as a ratio to those up to {SIZES[1]}")
    with tempfile.TemporaryDirectory() as folder:
        for name, statement in KINDS.items():
            for size in SIZES:
                script = os.path.join(folder, f"{size}.bt")
                with open(script, "w") as file:
                    file.write("begin {\n" + "".join(f"  {statement(i)}\n" for i in range(size)) + "}\n")
            # In turn, so that what else the machine does falls on all sizes alike.
            runs = [[cpu_ms(awl, os.path.join(folder, f"{size}.bt"), folder) for size in SIZES] for _ in range(RUNS)]
            figures = [min(column) for column in zip(*runs)]
            slopes = [(figure - figures[0]) / (size - SIZES[0]) for figure, size in zip(figures[1:], SIZES[1:])]
            ratios = " ".join(f"{slope / slopes[0]:.2f}" for slope in slopes[1:])
            text = "   ".join(f"{size}: {figure:8.1f}" for size, figure in zip(SIZES, figures))
            print(f"  {name:10} {text}   ratio {ratios}")
