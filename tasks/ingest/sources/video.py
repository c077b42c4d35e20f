"""A video file or a folder of clips: frames become pictures, and all frames of a clip stay in one split.

    aigc data add waves clips/ --label folder --option every=2s

Further options are `frames` (this many of each clip in place of one every so many seconds), `most` and `side`. What cannot be
read of a clip comes as an item without content, whose name says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path

from aigc_models.errors import BadInput, unusable
from tasks.ingest.readers import files, frames, linked
from tasks.ingest.readers.digests import digests
from tasks.ingest.readers.frames import Sampling as Options
from tasks.ingest.source import RawItem, SourceSettings, options

SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg"})
MODALITY = "image"


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    return _is_clip(path) if path.is_file() else path.is_dir() and _all_clips(path)


def fingerprint(source: SourceSettings) -> str:
    whole, paths = hashlib.sha256(), content_files(source)
    for file, digest in zip(paths, digests(paths), strict=True):
        whole.update(f"{_relative(file, source)}\0{digest}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def modality(source: SourceSettings) -> str:
    return MODALITY


def content_files(source: SourceSettings) -> list[Path]:
    """The clips in the order of their names."""
    if source.path.is_file():
        return [source.path]
    return [source.path / name for name in files.content(linked.names(source))]


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """The frames of each clip."""
    return read_new(source, modality, ())


def read_new(source: SourceSettings, modality: str, unchanged: Collection[str]) -> Iterator[RawItem]:
    """The same without the clips that are `unchanged`: these are not opened."""
    if modality != MODALITY:
        raise BadInput(f"{source.location} is video, which is read as pictures: say --modality image, or nothing")
    files.check(source, modality)
    _check_library()
    sampling, paths = options(source, Options), content_files(source)
    labels = files.labels([_relative(file, source) for file in paths], source, modality)
    for file in paths:
        name = _relative(file, source)
        if name not in unchanged:
            label = labels.get(files.parent(name)) or source.labels.of_name(file.name)
            yield from _items(file, name, label, files.split(name, source), sampling)
    yield from linked.left_out(source)


def _items(file: Path, name: str, label: str | None, split: str | None, sampling: Options) -> Iterator[RawItem]:
    for frame in frames.of_file(file, sampling):
        label_of_frame = unusable(file.name, frame.problem) if frame.problem else f"{file.name} at {frame.seconds:.2f} s"
        yield RawItem(frame.picture, label_of_frame, f"{name}#{frame.number}", label, group=name, split=split)


def _relative(file: Path, source: SourceSettings) -> str:
    return file.relative_to(source.path).as_posix() if source.path.is_dir() else file.name


def _is_clip(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _all_clips(folder: Path) -> bool:
    """Whether there are clips and nothing else, notes on them aside; looks no further than the first file that is none."""
    paths = False
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file() and path.name.lower() not in files.NOTES:
            if not _is_clip(path):
                return False
            paths = True
    return paths


def _check_library() -> None:
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise BadInput("video is read with PyAV: `pip install 'aigc-foundry[video]'`") from error
