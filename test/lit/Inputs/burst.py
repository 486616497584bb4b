"""usage: burst.py FIRED COMMAND…   counts printed lines and lost events of a command."""
import re
import subprocess
import sys

fired = int(sys.argv[1])
result = subprocess.run(sys.argv[2:], capture_output=True, text=True)
printed = sum(line.startswith("event ") for line in result.stdout.splitlines())
lost = sum(int(number) for number in re.findall(r"[Ll]ost (\d+) events", result.stdout + result.stderr))
print(f"{printed} printed, {lost} lost")
print(f"printed + lost = {printed + lost}")
