"""Lines of a table as rows of cells, where a stray quotation mark must not make one row of several lines."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _csv import Reader

PROSE = ","  # a separator that texts hold too: there a quoted text of several lines may look like rows


@dataclass
class Lines:
    """Lines that are remembered until a row has been made of them."""

    source: Iterable[str]
    taken: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        for line in self.source:
            self.taken.append(line)
            yield line


@dataclass
class Rows:
    """The rows of a table; `strays` are the numbers of the lines in which a mark opens that would swallow other rows."""

    lines: Lines
    reader: Callable[[Iterable[str]], Reader]
    delimiter: str
    quote: str
    line: int = 0
    strays: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[list[str]]:
        width = 0
        for cells in self.reader(self.lines):
            taken, self.lines.taken = self.lines.taken, []
            first, self.line = self.line + 1, self.line + len(taken)
            width = width or len(cells)
            if len(taken) > 1 and self._swallowed(taken, width):
                self.strays.append(first)
                yield from (line.rstrip("\r\n").split(self.delimiter) for line in taken if line.strip())
            elif cells:
                yield cells

    def _swallowed(self, taken: list[str], width: int) -> bool:
        """Whether each of the lines has the cells of a row, and the mark that closes is not at the end of a cell."""
        if width < 2 or any(line.count(self.delimiter) != width - 1 for line in taken if line.strip()):
            return False
        return self.delimiter != PROSE or not self._closed("".join(taken))

    def _closed(self, text: str) -> bool:
        try:
            list(csv.reader(text.splitlines(keepends=True), delimiter=self.delimiter, quotechar=self.quote, strict=True))
        except csv.Error:
            return False
        return True
