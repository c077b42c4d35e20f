"""Malformed series: tables of points whose times or values make no sense."""

from __future__ import annotations

import io
from datetime import date, timedelta

import damage
import numpy as np
import pyarrow
from damage import Files, Makers
from pyarrow import parquet

START = date(2020, 1, 1)


def days(count: int = 60, step: int = 1) -> list[str]:
    return [str(START + timedelta(days=at * step)) for at in range(count)]


def values(count: int, seed: int = 1) -> list[str]:
    walk = np.random.default_rng(seed).normal(0, 1, count).cumsum() + 20
    return [f"{value:.3f}" for value in walk]


def csv(times: list[str], *columns: list[str], header: str = "date,level") -> bytes:
    return "\n".join([header, *map(",".join, zip(times, *columns, strict=True)), ""]).encode()


def good(count: int = 40) -> Files:
    return {f"good-{at:02d}.csv": csv(days(), values(60, 100 + at)) for at in range(count)}


def times() -> Files:
    usual, level = days(), values(60)
    swapped = [*usual[:20], usual[30], *usual[21:30], usual[20], *usual[31:]]
    mixed = usual[:30] + [f"{day[8:]}.{day[5:7]}.{day[:4]}" for day in usual[30:]]
    return {
        "formats-mixed.csv": csv(mixed, level),
        "offsets-mixed.csv": csv([f"{day}T00:00:00{'Z' * (at % 2)}" for at, day in enumerate(usual)], level),
        "time-twice-same.csv": csv([*usual, usual[9]], [*level, level[9]]),
        "time-twice-other.csv": csv([*usual, usual[9]], [*level, "777"]),
        "one-time-throughout.csv": csv([usual[0]] * 60, level),
        "backward.csv": csv(usual[::-1], level),
        "out-of-order.csv": csv(swapped, level),
        "day-32.csv": csv([*usual[:-1], "2020-02-32"], level),
        "month-13.csv": csv([*usual[:-1], "2020-13-01"], level),
        "year-0.csv": csv(["0000-01-01", *usual[1:]], level),
        "year-9999.csv": csv([*usual[:-1], "9999-12-31"], level),
        "hour-25.csv": csv([*[f"{day}T12:00:00" for day in usual[:-1]], "2020-02-29T25:00:00"], level),
        "time-missing.csv": csv([*usual[:30], "", *usual[31:]], level),
        "time-not-a-number.csv": csv(["nan", *map(str, range(59))], level, header="time,level"),
        "time-infinite.csv": csv([*map(str, range(59)), "inf"], level, header="time,level"),
        "time-1e308.csv": csv([*map(str, range(59)), "1e308"], level, header="time,level"),
        "time-negative-1e308.csv": csv(["-1e308", *map(str, range(58)), "1e308"], level, header="time,level"),
        "steps-of-1e-300.csv": csv([f"{at}e-300" for at in range(60)], level, header="time,level"),
        "far-future-epoch.csv": csv([str(10**18 + at) for at in range(60)], level, header="time,level"),
        "uneven.csv": csv([str(at**3) for at in range(60)], level, header="time,level"),
        "two-points-far-apart.csv": csv(["0001-01-01", "9999-01-01"], ["1", "2"]),
        "one-point.csv": csv(usual[:1], level[:1]),
        "two-points.csv": csv(usual[:2], level[:2]),
        "ambiguous-days.csv": csv(["01/02/2020", "03/04/2020", "02/03/2020"], level[:3]),
        "unicode-digits.csv": csv(["٢٠٢٠-٠١-٠١", "٢٠٢٠-٠١-٠٢", "٢٠٢٠-٠١-٠٣"], level[:3]),
        "times-only.csv": csv(usual, header="date"),
        "milliseconds-and-days.csv": csv([f"{day}T00:00:00.{at:03d}" for at, day in enumerate(usual)], level),
        "gap-of-a-century.csv": csv([*usual[:-1], "2120-01-01"], level),
    }


