"""Malformed tables of texts: csv, tsv, json, jsonl, parquet and Arrow."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import damage
import pyarrow
from damage import Files, Makers
from pyarrow import parquet

MB = 1_000_000
TEXTS = [" ".join(damage.words(8, at)) for at in range(30)]
FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1:A9)", "\t=1+1", '=HYPERLINK("http://x","y")']


def good(count: int = 40) -> Files:
    return {"good.csv": csv(*[[" ".join(damage.words(9, at)), "01"[at % 2]] for at in range(1000, 1000 + count)])}


def csv(*rows: list[str], header: str = "text,label", newline: str = "\n") -> bytes:
    quoted = [",".join(f'"{cell}"' for cell in row) for row in rows]
    return newline.join([header, *quoted, ""]).encode()


def csvs() -> Files:
    rows = [[text, "01"[at % 2]] for at, text in enumerate(TEXTS)]
    plain = csv(*rows)
    return {
        "ragged.csv": plain + b"only one\n1,2,3,4\n,\n",
        "all-ragged.csv": b"text,label\na,b,c\nd\ne,f,g,h\n",
        "duplicate-columns.csv": b"text,text\na,b\n",
        "duplicate-but-for-blanks.csv": b"text, text\nalpha,beta\n",
        "empty-column-names.csv": b",,\na,b,c\n",
        "no-header.csv": b"1,2\n3,4\n",
        "only-header.csv": b"text,label\n",
        "only-newlines.csv": b"\n\r\n\n",
        "empty.csv": b"",
        "blank.csv": b"   ",
        "only-a-mark.csv": b"\xef\xbb\xbf",
        "newlines-mixed.csv": b"text,label\nalpha beta,1\r\ngamma delta,0\repsilon zeta,1\n",
        "nul-inside.csv": b"text,label\nal\0pha,1\nbeta,0\n",
        "nul-in-header.csv": b"te\0xt,label\nalpha,1\n",
        "nul-alone.csv": b"\0" * 300,
        "quote-never-closes.csv": b'text,label\n"alpha,1\n' + plain[11:],
        "quote-inside.csv": b'text,label\nal"pha,1\n"be"ta,0\n',
        "quotes-100000.csv": b"text,label\n" + b'"' * 100_001 + b",1\n",
        "formulas.csv": csv(*[[text.replace('"', '""'), "=1+1"] for text in FORMULAS]),
        "formula-header.csv": b"=cmd|' /C calc'!A0,label\nalpha,1\nbeta,0\n",
        "surrogates.csv": b"text,label\nlone \xed\xa0\x80 here,1\nbeta gamma,0\n",
        "latin-cell.csv": b"text,label\ncaf\xe9,1\nbeta gamma,0\n",
        "utf-16-cut.csv": plain.decode().encode("utf-16")[:-1],
        "utf-16-odd-mark.csv": b"\xff\xfe" + plain,
        "utf-32.csv": plain.decode().encode("utf-32"),
        "cut.csv": plain[: len(plain) * 2 // 3],
        "tabs-in-commas.csv": b"text\tlabel\nalpha,1\nbeta\t0\n",
        "numbers-only.csv": b"a,b\n1,2\n3,4\n",
        "two-texts.csv": b"one,two\nalpha,beta\ngamma,delta\n",
        "photo-in-truth.csv": b"\x89PNG\r\n\x1a\n" + damage.noise(900),
        "noise-in-truth.csv": damage.noise(3000),
        "workbook-in-truth.csv": b"PK\3\4" + damage.noise(900),
        "html-in-truth.csv": b"<!DOCTYPE html>\n<html><body>Not found, sorry</body></html>\n",
        "path-outside.csv": b"file,label\n../../../../etc/passwd.png,1\n/etc/passwd.png,0\n",
        "commas.tsv": b"text,label\nalpha,1\nbeta,0\n",
        "ragged.tsv": b"text\tlabel\nalpha\t1\nbeta\n\tb\tc\n",
    }


def jsons() -> Files:
    rows = [{"text": text, "label": "01"[at % 2]} for at, text in enumerate(TEXTS)]
    plain = json.dumps(rows).encode()
    many = b'{"' + b'":{"'.join([b"k"] * 30) + b'":"deep text"' + b"}" * 30
    return {
        "cut.json": plain[: len(plain) // 2],
        "deep-lists.json": b"[" * 100_000 + b"]" * 100_000,
        "deep-objects.json": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "thirty-deep.json": b"[" + many + b"]",
        "sixty-deep.json": b'[{"text":"fine words"},' + b'{"a":' * 60 + b'"x"' + b"}" * 60 + b"]",
        "number-of-5000-digits.json": b'[{"text":"a b","n":' + b"9" * 5000 + b"}]",
        "exponent.json": b'[{"text":"a b","n":1e999999999}]',
        "not-a-number.json": b'[{"text":"fine words","n":NaN},{"text":"more words","n":-Infinity}]',
        "lone-surrogates.json": b'[{"text":"lone \\ud800 here"},{"text":"\\udfff\\ud800"},{"text":"fine words"}]',
        "surrogate-key.json": b'[{"\\ud800":"alpha beta"},{"\\ud800":"gamma delta"}]',
        "nul-escaped.json": b'[{"text":"nul \\u0000 here"},{"text":"fine words"}]',
        "nul-alone.json": b"\0" * 300,
        "duplicate-keys.json": b'[{"text":"first words","text":"second words"}]',
        "dotted-key-twice.json": b'[{"a.b":"words here","a":{"b":"other words"}},{"a.b":"fine words"}]',
        "empty.json": b"",
        "empty-list.json": b"[]",
        "list-of-numbers.json": b"[1,2,3]",
        "list-of-lists.json": b'[["a","b"]]',
        "null.json": b"null",
        "a-word.json": b'"word"',
        "objects-and-numbers.json": b'[{"text":"fine words"},7,null,"word",[1]]',
        "one-a-line.json": b'{"text":"alpha"}\n{"text":"beta"}\n',
        "comments.json": b'[{"text":"alpha"} // no\n]',
        "single-quotes.json": b"[{'text':'alpha'}]",
        "trailing-comma.json": b'[{"text":"alpha"},]',
        "latin.json": b'[{"text":"caf\xe9 au lait"},{"text":"fine words"}]',
        "utf-16.json": plain.decode().encode("utf-16"),
        "noise.json": damage.noise(999),
        "html-in-truth.json": b"<html></html>",
        "two-arrays.json": b'{"a":[{"text":"x y"}],"b":[{"text":"z w"}]}',
        "bad-lines.jsonl": b'{"text":"fine words"}\nnot json\n{"text":\n[1]\n7\n{"text":"more words"}\n\0\n',
        "deep-line.jsonl": b'{"text":"fine words"}\n' + b"[" * 100_000 + b"\n" + b'{"a":' * 100_000 + b"\n",
        "huge-number.jsonl": b'{"text":"fine words","n":1}\n{"text":"other words","n":' + b"9" * 100_000 + b"}\n",
        "no-object.jsonl": b"1\n2\n3\n",
        "types-mixed.jsonl": b'{"text":"fine words"}\n{"text":7}\n{"text":null}\n{"text":["a"]}\n{"text":true}\n',
        "lone-surrogates.jsonl": b'{"text":"lone \\ud800 here"}\n{"text":"fine words"}\n',
        "latin.jsonl": b'{"text":"caf\xe9 au lait"}\n{"text":"fine words"}\n',
        "mark-and-crlf.jsonl": b'\xef\xbb\xbf{"text":"fine words"}\r\n{"text":"more words"}\r\n',
        "separators-inside.jsonl": '{"text":"line\u2028separator\x85here"}\n{"text":"fine words"}\n'.encode(),
        "empty.jsonl": b"",
        "noise.jsonl": damage.noise(3000),
    }


def table(**columns: Any) -> pyarrow.Table:
    return pyarrow.table(columns or {"text": TEXTS, "label": ["01"[at % 2] for at in range(len(TEXTS))]})


def as_parquet(data: pyarrow.Table, **options: Any) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(data, buffer, **options)
    return buffer.getvalue()


def as_arrow(data: pyarrow.Table, stream: bool = False) -> bytes:
    buffer = io.BytesIO()
    with (pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file)(buffer, data.schema) as writer:
        writer.write_table(data)
    return buffer.getvalue()


def repeated(count: int) -> pyarrow.Table:
    """A column of one long value, over and over: small in the file, large in memory."""
    values = pyarrow.DictionaryArray.from_arrays(
        pyarrow.array([0] * count, pyarrow.int32()), pyarrow.array(["word " * 400_000])
    )
    return pyarrow.table({"text": values})


def columnar() -> Files:
    plain, arrow, stream = as_parquet(table()), as_arrow(table()), as_arrow(table(), stream=True)
    whole = {"texts.parquet": plain, "packed.parquet": as_parquet(table(), compression="zstd")}
    whole |= {"texts.arrow": arrow, "stream.arrow": stream}
    found = damage.cut(whole, (0.02, 0.5, 0.9)) | damage.flipped(whole, 7, 12) | damage.swollen(whole)
    twice = pyarrow.Table.from_arrays([pyarrow.array(["a b"]), pyarrow.array(["c d"])], names=["text", "text"])
    length = plain[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1"
    offsets = bytearray(arrow)
    at = arrow.index(TEXTS[0].encode()) - 8  # the last of the offsets of the texts
    offsets[at : at + 4] = struct.pack("<i", 2**31 - 1)
    return found | {
        "footer-of-2-gb.parquet": length,
        "footer-of-nothing.parquet": plain[:-8] + bytes(4) + b"PAR1",
        "only-magic.parquet": b"PAR1PAR1",
        "encrypted.parquet": plain[:-4] + b"PARE",
        "empty.parquet": b"",
        "no-rows.parquet": as_parquet(table(text=pyarrow.array([], pyarrow.string()))),
        "no-columns.parquet": as_parquet(pyarrow.table({})),
        "duplicate-columns.parquet": as_parquet(twice),
        "all-null.parquet": as_parquet(table(text=pyarrow.nulls(9))),
        "some-null.parquet": as_parquet(table(text=["fine words", None, "more words", ""])),
        "nested.parquet": as_parquet(table(text=[{"a": {"b": "words"}}], other=[[["x"]]])),
        "bytes-no-text.parquet": as_parquet(table(text=[b"\xff\xfe\0binary", b"\x89PNG\r\n\x1a\n", b"plain"])),
        "csv-in-truth.parquet": csv(["alpha", "1"]),
        "offset-of-2-gb.arrow": bytes(offsets),
        "only-magic.arrow": b"ARROW1\0\0ARROW1",
        "empty.arrow": b"",
        "message-of-2-gb.arrow": b"\xff\xff\xff\xff" + struct.pack("<I", 2**31 - 1) + stream[8:],
        "duplicate-columns.arrow": as_arrow(twice),
        "noise.arrow": damage.noise(3000),
    }


def heavy() -> Makers:
    """Those that are large, or unpack to much."""
    wide = {f"c{at}": "word" for at in range(100_000)}
    return {
        "quote-never-closes-20-mb.csv": lambda: b'text,label\n"alpha,1\n' + b"word word word,0\n" * 1_200_000,
        "wide.csv": lambda: "\n".join([",".join(wide)] * 2).encode(),
        "million-columns.csv": lambda: b"," * MB + b"\n" + b"x," * MB + b"x\n",
        "one-line-10-mb.csv": lambda: b"text\n" + b"word " * 2 * MB,
        "one-cell-10-mb.csv": lambda: b'text,label\n"' + b"word\n" * 2 * MB + b'",1\n',
        "lines-2-million.csv": lambda: b"text\n" + b"\n" * 2 * MB,
        "deep-10-mb.json": lambda: b"[" * 10 * MB,
        "one-string-10-mb.json": lambda: b'[{"text":"' + b"word " * 2 * MB + b'"}]',
        "one-line-2-mb.json": lambda: json.dumps([{"text": f"word {at}"} for at in range(40_000)]).encode(),
        "columns-100000.json": lambda: json.dumps([{"inside": wide}]).encode(),
        "number-of-10-mb.json": lambda: b'[{"n":' + b"9" * 10 * MB + b"}]",
        "one-line-10-mb.jsonl": lambda: b'{"text":"fine words"}\n{"text":"' + b"word " * 2 * MB + b'"}\n',
        "columns-each-new.jsonl": lambda: b"".join(b'{"text":"words %d","c%d":1}\n' % (at, at) for at in range(20_000)),
        "repeated-1200-mb.parquet": lambda: as_parquet(repeated(600)),
        "packed-300-mb.parquet": lambda: as_parquet(
            repeated(150).cast(pyarrow.schema([("text", pyarrow.string())])), compression="zstd", use_dictionary=False
        ),
        "runs-of-a-billion.parquet": lambda: as_parquet(
            table(n=pyarrow.nulls(3_000_000, pyarrow.int8()), text=pyarrow.nulls(3_000_000))
        ),
        "columns-5000.parquet": lambda: as_parquet(pyarrow.table({f"c{at}": ["x"] for at in range(5000)})),
        "repeated-200-mb.arrow": lambda: as_arrow(repeated(100)),
    }


def bad() -> Files:
    return csvs() | jsons() | columnar()
