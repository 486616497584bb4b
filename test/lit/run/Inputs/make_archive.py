# usage: make_archive.py ARCHIVE NAME FILE   (stores the file uncompressed, beginning on a page)
import sys
import zipfile

archive, name, path = sys.argv[1:]
with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
    entry = zipfile.ZipInfo(name)
    header = 30 + len(name)
    entry.extra = b"\0" * (4096 - header)
    with open(path, "rb") as file:
        out.writestr(entry, file.read())
