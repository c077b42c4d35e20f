"""A folder whose files are tables of one shape, as one table: its rows in the order of the files' names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from aigc_models.errors import BadInput, unusable
from tasks.ingest.readers import files, headers, rows, tables
from tasks.ingest.source import RawItem, SourceSettings
from tasks.ingest.sources import json

JSON = ".json"  # in other company a text or a tune
ALIKE = 0.5  # share of the keys of two files of JSON that both have, since objects may leave keys out
OPEN = (JSON, ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Shape:
    """The columns of some of the files, by name."""

    columns: tuple[str, ...]
    files: tuple[str, ...]

    def takes(self, columns: Sequence[str], file: str) -> bool:
        """Whether a file with these columns is of this shape."""
        both, all_of_them = set(columns) & set(self.columns), set(columns) | set(self.columns)
        return both == all_of_them or (file.endswith(OPEN) and len(both) >= ALIKE * len(all_of_them))

    def described(self) -> str:
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return f"{self.files[0]}{more} with {headers.listed(self.columns)}"


def suits(paths: Sequence[Path]) -> bool:
    """Whether these files are all tables, by their suffixes and, of JSON, by what the first holds."""
    suffixes = {path.suffix.lower() for path in paths}
    if suffixes == {JSON}:
        try:
            return bool(json.objects(paths[0]))
        except BadInput:
            return False
    return bool(suffixes) and suffixes <= set(files.tables())


def modality(paths: Sequence[Path], source: SourceSettings) -> str:
    """What the rows of the first of them are; raises `BadInput` where the files have several shapes."""
    source = source.model_copy(update={"split": None}) if source.split == "folder" else source
    shape, first = _one_shape(paths, source)
    return rows.modality(_rows(shape, source), list(shape.columns), _alone(source, first))


def items(paths: Sequence[Path], source: SourceSettings, modality: str, unchanged: Collection[str] = ()) -> Iterator[RawItem]:
    """The rows of each file but the unchanged; of one that cannot be read an item without content."""
    source.labels.needs(("column", "name"), source.location)
    folders = source.split == "folder"
    source = source.model_copy(update={"split": None}) if folders else source
    shape, first = _one_shape(paths, source)
    columns = list(shape.columns)
    head = rows.beginning(_rows(shape, source))
    named = rows.settled(head, columns, _alone(source, first))
    for path in paths:
        name = path.relative_to(source.root).as_posix()
        if name in unchanged:
            continue
        if not _holds_bytes(path):
            yield RawItem(b"", path.name, name)
            continue
        one = named.model_copy(update={"location": str(path)})
        try:
            for item in rows.items(_table(source, path)[0], columns, one, modality):
                part = files.split_of(name) if folders else item.split
                yield replace(item, source=name + item.source.removeprefix(path.name), split=part)
        except BadInput as error:
            yield RawItem(b"", unusable(path.name, str(error)), name)


def _rows(shape: Shape, source: SourceSettings) -> Iterator[rows.Row]:
    """Those of all files of the shape; each is opened when its turn comes."""
    return chain.from_iterable(_table(source, source.root / name)[0] for name in shape.files)


def _one_shape(paths: Sequence[Path], source: SourceSettings) -> tuple[Shape, Path]:
    """The shape of the files and the first that can be read; raises `BadInput` where there are several, or none can be."""
    shapes: list[Shape] = []
    problem: BadInput | None = None
    for path in list(filter(_holds_bytes, paths)) or paths:
        try:
            _, columns = _table(source, path)
        except BadInput as error:
            problem = problem or error
            continue
        _sort_in(shapes, columns, path.relative_to(source.root).as_posix())
    if not shapes:
        raise problem or BadInput(f"{source.location} holds no table")
    if len(shapes) > 1:
        listed = "; ".join(shape.described() for shape in shapes[: headers.SHOWN])
        raise BadInput(
            f"{source.location} holds tables of {len(shapes)} shapes: {listed}; name one of the files, or those of one shape "
            f"by a pattern such as '{source.root / '*'}{paths[0].suffix}'"
        )
    return shapes[0], source.root / shapes[0].files[0]


def _holds_bytes(path: Path) -> bool:
    return path.stat().st_size > 0


def _sort_in(shapes: list[Shape], columns: Sequence[str], file: str) -> None:
    """Add a file to the shape that takes it, or as a new one."""
    for at, shape in enumerate(shapes):
        if shape.takes(columns, file):
            shapes[at] = Shape(tuple(dict.fromkeys([*shape.columns, *columns])), (*shape.files, file))
            return
    shapes.append(Shape(tuple(columns), (file,)))


def _table(source: SourceSettings, path: Path) -> tuple[Iterator[rows.Row], list[str]]:
    one = _alone(source, path)
    return json.table(one, path) if path.suffix.lower() == JSON else tables.table(one, path)


def _alone(source: SourceSettings, path: Path) -> SourceSettings:
    return source.model_copy(update={"location": str(path)})
