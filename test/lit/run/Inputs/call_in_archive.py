# usage: call_in_archive.py ARCHIVE FILE FUNCTION COUNT
# Maps the code of FILE, which begins at byte 4096 of the archive, and calls FUNCTION(i, 2 * i) in
# it. The code must not need to be relocated.
import ctypes
import mmap
import struct
import subprocess
import sys

archive, path, function, count = sys.argv[1:]
symbols = subprocess.run(["nm", path], capture_output=True, text=True).stdout
address = next(int(line.split()[0], 16) for line in symbols.splitlines() if line.endswith(" " + function))
with open(path, "rb") as file:
    elf = file.read()
headers, = struct.unpack_from("<Q", elf, 32)
number, = struct.unpack_from("<H", elf, 56)
for i in range(number):
    kind, flags, start, virtual, _, size = struct.unpack_from("<IIQQQQ", elf, headers + 56 * i)
    if kind == 1 and virtual <= address < virtual + size:
        offset = address - virtual + start
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
with open(archive, "rb") as file:
    page = offset // 4096 * 4096
    base = libc.mmap(None, 8192, mmap.PROT_READ | mmap.PROT_EXEC, mmap.MAP_PRIVATE, file.fileno(), 4096 + page)
call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int)(base + offset - page)
for i in range(int(count)):
    call(i, 2 * i)
