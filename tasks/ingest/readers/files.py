"""Files of a folder or an archive as raw items: what kind each is, labels by folder, splits, long texts cut.

A file is known by its path relative to the source, with `/` between the parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache

from aigc_models.errors import BadInput, Unreadable, unusable
from aigc_models.find import find, names
from tasks.ingest.readers import charset, functions, magic, pieces, turns
from tasks.ingest.source import PACKAGE, RawItem, SourceSettings

ABOUT = ("readme", "license", "licence", "copying", "notice", "changelog", "source", "authors", "contributing", "citation")
NOTES = {stem + suffix for stem in ABOUT for suffix in ("", ".md", ".rst")}
NOTES |= {f"{stem}.{suffix}" for stem in ("readme", "license", "licence", "copying") for suffix in ("txt", "html", "pdf")}
NOTES |= {f"{stem}{suffix}" for stem in ("sha512sum", "sha256sum", "sha1sum", "md5sum", "checksum") for suffix in ("", "s")}
NOTES |= {f"{name}.txt" for name in NOTES if "sum" in name} | {"citation.cff", "thumbs.db", "desktop.ini"}
LINES, FUNCTIONS, TURNS = "lines", "functions", "turns"  # of the option `items`
LARGEST = 250_000_000  # bytes of a file: cut into items it takes three times as much memory
EMPTY = "empty"  # the kind of a file without content whose suffix says nothing
MAJORITY = 0.9  # of the files, which what lies beside them does not make mixed
HEAD = 4096  # bytes that are enough to tell what a file is whose suffix does not
CONTROL = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1a\x1b")  # bytes that no text has in an encoding of single ones
SPLITS = {"train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation"}
SPLITS |= {"dev": "validation", "test": "test", "testing": "test"}


@cache
def tables() -> tuple[str, ...]:
    """The suffixes of tables: those that the source plug-ins name in `TABLES`."""
    return tuple(suffix for name in names(PACKAGE) for suffix in getattr(find(PACKAGE, name), "TABLES", ()))


def content(paths: Iterable[str]) -> list[str]:
    """All but hidden files and, where anything else is there, notes on the content; by name."""
    seen = [path for path in paths if not path.startswith(".") and "/." not in path]
    return sorted([path for path in seen if base(path).lower() not in NOTES] or seen)


def too_large(size: int) -> str:
    """Why a file of this many bytes is left out; empty for one that is not."""
    return f"has {size / 1e6:,.0f} MB; the limit is {LARGEST / 1e6:,.0f} MB" if size > LARGEST else ""


def kind(path: str, head: Callable[[], bytes]) -> str:
    """The modality that a file's suffix names, or the suffix of a table; else what its bytes are: of a modality, text, or
    neither (the suffix, `binary` or `empty`)."""
    suffix = ending(path)
    named = _kind_of(suffix) if suffix else None
    if named:
        return named
    start = head()
    if suffix and not start:
        return EMPTY
    return magic.modality_of(start) or ("text" if is_text(start) else suffix or "binary")


def has_usual_ending(path: str) -> bool:
    """Whether a file's suffix says what it is."""
    return _kind_of(ending(path)) is not None


def ending(path: str) -> str:
    """The suffix of a file in lower case with its dot; empty where there is none.

    >>> ending("a/reviews.Pos"), ending("a.b/reviews"), ending("reviews.")
    ('.pos', '', '')
    """
    stem, dot, suffix = base(path).rpartition(".")
    return f"{dot}{suffix}".lower() if stem and suffix else ""


def is_text(head: bytes) -> bool:
    """Whether what a file begins with is text: a mark of UTF-16 or UTF-32, or no byte that texts do not have."""
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or (not CONTROL & set(head) and not head.startswith(b"%PDF"))


@cache
def _kind_of(suffix: str) -> str | None:
    if suffix in tables():
        return suffix
    modalities = {name: find("aigc_models.modalities", name) for name in names("aigc_models.modalities")}
    return next((name for name, modality in modalities.items() if suffix in modality.SUFFIXES), None)


def one_modality(kinds: Counter[str], location: str) -> str | None:
    """The one modality of all files, or of nearly all where the rest are no tables (texts tell of the pictures or sounds that
    they lie beside); None where all are tables; raises `BadInput` with what was found otherwise."""
    kinds = Counter({kind: count for kind, count in kinds.items() if kind != EMPTY}) or kinds
    kinds_readable = names("aigc_models.modalities")
    if len(kinds) == 1 and next(iter(kinds)) in kinds_readable:
        return next(iter(kinds))
    if kinds and set(kinds) <= set(tables()):
        return None
    most, count = kinds.most_common(1)[0] if kinds else ("", 0)
    if most in kinds_readable and most != "text" and count >= MAJORITY * kinds.total() and not set(kinds) & set(tables()):
        return most
    if not set(kinds) & set(kinds_readable):
        readable = f"{', '.join(kinds_readable)}, {', '.join(suffix.lstrip('.') for suffix in tables())}"
        raise BadInput(f"{location} holds {listed(kinds)}; what can be read is: {readable}")
    raise BadInput(
        f"{location} holds mixed kinds: {listed(kinds)}; say which to take with --modality {'|'.join(kinds_readable)}"
    )


def listed(kinds: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(8))


