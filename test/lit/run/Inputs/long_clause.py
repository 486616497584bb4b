"""A clause of some thousands of statements: variables that live through all of it, loops and an end in between."""
lines = ['$sum = 0;', '$text = "start";', '$pair = (1, "one");']
for i in range(1000):
    lines.append(f"$sum += {i};")
    lines.append(f"@odd[{i % 7}] = $sum;" if i % 2 else f"$own{i} = $sum * 2; @even = $own{i};")
    if i == 300:
        lines.append('for ($j : 0..40) { if ($j == 20) { break; } $sum += $j; }')
        lines.append('$text = "middle"; $pair = (2, $text);')
    if i == 500:
        nested = " ".join(f"$sum++; @nested[{n % 3}] = $sum;" for n in range(400))
        lines.append(f'if ($sum > 0) {{ printf("%d %s %s\\n", $sum, $text, $pair.1); {nested} }}')
    if i == 900:
        lines.append('printf("%d %s\\n", $sum, $text); exit(); if ($sum > 0) { return; }')
    if i > 900:
        lines.append("@never = 1;")
print("begin {\n  " + "\n  ".join(lines) + "\n}")
