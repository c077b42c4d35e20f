"""Malformed archives: zip and tar files that lie, are damaged, or are made to do harm."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tarfile
import warnings
import zipfile
from typing import Any

import damage
from damage import Files, Makers

TEXTS = {f"{at}.txt": " ".join(damage.words(20, at)).encode() for at in range(8)}
WHEN = (2020, 1, 1, 0, 0, 0)


def good(count: int = 40) -> Files:
    return {"good.zip": zipped({f"good-{at:02d}.txt": " ".join(damage.words(20, 500 + at)).encode() for at in range(count)})}


def zipped(files: Files | None = None, packing: int = zipfile.ZIP_DEFLATED, **told: Any) -> bytes:
    """With fixed times; what is `told` is said of each file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, data in (TEXTS if files is None else files).items():
            info = zipfile.ZipInfo(name, WHEN)
            info.compress_type = packing
            for key, value in told.items():
                setattr(info, key, value)
            archive.writestr(info, data)
    return buffer.getvalue()


def tarred(files: Files | None = None, **told: Any) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in (TEXTS if files is None else files).items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in told.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def header(data: bytes, at: int, value: bytes, mark: bytes = b"PK\x01\x02") -> bytes:
    """`data` with bytes put `at` a place behind the first `mark`, of the table of contents unless said otherwise."""
    start = data.index(mark) + at
    return data[:start] + value + data[start + len(value) :]


