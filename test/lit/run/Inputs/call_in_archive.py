# usage: call_in_archive.py ARCHIVE FILE FUNCTION COUNT
# Maps the code of FILE, which begins at byte 4096 of the archive, and calls FUNCTION(i, 2 * i) in
# it. The code must not need to be relocated.
import ctypes
import mmap
import struct
import sys

archive, path, function, count = sys.argv[1:]
with open(path, "rb") as file:
    elf = file.read()
# The symbol table is the section of type 2, its names those of the section that it links to.
sections, = struct.unpack_from("<Q", elf, 40)
number, = struct.unpack_from("<H", elf, 60)
table = [struct.unpack_from("<IIQQQQI", elf, sections + 64 * i) for i in range(number)]
symtab = next(section for section in table if section[1] == 2)
strings = table[symtab[6]][4]
for at in range(symtab[4], symtab[4] + symtab[5], 24):
    name, value = struct.unpack_from("<I4xQ", elf, at)
    if elf[strings + name:elf.index(b"\0", strings + name)].decode() == function:
        address = value
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
