"""usage: tun.py COUNT AWL ARGUMENTS…   runs awl with a command (-c) that sends COUNT IPv4 and COUNT IPv6 packets of UDP.

They come in by awltun, an interface without a link layer (tun), in a network namespace of its own. Ends with 77 where the
kernel has no tun.

usage: tun.py --send FILE COUNT   is that command; FILE is the number of tun's open file.
"""
import ctypes
import fcntl
import os
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
import network  # noqa: E402

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def run(count, command):
    if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
        return 77
    try:
        file = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", b"awltun", IFF_TUN | IFF_NO_PI))
    except OSError as error:
        print(f"no tun here: {error}", file=sys.stderr)
        return 77
    os.set_inheritable(file, True)
    for path in ("/proc/sys/net/ipv6/conf/awltun/disable_ipv6",):
        if os.path.exists(path):
            with open(path, "w") as setting:
                setting.write("1")
    subprocess.run(["ip", "link", "set", "awltun", "up"], check=True)
    sending = f"{sys.executable} {os.path.abspath(__file__)} --send {file} {count}"
    return subprocess.run([*command, "-c", sending], close_fds=False).returncode


def main():
    if sys.argv[1] == "--send":
        for _ in range(int(sys.argv[3])):
            os.write(int(sys.argv[2]), network.ip4(network.udp(), network.UDP))
            os.write(int(sys.argv[2]), network.ip6(network.udp(), network.UDP))
        return 0
    return run(int(sys.argv[1]), sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
