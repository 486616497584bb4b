"""usage: network.py [--at-sender] KIND=COUNT[,KIND=COUNT…] AWL ARGUMENTS…

Makes two network namespaces with a veth pair between them, runs awl in one of them with a command
(-c) that sends packets from the other, and removes all again. awl sees the interface awl0 of the
receiver, or with --at-sender awl1 of the sender. Nothing else talks on the pair: it has no
addresses, and IPv6 is off there. KIND is a name in KINDS.

usage: network.py --send INTERFACE KIND=COUNT[,…]     sends them from an interface here.
"""
import os
import socket
import struct
import subprocess
import sys
import time

SOURCE, TARGET = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
IP4_SOURCE, IP4_TARGET = socket.inet_aton("192.0.2.1"), socket.inet_aton("198.51.100.2")
IP6_SOURCE = socket.inet_pton(socket.AF_INET6, "2001:db8::1")
IP6_TARGET = socket.inet_pton(socket.AF_INET6, "2001:db8:0:ff::2")
TCP, UDP, ICMP, ICMP6, FRAGMENT, NONE = 6, 17, 1, 58, 44, 59
PAYLOAD = b"GET /index"


def eth(payload, kind=0x0800, tags=()):
    """A frame; tags are (type of the tag, control information)."""
    frame = TARGET + SOURCE
    for tag_type, tci in tags:
        frame += struct.pack("!HH", tag_type, tci)
    return frame + struct.pack("!H", kind) + payload


def ip4(payload, protocol, options=b"", fragment=0, version=4, words=None, length=None, ttl=61):
    words = 5 + len(options) // 4 if words is None else words
    length = 20 + len(options) + len(payload) if length is None else length
    return struct.pack("!BBHHHBBH4s4s", version << 4 | words, 0x10, length, 0x1234, fragment, ttl, protocol, 0,
                       IP4_SOURCE, IP4_TARGET) + options + payload


def ip6(payload, protocol, length=None, version=6):
    length = len(payload) if length is None else length
    return struct.pack("!IHBB16s16s", version << 28 | 0x2a << 20 | 0x54321, length, protocol, 62,
                       IP6_SOURCE, IP6_TARGET) + payload


def tcp(payload=PAYLOAD, words=5, options=b"", flags=0x12):
    return struct.pack("!HHIIBBHHH", 40000, 443, 0x01020304, 0x05060708, words << 4, flags, 0xfedc, 0x1111, 0) + options + payload


def udp(payload=PAYLOAD):
    return struct.pack("!HHHH", 40001, 53, 8 + len(payload), 0x2222) + payload


def echo(kind):
    return struct.pack("!BBHHH", kind, 0, 0x3333, 77, 5) + PAYLOAD


def extension(following, words=0, body=b"\0" * 6):
    return bytes([following, words]) + body


def fragment_header(following, offset, more):
    return struct.pack("!BBHI", following, 0, offset << 3 | more, 99)


def arp():
    return struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, SOURCE, IP4_SOURCE, b"\0" * 6, IP4_TARGET)


