"""usage: pcap.py FILE   counts the packets of a pcap file by IP version, protocol, and bytes captured of all."""
import collections
import struct
import sys

with open(sys.argv[1], "rb") as file:
    content = file.read()
magic, _, _, _, _, _, link = struct.unpack_from("=IHHiIII", content)
assert magic in (0xA1B2C3D4, 0xA1B23C4D), hex(magic)
kinds, at = collections.Counter(), 24
while at < len(content):
    _, fraction, captured, original = struct.unpack_from("=IIII", content, at)
    assert fraction < 10**9
    packet = content[at + 16:at + 16 + captured]
    version = packet[0] >> 4
    protocol = packet[6] if version == 6 else packet[9]
    kinds[f"of {version}, {protocol}, captured {captured} of {original}"] += 1
    at += 16 + captured
print(f"link {link}, {sum(kinds.values())} packets")
for kind, count in sorted(kinds.items()):
    print(count, kind)
