"""usage: in_cgroup.py KIND COUNT AWL ARGUMENTS…   runs awl with a command (-c) in a cgroup of its own.

In AWL's ARGUMENTS {} is the cgroup's path. The command makes COUNT connections to itself (tcp4, tcp6), or sends itself
COUNT packets (udp4, udp6), to the ports 9998 and 9999.

usage: in_cgroup.py --traffic FOLDER KIND COUNT   is that command.
"""
import os
import socket
import subprocess
import sys


def traffic(kind, count):
    family, host = (socket.AF_INET6, "::1") if kind.endswith("6") else (socket.AF_INET, "127.0.0.1")
    if kind.startswith("udp"):
        with socket.socket(family, socket.SOCK_DGRAM) as receiver, socket.socket(family, socket.SOCK_DGRAM) as sender:
            receiver.bind((host, 9999))
            for _ in range(count):
                sender.sendto(b"hello", (host, 9999))
                receiver.recvfrom(100)
        return
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, 9998))
        listener.listen(16)
        for _ in range(count):
            with socket.create_connection((host, 9998)) as client, listener.accept()[0] as server:
                client.send(b"x")
                server.recv(1)


def mount_point():
    for line in open("/proc/self/mountinfo"):
        if " - cgroup2 " in line:
            return line.split()[4]
    sys.exit("cgroup v2 is not mounted")


def run(kind, count, command):
    folder = f"{mount_point()}/awl{os.getpid()}"
    os.mkdir(folder)
    try:
        inside = f"{sys.executable} {os.path.abspath(__file__)} --traffic {folder} {kind} {count}"
        command = [word.replace("{}", folder) for word in command]
        # In a network namespace of its own, where the ports are free.
        start = "ip link set lo up && exec \"$@\""
        return subprocess.run(["unshare", "--net", "sh", "-c", start, "sh", *command, "-c", inside]).returncode
    finally:
        os.rmdir(folder)


if sys.argv[1] == "--traffic":
    with open(sys.argv[2] + "/cgroup.procs", "w") as processes:
        processes.write("0")
    traffic(sys.argv[3], int(sys.argv[4]))
else:
    sys.exit(run(sys.argv[1], sys.argv[2], sys.argv[3:]))
