"""Which files of a Hugging Face data set's folder are which split: as its card, its names or `save_to_disk` say it.

https://huggingface.co/docs/hub/datasets-data-files-configuration
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_models.errors import BadInput
from tasks.ingest.readers import files

CARD = "README.md"
WHOLE, SAVED, INFO = "dataset_dict.json", "state.json", "dataset_info.json"
MOST = 1_000_000  # bytes of a card's head
SHARD = "*-[0-9]*-of-[0-9]*.*"
EVAL = {"eval": "test", "evaluation": "test"}  # of the words for a split, those that the hub knows beside ours


@dataclass(frozen=True)
class Part:
    """The files of one split, read one after another; `config` is the name of the subset, where it has one."""

    split: str
    files: tuple[Path, ...]
    config: str = ""


def is_dataset(folder: Path) -> bool:
    """Whether this folder of tables is laid out as Hugging Face's libraries lay it out."""
    if not folder.is_dir():
        return False
    if (folder / WHOLE).is_file() or all((folder / name).is_file() for name in (SAVED, INFO)):
        return True
    shards = bool(head(folder)) or any(_is_table(path) for place in (folder, folder / "data") for path in place.glob(SHARD))
    return shards and any(map(_is_table, _below(folder))) and all(map(_is_table, _content(folder)))


def head(folder: Path) -> dict[str, Any]:
    """What stands between the two `---` of the card; empty where there is none that can be read."""
    import yaml

    try:
        with (folder / CARD).open(encoding="utf-8", errors="replace") as card:
            text = card.read(MOST)
    except OSError:
        return {}
    match = re.match(r"---[ \t]*\n(.*?)\n---[ \t]*(\n|$)", text, re.DOTALL)
    try:
        front = yaml.safe_load(match[1]) if match else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return front if isinstance(front, dict) else {}


def licence(folder: Path) -> str:
    """As the card or, of a folder that `save_to_disk` wrote, the information beside it says; else empty."""
    header = head(folder)
    named = header.get("license_name") if header.get("license") == "other" else header.get("license")
    named = named or next((_json(path).get("license") for path in sorted(folder.glob(f"**/{INFO}"))), "")
    return ", ".join(str(each) for each in named) if isinstance(named, list) else str(named or "")


def parts(folder: Path, config: str = "") -> list[Part]:
    """The splits in the order in which the folder names them; raises `BadInput` where it does not say what is what."""
    if (folder / WHOLE).is_file():
        names = _strings(_json(folder / WHOLE).get("splits"))
        return [Part(name, _saved(_inside(folder, name))) for name in names]
    if (folder / SAVED).is_file():
        return [Part(str(_json(folder / SAVED).get("_split") or ""), _saved(folder))]
    configs = {str(each.get("config_name", "default")): each for each in _configs(folder)}
    if not configs:
        return _by_name(folder, (path for path in _content(folder) if _is_table(path)))
    name = config or _default(folder, configs)
    if name not in configs:
        raise BadInput(f"{folder.name} has no subset {config!r} (option config); it has: {', '.join(configs)}")
    return _of_config(folder, configs[name], name if len(configs) > 1 else "")


def marks(folder: Path) -> list[Path]:
    """The files that say what is what."""
    return sorted(path for name in (CARD, WHOLE, SAVED, INFO) for path in folder.glob(f"**/{name}"))


def _configs(folder: Path) -> list[dict[str, Any]]:
    header = head(folder).get("configs")
    return [each for each in header if isinstance(each, dict)] if isinstance(header, list) else []


def _default(folder: Path, configs: dict[str, dict[str, Any]]) -> str:
    marked = [name for name, each in configs.items() if each.get("default") is True or name == "default" or len(configs) == 1]
    if not marked:
        raise BadInput(f"{folder.name} has the subsets {', '.join(configs)}; say which with --option config=NAME")
    return marked[0]


def _of_config(folder: Path, header: dict[str, Any], name: str) -> list[Part]:
    named = header.get("data_files")
    if named is None:
        below = _inside(folder, str(header.get("data_dir") or "."))
        return [Part(part.split, part.files, name) for part in _by_name(folder, filter(_is_table, _content(below)))]
    if isinstance(named, list) and any(isinstance(each, dict) for each in named):
        patterns = [(str(each.get("split", "")), each.get("path")) for each in named if isinstance(each, dict)]
    else:
        patterns = list(named.items()) if isinstance(named, dict) else [("", named)]
    parts = [Part(split, tuple(_matching(folder, pattern)), name) for split, pattern in patterns]
    empty = next((pattern for (_, pattern), part in zip(patterns, parts, strict=True) if not part.files), None)
    if empty is not None or not parts:
        raise BadInput(f"{folder.name}: no table fits {empty!r}, which {CARD} names; fetch the data set anew")
    return parts


def _matching(folder: Path, patterns: Any) -> Iterator[Path]:
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        if not isinstance(pattern, str) or not pattern or pattern.startswith("/") or ".." in pattern.split("/"):
            raise BadInput(f"{folder.name}: {CARD} names {pattern!r}, which is no path inside the folder")
        yield from sorted(path for path in folder.glob(pattern) if path.is_file() and _is_table(path))


def _by_name(folder: Path, tables: Iterable[Path]) -> list[Part]:
    """By the word for a split in the name of a file, else of the folders that it lies in."""
    parts: dict[str, list[Path]] = {}
    for path in tables:
        parts.setdefault(_split_word(path.relative_to(folder)), []).append(path)
    return [Part(split, tuple(paths)) for split, paths in parts.items()]


def _split_word(path: Path) -> str:
    """The word for a split, empty where there is none.

    >>> _split_word(Path("data/train-00000-of-00001.parquet")), _split_word(Path("test/en.csv"))
    ('train', 'test')
    >>> _split_word(Path("pretrained.csv"))
    ''
    """
    for name in reversed(path.parts):
        words = re.split(r"[^a-z]+", name.lower())
        split = next((word for word in words if word in files.SPLITS or word in EVAL), None)
        if split:
            return EVAL.get(split, split)
    return ""


def _saved(folder: Path) -> tuple[Path, ...]:
    named = _json(folder / SAVED).get("_data_files")
    names = [each.get("filename") for each in named if isinstance(each, dict)] if isinstance(named, list) else []
    paths = tuple(_inside(folder, name) for name in _strings(names))
    missing = next((path.name for path in paths if not path.is_file()), None)
    if missing or not paths:
        raise BadInput(f"{folder.name} lacks {missing or SAVED}, which save_to_disk writes; copy the folder whole")
    return paths


def _inside(folder: Path, name: str) -> Path:
    """Raises `BadInput` for a name that leads out of the folder."""
    if not (folder / name).resolve().is_relative_to(folder.resolve()) and not (folder / name).is_symlink():
        raise BadInput(f"{folder.name} names {name!r}, which is not inside it")
    return folder / name


def _json(path: Path) -> dict[str, Any]:
    try:
        header = json.loads(path.read_bytes()[:MOST])
    except (OSError, ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}


def _strings(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _content(folder: Path) -> list[Path]:
    """All but hidden files, notes on the content and the marks of a layout."""
    names = files.content(path.relative_to(folder).as_posix() for path in _below(folder))
    return [folder / name for name in names if name.rsplit("/", 1)[-1] not in (WHOLE, SAVED, INFO, CARD, "dataset_infos.json")]


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in files.tables()
