"""The table of probe families and kernels, the failures behind it, and the reasons of what is unsupported."""
import re

# In the order of docs/probes.md. A family that a test names and that is not here comes last.
FAMILIES = ["kprobe", "kretprobe", "fentry", "fexit", "rawtracepoint", "tracepoint", "syscall", "uprobe", "uretprobe",
            "usdt", "hardware", "software", "profile", "interval", "iter", "watchpoint", "begin", "end", "self", "test",
            "bench", "xdp", "tc", "cgroup_skb", "cgroup_sock_addr", "sock_ops", "lsm"]


def cell(column, tests):
    """The word for a family on a kernel, and the reasons of what is unsupported there."""
    if column.skipped:
        return "skipped", set()
    if column.broken:
        return "FAIL", set()
    names = {test.name for test in tests}
    outcomes = [test for _, test in column.outcomes() if test["name"] in names]
    if not outcomes:
        return "no test", set()
    codes = [test["code"] for test in outcomes]
    reasons = {reason for test in outcomes if test["code"] == "UNSUPPORTED"
               for reason in reasons_of(test, column.report["missing"])}
    if any(code not in ("PASS", "UNSUPPORTED") for code in codes):
        return "FAIL", reasons
    return ("pass" if "PASS" in codes else "unsupported"), reasons


def reasons_of(test, missing):
    """Why a test was not run, in the words of kernel_features.py."""
    needed = re.search(r"requires the following unavailable features: (.*)", test["output"])
    # Tests of what awl says where something is missing are for the other kernels.
    if not needed:
        return []
    return [missing.get(name, f"{name} is not there") for name in needed[1].split(", ")]


def show(tests, columns, is_partial, file_name):
    """Prints it all, the table into a file too; whether every cell is one that may be.

    A family that no test was run for is no better than one that fails."""
    is_good = show_failures(columns)
    for family, column in [] if is_partial else untested(tests, columns):
        is_good = False
        print(f"\n==== {column.name}: no test of {family} was run")
    lines = rows_of(tests, columns, is_partial) + sums(columns)
    print("\n" + "\n".join(lines))
    with open(file_name, "w") as file:
        file.write("\n".join(lines) + "\n")
    return is_good


def untested(tests, columns):
    """The (family, column) without any test's outcome."""
    for family in FAMILIES:
        of_family = [test for test in tests if family in [name for name, _ in test.families]]
        for column in columns:
            if cell(column, of_family)[0] == "no test":
                yield family, column


def rows_of(tests, columns, is_partial):
    """The table with its notes, as lines."""
    by_family = {}
    for test in tests:
        for family, _ in test.families:
            by_family.setdefault(family, []).append(test)
    rows = [family for family in FAMILIES if family in by_family or not is_partial]
    rows += sorted(set(by_family) - set(FAMILIES))
    notes = []
    lines = ["".join(f"{word:<18}" for word in ["family", *[column.name for column in columns]]).rstrip()]
    for family in rows:
        words = [family]
        for column in columns:
            word, reasons = cell(column, by_family.get(family, []))
            marks = [note_number(notes, reason) for reason in sorted(reasons)]
            words.append(word + (f" ({','.join(map(str, marks))})" if marks else ""))
        lines.append("".join(f"{word:<18}" for word in words).rstrip())
    lines += [f"  ({number}) {reason}" for number, reason in enumerate(notes, 1)]
    return lines


def note_number(notes, reason):
    if reason not in notes:
        notes.append(reason)
    return notes.index(reason) + 1


def show_failures(columns):
    is_good = True
    for column in columns:
        if column.broken:
            is_good = False
            print(f"\n==== {column.name}: no report\n{column.broken}")
        for way, test in column.failures():
            is_good = False
            print(f"\n==== {column.name}, {way}: {test['name']}: {test['code']}\n{test.get('output', '')}")
    return is_good


def sums(columns):
    """One line per kernel and way."""
    lines = []
    for column in columns:
        for way, tests in column.report["ways"].items():
            codes = [test["code"] for test in tests]
            failed = len(codes) - codes.count("PASS") - codes.count("UNSUPPORTED")
            lines.append(f"{column.name}, {way}: {codes.count('PASS')} passed, {failed} failed, "
                         f"{codes.count('UNSUPPORTED')} unsupported")
    return lines
