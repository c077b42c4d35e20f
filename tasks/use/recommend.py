"""What a registered model recommends: to a user of its data set by id, or after items that are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aigc_models.errors import BadInput, unknown
from tasks.stage.settings import Workspace

if TYPE_CHECKING:
    from aigc_models.generator import Generator
    from aigc_models.modalities.events import Events


def recommended(generator: Generator, names: Sequence[str], count: int) -> dict[str, Any]:
    """What comes after `names`, as JSON: `recommended`, the `unknown` among the names, and whether it is a `cold_start`.

    A name is an item's, or its id alone (what stands before the first space). Raises `BadInput` where names are given and
    none of them is known.
    """
    if not 1 <= count <= 1000:
        raise BadInput(f"count is {count}; ask for 1 to 1,000 items")
    resolved, missing = known(generator, names)
    if names and not resolved:
        raise unknown("item", names[0], generator.format.items)
    (answer,) = generator.recommend([history(resolved)], count)
    rows = [{"item": one.item, "probability": one.probability, "because": list(one.because)} for one in answer]
    return {"recommended": rows, "unknown": missing, "cold_start": not resolved}


def known(generator: Generator, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names as the model has them, and those that it does not have."""
    items = set(generator.format.items)
    by_id: dict[str, str] = {}
    for item in generator.format.items:
        by_id.setdefault(item.split(" ", 1)[0], item)
    pairs = [(name, name if name in items else by_id.get(name.strip())) for name in names]
    return [item for _, item in pairs if item], [name for name, item in pairs if not item]


def history(names: Sequence[str]) -> Events:
    """Items in the order of time."""
    import numpy as np

    from aigc_models.modalities.events.events import history as made

    return made(np.arange(len(names), dtype=np.float64), list(names))


def history_of(workspace: Workspace, dataset: str, version: str, user: str) -> list[str]:
    """The items of a user of a version of the data set; raises `BadInput` where there is none of that id."""
    from aigc_models.modalities import events
    from tasks.dataset.tables import read, shards
    from tasks.version.reading import reading

    with reading(workspace, dataset, version) as folder:
        table = read(shards(folder / "clean"), ["group", "content"])
        at = next((row for row, group in enumerate(table["group"]) if group == user), None)
        if at is None:
            raise unknown(f"user of {dataset}", user, [group for group in table["group"] if group])
        items: list[str] = events.unpack(table["content"][at]).values.tolist()
    return items
