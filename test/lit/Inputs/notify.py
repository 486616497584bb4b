"""usage: notify.py COMMAND…   prints what the command sends to NOTIFY_SOCKET."""
import os
import socket
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "notify")
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(path)
    receiver.settimeout(10)
    process = subprocess.Popen(sys.argv[1:], env=dict(os.environ, NOTIFY_SOCKET=path))
    print(receiver.recv(4096).decode())
    process.wait(timeout=15)
