"""Cells of a table as numbers, with a decimal point or a decimal comma, and what stands for a missing one."""

from __future__ import annotations

import re

from aigc_models.errors import Unreadable

MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "--", "?", "#n/a", "missing", "nil"}
_FORMULA = re.compile(r"\s*(?:[=@]|[+-].*[(|!])", re.DOTALL)
_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would compute a cell with this text, or have another program do so.

    >>> is_formula("=cmd|' /C calc'!A0"), is_formula("-5"), is_formula("-2+SUM(A1)"), is_formula("a=b")
    (True, False, True, False)
    """
    return bool(_FORMULA.match(text))


def no_formula(text: str) -> str:
    """The text for a cell of a csv, quoted as spreadsheets do it where it would be computed."""
    return f"'{text}" if is_formula(text) else text


def is_number(text: str) -> bool:
    """Whether it is a number with a decimal point, or with none."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_value(text: str) -> bool:
    """Whether it is a number, also with a decimal comma, or stands for a missing one."""
    return is_number(text) or text.strip().lower() in MISSING or bool(_COMMA.fullmatch(text.strip()))


class Numbers:
    """Cells as numbers, all with a decimal point or all with a decimal comma."""

    def __init__(self) -> None:
        self.point = self.comma = ""  # where the first of each was seen
        self.commas = 0

    def value(self, cell: str, row: int, name: str) -> float:
        """NaN where it is missing or not finite; raises `Unreadable` for anything but a number."""
        try:
            value = float(cell)
        except ValueError:
            return self._other(cell.strip(), row, name)
        if not self.point and "." in cell:
            self.point = f"row {row} ({cell!r})"
            self._check()
        return value if abs(value) < float("inf") else float("nan")

    def _other(self, cell: str, row: int, name: str) -> float:
        if cell.lower() in MISSING:
            return float("nan")
        if not _COMMA.fullmatch(cell):
            raise Unreadable(f"row {row}: {cell!r} in the column {name!r} is not a number")
        if not self.comma:
            self.comma = f"row {row} ({cell!r})"
            self._check()
        self.commas += 1
        return float(cell.replace(",", "."))

    def _check(self) -> None:
        if self.point and self.comma:
            raise Unreadable(f"mixed decimal signs: {self.point} has a point, {self.comma} a comma; write all alike")