VLAN, SERVICE = (0x8100, 5 << 13 | 100), (0x88a8, 200)
KINDS = {
    "tcp4": eth(ip4(tcp(), TCP)),
    "udp4": eth(ip4(udp(), UDP)),
    "icmp4": eth(ip4(echo(8), ICMP)),
    "tcp6": eth(ip6(tcp(), TCP), 0x86dd),
    "udp6": eth(ip6(udp(), UDP), 0x86dd),
    "icmp6": eth(ip6(echo(128), ICMP6), 0x86dd),
    "arp": eth(arp(), 0x0806),
    "other": eth(b"\0" * 50, 0x88b5),
    "vlan_tcp4": eth(ip4(tcp(), TCP), tags=[VLAN]),
    "vlan_udp6": eth(ip6(udp(), UDP), 0x86dd, [VLAN]),
    "vlan2_tcp4": eth(ip4(tcp(), TCP), tags=[SERVICE, VLAN]),
    "vlan2_udp6": eth(ip6(udp(), UDP), 0x86dd, [SERVICE, VLAN]),
    # Headers that are longer than usual.
    "options_tcp4": eth(ip4(tcp(words=8, options=b"\1" * 12), TCP, options=b"\1" * 8)),
    "extensions_tcp6": eth(ip6(extension(60) + extension(43, 2, b"\0" * 22) + extension(TCP) + tcp(), 0), 0x86dd),
    "ah_udp6": eth(ip6(extension(UDP, 4, b"\0" * 22) + udp(), 51), 0x86dd),
    "no_next6": eth(ip6(b"", NONE), 0x86dd),
    "many_extensions6": eth(ip6(extension(60) * 20 + extension(TCP) + tcp(), 60), 0x86dd),
    # Fragments: the first has the transport header, the others begin with anything.
    "first_fragment_udp4": eth(ip4(udp(), UDP, fragment=0x2000)),
    "later_fragment_udp4": eth(ip4(udp(), UDP, fragment=3)),
    "first_fragment_udp6": eth(ip6(fragment_header(UDP, 0, 1) + udp(), FRAGMENT), 0x86dd),
    "later_fragment_udp6": eth(ip6(fragment_header(UDP, 5, 0) + udp(), FRAGMENT), 0x86dd),
    # Cut off in the middle of a header.
    "cut_ip4": eth(ip4(tcp(), TCP)[:19]),
    "cut_tcp4": eth(ip4(tcp()[:19], TCP)),
    "cut_udp4": eth(ip4(udp()[:7], UDP)),
    "cut_ip6": eth(ip6(tcp(), TCP)[:39], 0x86dd),
    "cut_udp6": eth(ip6(udp()[:7], UDP), 0x86dd),
    "cut_extension6": eth(ip6(extension(TCP)[:7], 60), 0x86dd),
    "cut_arp": eth(arp()[:27], 0x0806),
    "only_eth": eth(b"", 0x0800),
    # Nonsense.
    "bad_version4": eth(ip4(tcp(), TCP, version=5)),
    "bad_words4": eth(ip4(tcp(), TCP, words=4)),
    "long_words4": eth(ip4(tcp(), TCP, words=15)),
    "short_length4": eth(ip4(tcp(), TCP, length=30)),
    "zero_length4": eth(ip4(tcp(), TCP, length=0)),
    "bad_words_tcp4": eth(ip4(tcp(words=4), TCP)),
    "long_words_tcp4": eth(ip4(tcp(words=15), TCP)),
    "bad_version6": eth(ip6(tcp(), TCP, version=4), 0x86dd),
    "short_length6": eth(ip6(tcp(), TCP, length=10), 0x86dd),
    # The kernel drops it before tc looks.
    "cut_vlan": eth(b"\0", 0x8100),
}


def send(interface, counts):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((interface, 0))
        sent = 0
        for kind, count in counts:
            for _ in range(count):
                out.send(KINDS[kind])
                sent += 1
                if sent % 64 == 0:
                    time.sleep(0.001)  # queues are short
    time.sleep(0.3)


def read_counts(text):
    counts = []
    for word in text.split(","):
        kind, _, count = word.partition("=")
        counts.append((kind, int(count or 1)))
    return counts


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def run(counts, command, is_at_sender):
    names = [f"awl{os.getpid()}{side}" for side in "rs"]
    receiver, sender = names
    try:
        for name in names:
            ip("netns", "add", name)
            inside = ["nsenter", "--net=/run/netns/" + name]
            for which in ("default", "all"):
                path = f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6"
                subprocess.run(inside + ["sh", "-c", "echo 1 > " + path], check=True)
        ip("-n", receiver, "link", "add", "awl0", "type", "veth", "peer", "name", "awl1", "netns", sender)
        ip("-n", receiver, "link", "set", "awl0", "up")
        ip("-n", sender, "link", "set", "awl1", "up")
        sending = f"nsenter --net=/run/netns/{sender} {sys.executable} {os.path.abspath(__file__)} --send awl1 {counts}"
        place = sender if is_at_sender else receiver
        return subprocess.run(["nsenter", "--net=/run/netns/" + place, *command, "-c", sending]).returncode
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name])


if __name__ == "__main__":
    if sys.argv[1] == "--send":
        send(sys.argv[2], read_counts(sys.argv[3]))
    else:
        is_at_sender = sys.argv[1] == "--at-sender"
        arguments = sys.argv[1 + is_at_sender:]
        if not arguments[0]:
            arguments[0] = ",".join(KINDS)
        sys.exit(run(arguments[0], arguments[1:], is_at_sender))
