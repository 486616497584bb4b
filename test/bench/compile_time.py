"""How compile time grows with the size of a script: ahead of time, so that the kernel has no part in it."""

import os
import subprocess
import tempfile

SIZES = (10, 1000, 5000)
LONG = "k" * 200

# One statement of each kind, by its number.
KINDS = {
    "printf": lambda i: f'printf("%d %s\\n", {i}, comm);',
    "count": lambda i: f"@a[{i}] = count();",
    "long keys": lambda i: f'@m["{LONG}{i}"] = {i};',
    "maps": lambda i: f"@a{i} = {i};",
    "variables": lambda i: f"$v{i} = pid + {i};",
    "if": lambda i: f"if (pid == {i}) {{ @x = {i}; }}",
    "str": lambda i: f"$s{i} = str(curtask);",
}


def cpu_seconds(awl, script, folder):
    """CPU time of `awl build`, without starting a process that is measured, too."""
    before = os.times()
    subprocess.run([awl, "build", script, "-o", os.path.join(folder, "x.o")], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def report(awl):
    print("\ncompile time by statements: CPU ms, and of each statement beyond the first ten as a ratio to "
          f"those of {SIZES[1]}")
    with tempfile.TemporaryDirectory() as folder:
        for name, statement in KINDS.items():
            figures = []
            for size in SIZES:
                script = os.path.join(folder, "x.bt")
                with open(script, "w") as file:
                    file.write("begin {\n" + "".join(f"  {statement(i)}\n" for i in range(size)) + "}\n")
                figures.append(1000 * min(cpu_seconds(awl, script, folder) for _ in range(3 if size < 5000 else 1)))
            slopes = [(figure - figures[0]) / (size - SIZES[0]) for figure, size in zip(figures[1:], SIZES[1:])]
            text = "   ".join(f"{size}: {figure:8.1f}" for size, figure in zip(SIZES, figures))
            print(f"  {name:10} {text}   ratio {slopes[1] / slopes[0]:.2f}")
