"""usage: loadall.py OBJECT   loads an object with bpftool, counts its programs, unpins them."""
import os
import shutil
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as folder:
    mounted = subprocess.run(["mount", "-t", "bpf", "bpf", folder]).returncode == 0
    try:
        result = subprocess.run(["bpftool", "prog", "loadall", sys.argv[1], folder + "/p"],
                                capture_output=True, text=True)
        if result.returncode != 0:
            print(result.stderr)
        else:
            print(f"loaded {len(os.listdir(folder + '/p'))} programs")
            shutil.rmtree(folder + "/p")
    finally:
        if mounted:
            subprocess.run(["umount", folder])
