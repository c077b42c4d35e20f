"""What lies beside the content and is left out, said in a line each: nothing is left out in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from tasks.ingest.readers import files, notices
from tasks.ingest.source import SourceSettings

SHOWN = 6  # names, or endings, that a line lists


def say_notes(source: SourceSettings, names: Iterable[str], content: Collection[str]) -> None:
    """Hidden files and notes on the content, such as a README, which `files.content` leaves out."""
    taken = set(content)
    beside = Counter(_shown(name) for name in names if name not in taken)
    if beside:
        notices.say(
            f"{source.location}: not content but notes or hidden files, and left out: {_listed(beside)}; "
            f"to take one in, add it by its own name (`aigc data add {source.name} PATH_OF_IT`)"
        )


def say_others(source: SourceSettings, others: Collection[str], modality: str) -> None:
    """Files of other kinds than the one that is wanted, by their ending."""
    if others:
        endings = Counter(files.ending(name) or "without an ending" for name in others)
        which = "1 file is" if len(others) == 1 else f"{len(others):,} files are"
        notices.say(f"{source.location}: {which} left out, being no {modality}: {_listed(endings, counted=True)}")


def say_endings(source: SourceSettings, content: Collection[str]) -> None:
    """Which files were read as text though their ending says nothing, and how it can be the label."""
    odd = Counter(files.ending(name) for name in content if not files.has_usual_ending(name) and files.ending(name))
    if len(odd) > 1 and not source.labels.kind:
        notices.say(
            f"{source.location}: read as text by what they hold: {_listed(odd, counted=True)}; "
            "--label 'name:[.]([^.]+)$' makes the ending the label, --option items=lines each line an item"
        )


def _shown(name: str) -> str:
    """The first hidden part of a path, else the file's own name."""
    return next((part for part in name.split("/") if part.startswith(".")), files.base(name))


def _listed(names: Counter[str], counted: bool = False) -> str:
    """
    >>> _listed(Counter({"README.md": 1, ".DS_Store": 3})), _listed(Counter({".png": 40}), counted=True)
    ('.DS_Store (3), README.md', '40 .png')
    """
    first = names.most_common(SHOWN)
    words = [f"{count:,} {name}" if counted else f"{name} ({count:,})" if count > 1 else name for name, count in first]
    rest = len(names) - len(first)
    return ", ".join(words) + (f" and {rest} more kinds" if rest else "")
