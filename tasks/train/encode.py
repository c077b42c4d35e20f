"""Turn a version of the data into the arrays that training reads."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aigc_models.errors import unknown
from aigc_models.find import find, names
from aigc_models.modality import divided_inside
from tasks.dataset.card import SPLITS
from tasks.dataset.tables import payloads, read
from tasks.split import folds
from tasks.split.inside import within
from tasks.stage.references import CorpusRef, VersionRef
from tasks.stage.stage import StageContext, stage
from tasks.stage.validation import validated
from tasks.train.answers import Answers, answers_of
from tasks.train.tokenising import choose
from tasks.version.reading import reading

if TYPE_CHECKING:
    from aigc_models.sequences import Encoded

LATEST = "latest"  # the folder beside those of the splits
AT_ONCE = 500  # items that are unpacked at a time


class EncodeSettings(BaseModel):
    """How items become numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str = Field("generate", description="what models of it are asked: a file of aigc_models/heads")
    format: dict[str, Any] | None = Field(
        None, description="fields of the modality's format (length in symbols, height in pixels) in place of the card's"
    )
    target: dict[str, Any] = Field({}, description="fields of the task's Targets that differ from its defaults")

    @field_validator("task")
    @classmethod
    def _check_task(cls, task: str) -> str:
        if task not in names("aigc_models.heads"):
            raise unknown("task", task, names("aigc_models.heads"))
        return task


@stage(process=True)
def encode(split: VersionRef, settings: EncodeSettings, context: StageContext) -> CorpusRef:
    """Write a folder for each split: `values.npy`, `conditions.npy` and `ids.npy`, items in shard order; `targets.npy` too
    where the task has targets, all conditions being 'no label' then.

    A condition is the index of the item's label in `labels`, or `len(labels)` where it has none or one that
    no train item has. `ids.npy` leads from an array's row back to the item;
    beside train, `folds.npy` says its fold where the data set has folds. Where the task divides items inside, each split has
    rows of all items, whichever split those are in. Where items are divided inside, by time,
    a row is a window of one, in the order of time, `spans.npy` says when its horizon begins and ends, and `latest`
    holds the newest past of each, encoded and as it is.
    """
    with reading(context.workspace, split.dataset, split.version) as folder:
        return encoded_version(folder, split, settings, context)


def encoded_version(folder: Path, split: VersionRef, settings: EncodeSettings, context: StageContext) -> CorpusRef:
    """The same of the version's files in `folder`, which is laid out as `data/NAME`."""
    modality, head = find("aigc_models.modalities", split.modality), find("aigc_models.heads", settings.task)
    format = chosen_format(modality, folder, settings)
    places = read([folder / "splits.parquet"], ["id", "split"])
    wanted = {name: [key for key, place in zip(*places.values(), strict=True) if place == name] for name in SPLITS}
    answers = answers_of(folder, split, settings.task, settings.target, wanted)
    if hasattr(modality, "learned"):
        format = _learned(modality, folder / "clean", wanted, format, context)
    counts = split.splits
    if hasattr(head, "divided"):
        everyone = {key for keys in wanted.values() for key in keys}
        ids, values = encoded(modality, folder / "clean", everyone, format)
        counts = save_divided(context, split.modality, head, values, ids, answers)
        folds.keep(folder / "splits.parquet", ids, context.folder / "train")
    elif divided_inside(modality):
        save_windows(context, split.modality, folder, {key for keys in wanted.values() for key in keys}, format, answers)
    else:
        for step, name in enumerate(SPLITS):
            context.progress(step, len(SPLITS))
            ids, values = encoded(modality, folder / "clean", set(wanted[name]), format, train=name == "train")
            save(context.folder / name, split.modality, values, ids, answers)
            if name == "train":
                folds.keep(folder / "splits.parquet", ids, context.folder / name)
    return CorpusRef.to(
        context.workspace,
        *(context.folder / name for name in (*SPLITS, LATEST) if (context.folder / name).is_dir()),
        dataset=split.dataset,
        modality=split.modality,
        version=split.version,
        labels=answers.labels,
        task=settings.task,
        format=format.model_dump(),
        splits=counts,
        licence=read_card(folder)["licence"],
    )


def _learned(modality: ModuleType, clean: Path, wanted: Mapping[str, Sequence[str]], format: Any, context: StageContext) -> Any:
    """The format with what it learns from the train items alone; on `auto`, validation items choose."""
    if format.tokeniser == "bytes" or format.learned:
        return format

    def contents(split: str) -> list[Any]:
        return [modality.unpack(payload) for _, payload in payloads(clean, set(wanted[split]))]

    if format.tokeniser == "auto":
        return choose(modality, format, contents("train"), contents("validation"), context)
    return modality.learned(format, contents("train"))


