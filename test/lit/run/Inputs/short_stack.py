"""Scripts whose values do not fit into registers and 512 bytes of stack. usage: short_stack.py KIND"""
import sys

COUNT = 90
fill = "begin {\n" + "".join(f"  @v[{i}] = {i};\n" for i in range(COUNT))
clear = "  clear(@v);\n  exit();\n}"


def deep():
    """Operands that wait for each other: what is left of each operator is held until the right is known."""
    text = "@v[0]"
    for i in range(1, COUNT):
        text = f"(@v[{i}] {'+-^|'[i % 4]} {text})"
    return f"  print({text});\n"


def wide():
    """Many values at once, in a tuple and in a format."""
    values = ", ".join(f"@v[{i}]" for i in range(60))
    return f"  print(({values}));\n  printf(\"{'%d ' * 60}\\n\", {values});\n"


def variables():
    """Variables that live on, in a loop with a body of its own, too."""
    names = [f"$x{i}" for i in range(COUNT)]
    text = "".join(f"  {name} = @v[{i}];\n" for i, name in enumerate(names))
    changes = "".join(f"    {name} += {names[(i * 7) % COUNT]};\n" for i, name in enumerate(names))
    text += f"  for ($i : 0..{names[40]}) {{\n{changes}  }}\n"
    return text + f"  print({' + '.join(names)});\n"


print(fill + {"deep": deep, "wide": wide, "variables": variables}[sys.argv[1]]() + clear)