def cells() -> Files:
    usual, level = days(), values(60)

    def with_cell(cell: str, at: int = 30) -> bytes:
        return csv(usual, [*level[:at], cell, *level[at + 1 :]])

    return {
        "text-in-numbers.csv": with_cell("broken"),
        "formula.csv": with_cell("=1+1"),
        "underscored.csv": with_cell("1_000"),
        "hexadecimal.csv": with_cell("0x1F"),
        "percent.csv": with_cell("12%"),
        "currency.csv": with_cell("$12"),
        "thousands.csv": with_cell('"1,234,567.8"'),
        "comma-and-point.csv": with_cell('"3,5"'),
        "unicode-minus.csv": with_cell("\u22125"),
        "exponent-999.csv": with_cell("1e999"),
        "exponent-308.csv": with_cell("1e308"),
        "both-extremes.csv": csv(usual, ["1.7e308", "-1.7e308"] * 30),
        "tiny.csv": csv(usual, ["1e-320", "2e-320"] * 30),
        "infinite.csv": csv(usual, ["inf", "-inf"] * 30),
        "not-a-number.csv": csv(usual, ["nan"] * 60),
        "missing-throughout.csv": csv(usual, [""] * 60),
        "missing-mostly.csv": csv(usual, ["1.5", *[""] * 58, "2.5"]),
        "one-channel-missing.csv": csv(usual, level, [""] * 60, header="date,level,flow"),
        "constant.csv": csv(usual, ["3"] * 60),
        "digits-5000.csv": with_cell("9" * 5000),
        "duplicate-columns.csv": csv(usual, level, level, header="date,level,level"),
        "duplicate-but-for-blanks.csv": csv(usual, level, level, header="date,level, level"),
        "time-twice-named.csv": csv(usual, usual, level, header="date,date,level"),
        "column-called-time.csv": csv(usual, values(60, 5), level, header="date,time,level"),
        "one-column.csv": csv(level, header="level"),
        "formula-header.csv": csv(usual, level, header="date,=cmd|' /C calc'!A0"),
        "newline-in-header.csv": csv(usual, level, header='date,"le\nvel"'),
        "empty-header.csv": csv(usual, level, header=","),
        "hash-header.csv": csv(usual, level, header="# date,level"),
        "no-header.csv": csv(usual[1:], level[1:], header=f"{usual[0]},1.0"),
        "ragged-short.csv": csv(usual, level) + b"2020-03-01\n",
        "ragged-long.csv": csv(usual, level) + b"2020-03-01,1,2\n",
        "nul-inside.csv": csv(usual, level).replace(b"2020-01-09", b"2020\0-01-09"),
        "latin-name.csv": csv(usual, level).replace(b"level", b"h\xf6he"),
        "cut.csv": csv(usual, level)[:-3],
        "newlines-mixed.csv": csv(usual, level).replace(b"\n", b"\r\n", 20).replace(b"9\r\n", b"9\r"),
    }


def typed() -> Files:
    """Parquet, whose columns have types."""

    def packed(**columns: object) -> bytes:
        buffer = io.BytesIO()
        parquet.write_table(pyarrow.table(columns), buffer)
        return buffer.getvalue()

    level = [float(value) for value in values(60)]
    stamps = pyarrow.array([at * 86_400_000_000_000 for at in range(60)], pyarrow.timestamp("ns", "UTC"))
    far = pyarrow.array([2**62 + at for at in range(60)], pyarrow.timestamp("us"))
    whole = {"levels.parquet": packed(date=stamps, level=level)}
    return (
        damage.flipped(whole, 6, 12)
        | damage.cut(whole, (0.5,))
        | {
            "times-beyond-years.parquet": packed(date=far, level=level),
            "times-null.parquet": packed(date=pyarrow.nulls(60, pyarrow.timestamp("s")), level=level),
            "times-nanoseconds.parquet": packed(date=pyarrow.array(range(60), pyarrow.timestamp("ns")), level=level),
            "not-finite.parquet": packed(date=stamps, level=[float("nan"), float("inf")] * 30),
            "decimals.parquet": packed(date=stamps, level=pyarrow.array([1] * 60).cast(pyarrow.decimal128(38, 10))),
            "booleans.parquet": packed(date=stamps, level=[True, False] * 30),
            "lists.parquet": packed(date=stamps, level=[[1.0, 2.0]] * 60),
            "durations.parquet": packed(date=pyarrow.array(range(60), pyarrow.duration("s")), level=level),
            "dates-and-times.parquet": packed(
                date=pyarrow.array(range(60), pyarrow.date32()), at=pyarrow.array(range(60), pyarrow.time64("ns")), level=level
            ),
        }
    )


def heavy() -> Makers:
    """Those that are large."""
    usual, level = days(), values(60)
    return {
        "channels-3000.csv": lambda: csv(usual, *[level] * 3000, header="date," + ",".join(f"c{at}" for at in range(3000))),
        "rows-a-million.csv": lambda: b"time,level\n" + b"".join(b"%d,%d\n" % (at, at % 97) for at in range(1_000_000)),
    }


def bad() -> Files:
    return times() | cells() | typed()
