"""What is to be learnt of each item: the index of its label, or numbers where the task makes these of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aigc_models.errors import BadInput
from aigc_models.find import find
from tasks.dataset.tables import read, shards
from tasks.stage.references import VersionRef
from tasks.stage.validation import validated

if TYPE_CHECKING:
    import numpy as np


class Answers(NamedTuple):
    """Of each item by its id, `labels` being what models call them."""

    labels: tuple[str, ...]
    conditions: Mapping[str, int]
    targets: Mapping[str, np.ndarray] | None = None

    def targets_of(self, ids: Sequence[str]) -> np.ndarray | None:
        """float32 (item, target) of these items; None where the task has no targets."""
        import numpy as np

        if self.targets is None:
            return None
        rows = [self.targets[key] for key in ids]
        return np.stack(rows) if rows else np.zeros((0, max(1, len(self.labels))), dtype=np.float32)


def answers_of(
    folder: Path, split: VersionRef, task: str, target: Mapping[str, Any], wanted: Mapping[str, Sequence[str]]
) -> Answers:
    """Of all items of a version whose files are in `folder`; `target`: settings of the task's, `wanted`: the ids of each split.

    Raises `BadInput` that names the item where its label is none of the task's.
    """
    head = find("aigc_models.heads", task)
    clean = read(shards(folder / "clean"), ["id", "label", "source"])
    labels = dict(zip(clean["id"], clean["label"], strict=True))
    if not hasattr(head, "Targets"):
        if target:
            raise BadInput(f"task {task} has no targets; leave {', '.join(target)} out of target")
        index = {label: at for at, label in enumerate(split.labels)}
        return Answers(split.labels, {key: index.get(label, len(index)) for key, label in labels.items()})
    targets: Any = validated(head.Targets, target, f"target of task {task}")
    try:
        names = targets.names([labels[key] for key in wanted["train"]])
    except BadInput as error:
        raise BadInput(f"{split.dataset}: {error}") from error
    sources, numbers = dict(zip(clean["id"], clean["source"], strict=True)), dict[str, Any]()
    for key in (key for keys in wanted.values() for key in keys):
        try:
            numbers[key] = targets.of(labels[key], names)
        except BadInput as error:
            raise BadInput(f"{split.dataset}: {sources[key]}: {error}") from error
    return Answers(names, dict.fromkeys(labels, len(names)), numbers)