def check(source: SourceSettings, modality: str) -> None:
    """Raise `BadInput` for a way of labelling or a column that files do not have, or lines of what has none."""
    if modality != "text" and (by_lines(source) or source.options.get("items") in (FUNCTIONS, TURNS)):
        kind = source.options.get("items", LINES)
        raise BadInput(f"option items={kind} does not fit {source.location}: only texts have {kind}, and this is {modality}")
    source.labels.needs(("folder", "name", "line") if modality == "text" else ("folder", "name"), source.location)
    wrong = {purpose: column for purpose, column in source.columns.items() if (purpose, column) != ("split", "folder")}
    if wrong:
        raise BadInput(
            f"{source.location} has no columns, so --{next(iter(wrong))} does not fit; name a csv, jsonl or parquet file"
        )


def by_lines(source: SourceSettings) -> bool:
    """Whether each line of a text is an item."""
    return source.labels.kind == "line" or source.options.get("items") == LINES


def labels(paths: Collection[str], source: SourceSettings, modality: str) -> dict[str, str]:
    """Label of each folder that holds files: its name, or its path where names are not unique; splits are no part of it."""
    wanted = source.labels.kind == "folder" or (not source.labels.kind and modality != "text")
    folders = {parent(path) for path in paths} - {""} if wanted else set()
    parts = {folder: [part for part in folder.split("/") if part.lower() not in SPLITS] for folder in folders}
    whole = {folder: "/".join(left) for folder, left in parts.items() if left}
    unique = len(set(whole.values())) == len({base(path) for path in whole.values()})
    label_of = {folder: base(path) if unique else path for folder, path in whole.items()}
    if source.labels.kind == "folder" and not label_of:
        raise BadInput(f"{source.location} has no sub-folders to take labels from; leave out --label or use name:REGEX")
    return label_of


def parent(path: str) -> str:
    """The folder that a file is in, empty at the top."""
    return path.rpartition("/")[0]


def base(path: str) -> str:
    """The name of a file without its folder."""
    return path.rpartition("/")[2]


def split(path: str, source: SourceSettings) -> str | None:
    """What the first folder says, where the user wants it to."""
    return split_of(path) if source.split else None


def split_of(path: str) -> str | None:
    """The split that the first folder is named for."""
    return SPLITS.get(path.split("/")[0].lower())


def inside(item: RawItem, source: SourceSettings, modality: str, count: int) -> Iterator[RawItem]:
    """The items of one of `count` files: a text cut up, the tunes of a book of tunes, else the file as it is."""
    if item.unread is not None:
        yield item
        return
    if modality == "text":
        yield from documents(item, source, count)
        return
    plugin = find("aigc_models.modalities", modality)
    parts = plugin.parts(item.payload) if hasattr(plugin, "parts") else []
    if len(parts) < 2:
        yield item
        return
    counts = Counter(key for key, _, _ in parts)
    for number, (key, line, payload) in enumerate(parts, start=1):
        tune = key if key and counts[key] == 1 else f"{key}-{number}"
        name = f"{item.name} (tune {tune}, which begins at line {line})"
        yield replace(item, payload=payload, name=name, source=f"{item.source}#{tune}")


def documents(item: RawItem, source: SourceSettings, count: int) -> Iterator[RawItem]:
    """A text file as one item, as pieces if it is long and one of few, or as a line each, with a label of its own or of the
    file, or as the functions or turns in it.

    The pieces or functions of a file are a group, and so are the turns of a scene.
    """
    item = replace(item, payload=charset.as_utf_8(item.payload))  # decided for the file: a piece of it tells too little
    if by_lines(source):
        separator = source.labels.argument if source.labels.kind == "line" else None
        for number, text, stated in pieces.lines(item.payload, separator):
            label = stated if separator else item.label
            yield replace(item, payload=text, name=f"{item.name} line {number}", source=f"{item.source}#{number}", label=label)
        return
    text = pieces.plain(item.payload)
    if source.options.get("items") in (FUNCTIONS, TURNS):
        yield from _written(item, text, source.options["items"])
        return
    limit = pieces.limit(count, len(text))
    cut = pieces.cut(text, limit) if limit and len(text) > limit and b"\0" not in text else []
    if len(cut) < 2:
        yield item
        return
    for number, piece in enumerate(cut, start=1):
        origin = {"name": f"{item.name} piece {number}", "source": f"{item.source}#{number}", "group": item.source}
        yield replace(item, payload=piece, **origin)


def _written(item: RawItem, payload: bytes, kind: str) -> Iterator[RawItem]:
    """The functions of a file of Python, or the turns of a script; a file that is none is an item without content."""
    text = payload.decode("utf-8", "replace")
    try:
        if kind == FUNCTIONS:
            for line, source in functions.functions(text):
                origin = {"name": f"{item.name} line {line}", "source": f"{item.source}#{line}", "group": item.source}
                yield replace(item, payload=source.encode("utf-8", "surrogatepass"), **origin)
            return
        for line, words, speaker, scene in turns.exchanges(text):
            origin = {"name": f"{item.name} line {line}", "source": f"{item.source}#{line}"}
            group = f"{item.source}#scene{scene}"
            yield replace(item, payload=words.encode("utf-8"), label=speaker or item.label, group=group, **origin)
    except Unreadable as error:
        yield replace(item, payload=b"", name=unusable(item.name, str(error)))