def both(first: Files, second: Files) -> bytes:
    """A zip in which names may stand twice."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(buffer, "w") as archive:
        for name, data in [*first.items(), *second.items()]:
            archive.writestr(zipfile.ZipInfo(name, WHEN), data)
    return buffer.getvalue()


def zips() -> Files:
    plain, stored = zipped(), zipped(packing=zipfile.ZIP_STORED)
    nested = zipped({"inner.zip": zipped({"inner.zip": zipped({"a.txt": b"words"})})})
    end = plain.rindex(b"PK\x05\x06")
    far = {"a.txt": b"fine words", "../../outside.txt": b"x y", "/absolute.txt": b"x y", "C:\\windows.txt": b"x y"}
    return {
        "outside.zip": zipped(far),
        "backslashes.zip": zipped({"..\\..\\outside.txt": b"x y", "a.txt": b"fine words"}),
        "links.zip": zipped({"a.txt": b"/etc/passwd"}, external_attr=0o120777 << 16),
        "devices.zip": zipped({"a.txt": b"x"}, external_attr=0o020666 << 16),
        "nested.zip": zipped({**TEXTS, "inner.zip": nested, "inner.tar.gz": b"\x1f\x8b"}),
        "only-nested.zip": nested,
        "names-twice.zip": both(TEXTS, {"0.txt": b"other words", "1.txt": b"more words"}),
        "names-but-for-case.zip": zipped({"a.txt": b"fine words", "A.TXT": b"other words"}),
        "name-of-60000-letters.zip": zipped({"x" * 60_000 + ".txt": b"fine words"}),
        "name-empty.zip": zipped({"": b"x", "a.txt": b"fine words"}),
        "name-with-newlines.zip": zipped({"a\nb\r\x1b[31m.txt": b"fine words"}),
        "name-of-dots.zip": zipped({".": b"x", "..": b"x", "a.txt": b"fine words"}),
        "name-no-utf-8.zip": zipped({"aéb.txt": b"fine words"}).replace("é".encode(), b"\xff\xfe"),
        "bad-checksum.zip": header(plain, 16, b"\1\2\3\4"),
        "bad-data.zip": stored.replace(TEXTS["3.txt"][:20], b"x" * 20),
        "encrypted.zip": header(header(plain, 8, b"\1\0"), 6, b"\1\0", b"PK\x03\x04"),
        "unknown-packing.zip": header(plain, 10, struct.pack("<H", 99)),
        "size-of-4-gb.zip": header(plain, 24, b"\xff\xff\xff\xfe"),
        "packed-size-of-4-gb.zip": header(plain, 20, b"\xff\xff\xff\xfe"),
        "starts-elsewhere.zip": header(plain, 42, b"\xff\xff\xff\x7f"),
        "all-at-one-place.zip": header(plain, 42, b"\0\0\0\0"),
        "contents-elsewhere.zip": plain[: end + 16] + b"\xff\xff\xff\x7f" + plain[end + 20 :],
        "contents-of-65535.zip": plain[: end + 8] + b"\xff\xff\xff\xff" + plain[end + 12 :],
        "zip64-lies.zip": plain[:end]
        + b"PK\x06\x06"
        + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, *[2**62] * 4)
        + b"PK\x06\x07"
        + struct.pack("<IQI", 0, end, 1)
        + plain[end : end + 8]
        + b"\xff" * 12
        + plain[end + 20 :],
        "comment-longer.zip": plain[:-2] + b"\xff\xff",
        "bytes-before.zip": damage.noise(500) + plain,
        "empty.zip": b"",
        "no-files.zip": zipped({}),
        "only-folders.zip": zipped({"a/": b"", "b/": b""}),
        "only-hidden.zip": zipped({".a.txt": b"x", "__MACOSX/._b": b"x"}),
        "kinds-mixed.zip": zipped({"a.txt": b"fine words", "b.png": b"\x89PNG\r\n\x1a\n", "c.wav": b"RIFF"}),
        "tables-inside.zip": zipped({"a.csv": b"text,label\nalpha,1\n"}),
        "programs-inside.zip": zipped({"a.exe": b"MZ", "b.dll": b"MZ"}),
        "tar-in-truth.zip": tarred(),
        "noise-in-truth.zip": damage.noise(5000),
        "text-in-truth.zip": b"just words",
    }


def tars() -> Files:
    plain = tarred()
    packed = gzip.compress(plain, mtime=0)
    sparse = tarfile.TarInfo("sparse.txt")
    sparse.type, sparse.size = tarfile.GNUTYPE_SPARSE, 2**40
    huge = tarfile.TarInfo("huge.txt")
    huge.size = 2**40
    negative = bytearray(tarfile.TarInfo("negative.txt").tobuf(tarfile.GNU_FORMAT))
    negative[124:136] = b"\xff" * 12
    negative[148:156] = b"%06o\0 " % (sum(negative[:148]) + 256 + sum(negative[156:]))
    return {
        "outside.tar": tarred({"../outside.txt": b"x y", "/absolute.txt": b"x y", "a.txt": b"fine words"}),
        "link.tar": tarred({"a.txt": b""}, type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        "hard-link.tar": tarred({"a.txt": b""}, type=tarfile.LNKTYPE, linkname="../../etc/passwd"),
        "pipe.tar": tarred({"a.txt": b""}, type=tarfile.FIFOTYPE),
        "device.tar": tarred({"a.txt": b""}, type=tarfile.CHRTYPE),
        "sparse.tar": sparse.tobuf(tarfile.GNU_FORMAT) + bytes(2000),
        "size-of-1-tb.tar": huge.tobuf(tarfile.GNU_FORMAT) + bytes(2000),
        "size-negative.tar": bytes(negative) + bytes(2000),
        "bad-header.tar": plain[:1024] + b"\xee" * 512 + plain[1536:],
        "bad-checksum.tar.gz": packed[:-8] + bytes(8),
        "gzip-in-gzip.tar.gz": gzip.compress(packed, mtime=0),
        "nested.tar": tarred({"inner.tar": plain, "a.txt": b"fine words"}),
        "names-twice.tar": plain[:-10240] + tarred({"0.txt": b"other words"}) if len(plain) > 10240 else plain,
        "name-no-utf-8.tar": tarred({"a.txt": b"fine words"}).replace(b"a.txt", b"\xff.txt"),
        "empty.tar": b"",
        "no-files.tar": tarred({}),
        "zip-in-truth.tar": zipped(),
        "noise-in-truth.tar.gz": damage.noise(5000),
        "text-in-truth.tar": b"just words " * 99,
        "dictionary-of-4-gb.tar.xz": b"\xfd7zXZ\0" + damage.noise(900),
    }


def heavy() -> Makers:
    """Bombs, and what is very many."""
    long = tarfile.TarInfo("long")
    long.type, long.size = tarfile.GNUTYPE_LONGNAME, 200_000_000
    return {
        "bomb.zip": lambda: zipped({"bomb.txt": bytes(120_000_000)}),
        "bomb-of-many.zip": lambda: zipped({f"{at}.txt": bytes(30_000_000) for at in range(5)}),
        "nested-bomb.zip": lambda: zipped({f"{at}.zip": zipped({"zeros.txt": bytes(30_000_000)}) for at in range(2)}),
        "files-20000.zip": lambda: zipped({f"{at}.txt": b"" for at in range(20_000)}),
        "name-of-200-mb.tar.gz": lambda: gzip.compress(long.tobuf(tarfile.GNU_FORMAT) + b"x" * 200_000_000, mtime=0),
        "bomb.tar.gz": lambda: gzip.compress(tarred({"bomb.txt": bytes(120_000_000)}), mtime=0),
        "bomb.tar.xz": lambda: lzma.compress(tarred({"bomb.txt": bytes(120_000_000)}), preset=0),
        "zeros.tar.gz": lambda: gzip.compress(bytes(120_000_000), mtime=0),
    }


def bad() -> Files:
    whole = {"texts.zip": zipped(), "texts.tar": tarred()}
    whole |= {"texts.tgz": gzip.compress(tarred(), mtime=0), "texts.txz": lzma.compress(tarred())}
    return damage.cut(whole, (0.02, 0.5, 0.9)) | damage.flipped(whole, 6, 12) | damage.swollen(whole) | zips() | tars()