def save(folder: Path, modality: str, values: Encoded, ids: Sequence[str], answers: Answers) -> None:
    """Encoded `values` of the items `ids`, one a row, as a corpus."""
    import numpy as np

    from aigc_models.corpus import Corpus, save_array

    conditions = np.array([answers.conditions[key] for key in ids], dtype=np.int64)
    Corpus(modality, values, conditions, answers.targets_of(ids)).save(folder)
    save_array(folder / "ids.npy", np.array(ids, dtype=np.str_))


def save_divided(
    context: StageContext, kind: str, head: ModuleType, values: Encoded, ids: Sequence[str], answers: Answers
) -> dict[str, int]:
    """What the task's own division gives each split of all items of the data set; how many rows each has."""
    counts = {}
    for step, name in enumerate(SPLITS):
        context.progress(step, len(SPLITS))
        part, rows = head.divided(values, name)
        save(context.folder / name, kind, part, [ids[row] for row in rows], answers)
        counts[name] = len(rows)
    return counts


def save_windows(context: StageContext, kind: str, data: Path, wanted: Collection[str], format: Any, answers: Answers) -> None:
    """Windows of each split, and `latest`: the newest past of each item that is long enough, encoded and as files."""
    from aigc_models.corpus import save_array

    modality = find("aigc_models.modalities", kind)
    items = {key: modality.unpack(payload) for key, payload in payloads(data / "clean", wanted)}
    ids, contents, borders = list(items), list(items.values()), read_card(data)["borders"]
    for step, name in enumerate(SPLITS):
        context.progress(step, len(SPLITS))
        values, owners, spans = modality.windows(contents, format, within(borders, name), name)
        save(context.folder / name, kind, values, [ids[owner] for owner in owners], answers)
        save_array(context.folder / name / "spans.npy", spans)
    tails = {key: tail for key, content in items.items() if (tail := modality.tail(content, format)) is not None}
    folder = context.folder / LATEST
    save(folder, kind, modality.latest(list(tails.values()), format), list(tails), answers)
    for at, tail in enumerate(tails.values()):
        (folder / f"{at:05}{modality.suffix}").write_bytes(modality.pack(tail))


def latest(data: CorpusRef, context: StageContext) -> Encoded | None:
    """(item, ...): the newest past of each item, encoded; None where items are not divided by time."""
    from aigc_models.corpus import Corpus

    folder = _latest_folder(data, context)
    return None if folder is None else Corpus.load(folder, data.modality).values


def latest_contents(data: CorpusRef, context: StageContext) -> list[Any]:
    """The newest past of each item as content, in the order of `latest`; none where items are not divided by time."""
    folder = _latest_folder(data, context)
    modality = find("aigc_models.modalities", data.modality)
    files = [] if folder is None else sorted(folder.glob(f"*{modality.suffix}"))
    return [modality.unpack(file.read_bytes()) for file in files]


def _latest_folder(data: CorpusRef, context: StageContext) -> Path | None:
    return next((context.workspace.path(output) for output in data.outputs if Path(output).name == LATEST), None)


def read_card(folder: Path) -> dict[str, Any]:
    """`data/NAME/card.json`."""
    card: dict[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    return card


def chosen_format(modality: ModuleType, folder: Path, settings: EncodeSettings) -> Any:
    """The format that the data card names, with the settings' fields on top; `BadInput` for a field it has not."""
    return validated(modality.Format, {**read_card(folder)["format"], **(settings.format or {})}, "format of the encoding")


def encoded(
    modality: ModuleType, folder: Path, wanted: Collection[str], format: Any, train: bool = False
) -> tuple[list[str], Encoded]:
    """Ids and values of the `wanted` items of `data/NAME/clean`, in shard order; `AT_ONCE` contents are in memory at a time."""
    from aigc_models.corpus import joined

    ids: list[str] = []
    values, encode_items = [modality.encode([], format)], modality.encode
    if train and hasattr(modality, "encode_train"):
        encode_items = modality.encode_train
    pairs = payloads(folder, wanted)
    while part := list(islice(pairs, AT_ONCE)):
        ids += [key for key, _ in part]
        values.append(encode_items([modality.unpack(payload) for _, payload in part], format))
    return ids, joined(values)
